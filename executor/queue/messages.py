"""Celery as Assay uses it: short wake-ups through durable queues, on Redis or RabbitMQ, with no results kept."""

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from django.conf import settings
from kombu import Exchange, Queue

from executor.models import Judgement
from executor.queue.publishing import RUNS, Message

QUEUES = (Judgement.Lane.LIVE.value, Judgement.Lane.REJUDGE.value, RUNS)
# What a step of sending may take, in the thread that does it: to connect, to write, to be confirmed.
CONNECT_S = 1
ANSWER_S = 2
# Messages of a killed worker come back on Redis after this long, and then some; by then the sweeper did its work.
VISIBILITY_S = 600
# How often a worker looks if its connections to a Redis still live.
HEALTH_S = 5
# How many sweeps may wait for a worker, if it is one that is busy.
SWEEPS_WAITING_MAX = 3


def make_app() -> Celery:
    """A Celery application by the settings. Nothing is connected yet."""
    app = Celery("assay", set_as_current=False)
    prefix: str = settings.EXECUTOR_MESSAGES_PREFIX
    exchange = Exchange(f"{prefix}assay", type="direct", durable=True)
    app.conf.update(
        broker_url=settings.CELERY_BROKER_URL,
        broker_transport_options=_transport_options(is_sender=False),
        # A worker waits for its broker for as long as that takes; judging needs no restart afterwards.
        broker_connection_timeout=4,
        broker_connection_max_retries=None,
        broker_connection_retry_on_startup=True,
        # A result backend would make sending wait for a second server, and nobody reads it.
        result_backend=None,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        event_serializer="json",
        include=["executor.queue.tasks"],
        task_queues=[Queue(prefix + name, exchange, routing_key=prefix + name, durable=True) for name in QUEUES],
        task_default_queue=prefix + RUNS,
        task_default_exchange=exchange.name,
        task_default_routing_key=prefix + RUNS,
        task_create_missing_queues=False,
        # A message is taken off only when its work is done, and one at a time: others may be free.
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        # Claims outlive a connection to the broker.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Nobody who reaches the broker may order workers about.
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        enable_utc=True,
        timezone="UTC",
        # There is nothing to remember between two starts, so that beat needs no file.
        beat_scheduler="celery.beat:Scheduler",
        beat_max_loop_interval=settings.EXECUTOR_SWEEP_S,
        beat_schedule={
            "sweep": {
                "task": "executor.sweep",
                "schedule": settings.EXECUTOR_SWEEP_S,
                "options": {"queue": prefix + RUNS, "expires": SWEEPS_WAITING_MAX * settings.EXECUTOR_SWEEP_S},
            }
        },
    )
    return app


class BrokerLink:
    """One connection to send through. A broker that is away, hangs or refuses raises within a few seconds."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._connection = app.connection_for_write(
            connect_timeout=CONNECT_S, transport_options=_transport_options(is_sender=True)
        )
        self._producer = app.amqp.Producer(self._connection, auto_declare=False)

    def send(self, message: Message) -> None:
        self._app.send_task(
            message.task,
            args=message.args,
            queue=f"{settings.EXECUTOR_MESSAGES_PREFIX}{message.queue}",
            producer=self._producer,
            retry=False,
            confirm_timeout=ANSWER_S,
            ignore_result=True,
        )

    def close(self) -> None:
        self._connection.release()


def _transport_options(*, is_sender: bool) -> dict[str, Any]:
    """What the driver of the broker is told. Without these a broker that is down holds a sender for 6 to 19 s."""
    scheme = urlsplit(settings.CELERY_BROKER_URL or "").scheme
    quick = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.2}
    if scheme.startswith("redis"):
        options = {"visibility_timeout": VISIBILITY_S, "socket_keepalive": True, "health_check_interval": HEALTH_S}
        timeouts = {"socket_connect_timeout": CONNECT_S, "socket_timeout": ANSWER_S}
        return options | quick | timeouts if is_sender else options
    # RabbitMQ confirms what it has taken over; the timeouts hold for each read and write.
    options = {"confirm_publish": True}
    return options | quick | {"read_timeout": ANSWER_S, "write_timeout": ANSWER_S} if is_sender else options
