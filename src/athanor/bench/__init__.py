"""Benchmarks: every performance figure that Athanor claims comes from one of these."""

from athanor.bench import path
from athanor.bench.figures import Benchmark

BENCHMARKS = {
    "path": Benchmark(
        "100,000 tags at 1 Hz from an edge, over HTTP, durable in the historian and visible as current values",
        path.run,
    ),
}
