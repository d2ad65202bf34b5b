"""How the queue stands, as figures for `/metrics`: read at each scrape, through the queue's own indexes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from executor.models import Judgement, QueueSwitch, Worker


def waiting_by_lane() -> QuerySet[Any, Any]:
    """Rows of lane, number and the oldest one's time, of what waits."""
    pending = Judgement.objects.filter(state=Judgement.State.PENDING)
    return pending.order_by("lane").values("lane").annotate(number=Count("pk"), oldest=Min("created_at"))


def running_by_lane() -> QuerySet[Any, Any]:
    """Rows of lane and number, of what workers hold."""
    claimed = Judgement.objects.filter(state=Judgement.State.CLAIMED)
    return claimed.order_by("lane").values("lane").annotate(number=Count("pk"))


def queue_metrics() -> Iterator[Metric]:
    """Gauges of the queue and its workers, in four queries; a lane or kind without any is a zero, not a gap."""
    waiting = {row["lane"]: row for row in waiting_by_lane()}
    running = {row["lane"]: row["number"] for row in running_by_lane()}
    now = timezone.now()
    jobs = GaugeMetricFamily("assay_queue_judgements", "Judgements not ended, by lane.", labels=["lane", "state"])
    ages = GaugeMetricFamily("assay_queue_oldest_seconds", "Age of the oldest one that waits.", labels=["lane"])
    for lane in Judgement.Lane.values:
        row = waiting.get(lane)
        jobs.add_metric([lane, "queued"], row["number"] if row else 0)
        jobs.add_metric([lane, "running"], running.get(lane, 0))
        ages.add_metric([lane], max(0.0, (now - row["oldest"]).total_seconds()) if row else 0)
    yield jobs
    yield ages

    seen = Worker.objects.filter(seen_at__gte=Now() - timedelta(seconds=settings.EXECUTOR_LEASE_S))
    by_kind = {
        row["kind"]: row
        for row in seen.order_by("kind").values("kind").annotate(number=Count("pk"), all=Sum("threads"))
    }
    workers = GaugeMetricFamily("assay_workers", "Processes that judge and were seen lately.", labels=["kind"])
    threads = GaugeMetricFamily("assay_worker_threads", "Judgings that they can do at a time.", labels=["kind"])
    for kind in Worker.Kind.values:
        workers.add_metric([kind], by_kind[kind]["number"] if kind in by_kind else 0)
        threads.add_metric([kind], by_kind[kind]["all"] if kind in by_kind else 0)
    yield workers
    yield threads

    is_paused = QueueSwitch.objects.filter(is_paused=True).exists()
    yield GaugeMetricFamily("assay_queue_paused", "1 while no work is taken.", value=float(is_paused))
    yield GaugeMetricFamily(
        "assay_queue_capacity",
        "Live judgements that may wait before submissions are refused.",
        value=settings.EXECUTOR_QUEUE_CAPACITY,
    )
