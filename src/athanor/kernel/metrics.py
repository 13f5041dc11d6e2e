"""Every Prometheus metric of the kernel, in one table. `/metrics` serves them."""

from collections.abc import Iterable, Sequence

import numpy as np
from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class ColumnHistogram(Collector):
    """A histogram that takes whole columns: `Histogram.observe` once a sample would cost a core at 100,000/s."""

    def __init__(self, name: str, documentation: str, bounds: Sequence[float]) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = np.asarray(bounds, np.float64)
        self._counts = np.zeros(len(bounds) + 1, np.int64)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe_all(self, values: np.ndarray) -> None:
        """Count every value of a column."""
        places = np.searchsorted(self._bounds, values, side="left")
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(values.sum())

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        labels = [*(f"{bound:g}" for bound in self._bounds), "+Inf"]
        totals = np.cumsum(self._counts).tolist()
        family = HistogramMetricFamily(self._name, self._documentation)
        family.add_metric([], list(zip(labels, totals, strict=True)), self._sum)
        return [family]


SAMPLES_STORED = Counter("athanor_samples_stored_total", "Samples durable in the historian", ["edge"])
SAMPLES_QUARANTINED = Counter("athanor_samples_quarantined_total", "Samples set aside at ingest", ["edge", "reason"])
WAVEFORMS_STORED = Counter("athanor_waveforms_stored_total", "Waveforms durable in the store", ["sender"])
WAVEFORM_BYTES = Counter("athanor_waveform_bytes_total", "Bytes of their points, before encoding", ["sender"])
BATCHES_REFUSED = Counter("athanor_batches_refused_total", "Uplink requests whose body was no batch", ["edge"])
INGEST_SECONDS = Histogram(
    "athanor_ingest_seconds",
    "From having read a batch to its samples being durable and visible [s]",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)
SAMPLE_LATENCY_SECONDS = ColumnHistogram(
    "athanor_sample_latency_seconds",
    "From a sample's source time to its being durable and visible, every sample counted [s]",
    bounds=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.5, 2.0, 5.0, 10.0, 60.0),
)
BUS_DROPPED = Counter(
    "athanor_bus_dropped_total", "Events dropped for a listener that fell behind", ["topic", "listener"]
)
BUS_FAILED = Counter("athanor_bus_failed_total", "Events that a listener failed on", ["topic", "listener"])
TAGS = Gauge("athanor_tags", "Tags of the running plant model")
EDGE_BACKLOG_ROWS = Gauge("athanor_edge_backlog_rows", "Samples an edge still keeps for delivery", ["edge"])
HISTORIAN_QUERY_SECONDS = Histogram(
    "athanor_historian_query_seconds",
    "From a question to the historian to its answer [s]",
    ["kind"],
    buckets=(0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0),
)
HISTORIAN_WORK = Counter("athanor_historian_work_total", "Work of the historian in the background", ["work", "outcome"])
SAMPLES_REMOVED = Counter(
    "athanor_samples_removed_total",
    "Samples that went since they had come of age, or the disk was short",
    ["class", "reason"],
)
DISK_FREE_BYTES = Gauge("athanor_disk_free_bytes", "Free room on a disk that the historian writes to [B]", ["folder"])
MESSAGES_WAITING = Gauge("athanor_messages_waiting", "Messages to people that have not gone out", ["channel"])
MESSAGES = Counter("athanor_messages_total", "Messages to people, by what became of a try", ["kind", "outcome"])
ALARM_SCREEN_SECONDS = ColumnHistogram(
    "athanor_alarm_screen_seconds",
    "From an alarm's source time to its being on an operator's screen, as the pages report it [s]",
    bounds=(0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 5.0),
)
