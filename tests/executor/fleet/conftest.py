"""Celery's workers need a database and a broker that other processes reach; where there are none, nothing is collected.

`REDIS_URL` names the one broker, `ASSAY_CI_AMQP_URL` the other.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from kombu import Connection
from pytest_django import Settings

from executor.queue import publishing
from executor.queue.messages import QUEUES
from executor.queue.publishing import Publisher, broker_link
from tests.executor.fleet.machine import Fleet

BROKERS = {"redis": os.environ.get("REDIS_URL"), "rabbitmq": os.environ.get("ASSAY_CI_AMQP_URL")}
KNOWN = {name: url for name, url in BROKERS.items() if url}
collect_ignore_glob = [] if connection.vendor == "postgresql" and KNOWN else ["test_*.py"]


@pytest.fixture(params=list(KNOWN))
def broker_url(request: pytest.FixtureRequest) -> str:
    """One broker after the other."""
    return KNOWN[request.param]


@pytest.fixture
def prefix(settings: Settings, broker_url: str) -> Iterator[str]:
    """This process publishes to that broker, through queues of this test alone, which are removed in the end."""
    settings.CELERY_BROKER_URL = broker_url
    settings.EXECUTOR_MESSAGES_PREFIX = made = f"test-{uuid.uuid4().hex}-"
    yield made
    with Connection(broker_url) as broker:
        channel = broker.default_channel
        for name in QUEUES:
            channel.queue_delete(made + name)
    if broker_url.startswith("redis"):
        forget_messages(broker_url, made)


def forget_messages(broker_url: str, prefix: str) -> None:
    """What a Redis keeps of these queues: who is bound to them, and messages of killed workers."""
    with redis.Redis.from_url(broker_url) as client:
        for key in client.scan_iter(match=f"*{prefix}*", count=1000):
            client.delete(key)
        for tag, message in client.hscan_iter("unacked"):
            if prefix.encode() in message:
                client.hdel("unacked", tag)
                client.zrem("unacked_index", tag)


@pytest.fixture
def publisher(prefix: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """This process's publisher, ended with the test."""
    made = Publisher(broker_link, rest_s=0.2)
    monkeypatch.setattr(publishing, "_publisher", made)
    yield made
    made.stop()


@pytest.fixture
def fleet(prefix: str, publisher: Publisher, broker_url: str, tmp_path: Path) -> Iterator[Fleet]:
    """Workers and beat on this test's database and broker, once they are started."""
    cache_prefix = django_settings.CACHES["default"]["KEY_PREFIX"]
    made = Fleet(tmp_path, broker_url=broker_url, prefix=prefix, cache_prefix=cache_prefix)
    yield made
    made.end()
    # What its processes kept there of the rows of this test, after this process had done with them.
    if os.environ.get("REDIS_URL"):
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            for key in client.scan_iter(match=f"{cache_prefix}:*", count=1000):
                client.delete(key)
