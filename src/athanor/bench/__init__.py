"""Benchmarks: every performance figure that Athanor claims comes from one of these."""

from athanor.bench import alarms, desk, historian, identity, path, trends, waveforms
from athanor.bench.figures import Benchmark

BENCHMARKS = {
    "path": Benchmark(
        "100,000 tags at 1 Hz from an edge, over HTTP, durable in the historian and visible as current values",
        path.run,
    ),
    "historian": Benchmark(
        "Ingest, size and queries of the historian beside VictoriaMetrics, InfluxDB, PostgreSQL and DuckDB",
        historian.run,
        historian.PARTS,
    ),
    "waveforms": Benchmark(
        "Vibration, noise and current of 1,000 machines over HTTP; the store beside npy files; encodings compared",
        waveforms.run,
        waveforms.PARTS,
    ),
    "identity": Benchmark(
        "Sign-ins, permission checks, sessions looked up and audit entries, on SQLite and PostgreSQL",
        identity.run,
        identity.PARTS,
    ),
    "trends": Benchmark(
        "A chart of eight tags over 60 days in Chromium: how long a zoom or a move takes to be drawn",
        trends.run,
    ),
    "desk": Benchmark(
        "The alarm desk with 10,000 standing alarms in Chromium: how long an action takes, and an alarm to the screen",
        desk.run,
    ),
    "alarms": Benchmark(
        "100,000 alarm rules at 100,000 samples/s: the judging on one core, the whole way until told, and floods",
        alarms.run,
        alarms.PARTS,
    ),
}
