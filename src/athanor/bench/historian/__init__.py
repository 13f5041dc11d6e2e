"""`athanor bench historian`: ingest, size and queries, beside what others keep time series in, on the same data.

Each store is filled and asked alone, one after the other; servers are started from Debian's packages on loopback, with
a folder and a port of their own, and ended. What is not installed is left out, and that is said.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from athanor.bench.figures import Figure, Report, at_most
from athanor.bench.historian import large, ours
from athanor.bench.historian.contender import AbsentError, Contender, Opening, opened
from athanor.bench.historian.duckdb_raw import DuckDBParquet, DuckDBTable
from athanor.bench.historian.extent import FULL, QUICK, Extent
from athanor.bench.historian.generator import history
from athanor.bench.historian.influxdb import InfluxDB
from athanor.bench.historian.lines import compared, figure
from athanor.bench.historian.live import Live
from athanor.bench.historian.measuring import WRONG, Measured, measure
from athanor.bench.historian.postgresql import PostgreSQL
from athanor.bench.historian.questions import questions_of
from athanor.bench.historian.victoriametrics import VictoriaMetrics

CONTENDERS: Mapping[str, Sequence[Opening]] = {
    "athanor": (ours.Athanor,),
    "victoriametrics": (VictoriaMetrics,),
    "influxdb": (InfluxDB,),
    "postgresql": (PostgreSQL,),
    "duckdb": (DuckDBTable, DuckDBParquet),
}
_LARGE = "large"
PARTS = (*CONTENDERS, _LARGE)


def run(quick: bool, only: Sequence[str] = ()) -> Report:  # noqa: FBT001 as `Benchmark` calls it
    """Half an hour, or some minutes when quick; `only` of PARTS, or all. Nothing is left behind."""
    extent, parts = (QUICK if quick else FULL), (only or PARTS)
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as a user of its own, who comes through here
        report = side_by_side(folder, extent, [part for part in CONTENDERS if part in parts])
        if _LARGE not in parts:
            return report
        return Report([*report.figures, *large_lake(folder, extent)], report.notes)


def side_by_side(folder: Path, extent: Extent, parts: Sequence[str]) -> Report:
    """Every store of these parts through all its stages; what is not installed becomes a note."""
    if not parts:
        return Report([])
    past = history(extent.seconds, tags=extent.tags)
    asked = questions_of(past, extent.repeats)
    live = Live(past, extent.live_s, extent.live_tags)
    measured: dict[str, Measured] = {}
    notes: list[str] = []
    for opening in (one for part in parts for one in CONTENDERS[part]):
        try:
            with opened(opening, folder / f"store-{len(measured)}") as contender:
                measured[contender.name] = measure(contender, extent, past, asked, live)
                notes += _notes(contender, measured[contender.name])
        except AbsentError as error:
            notes.append(f"left out: {error}")
    values = {name: of.values for name, of in measured.items()}
    return Report([figure(line, values, ours.Athanor.name) for line in compared(asked)], notes)


def _notes(contender: Contender, measured: Measured) -> list[str]:
    told = f"{contender.name}: settled by {contender.settled}"
    if contender.is_fed:
        told = f"{contender.name}: acknowledged is {contender.acknowledgement}; settled by {contender.settled}"
    return [told, *(f"{contender.name} is wrong in {wrong}" for wrong in measured.wrong)]


def large_lake(folder: Path, extent: Extent) -> list[Figure]:
    """The questions of one tag where there is a hundred times more on the disk, and what memory they take."""
    small = large.ask_elsewhere(large.fill_small(folder / "small", extent), extent)
    place, made = large.fill(folder / "large", extent)
    values = large.ask_elsewhere(place, extent)
    size = f"{made['samples'] / 1e9:.2g} billion"
    figures = [
        Figure(f"{size}: generated and sealed", made["generated and sealed"], "rows/s"),
        Figure(f"{size}: rolled up", made["rolled up"], "rows/s"),
        at_most(f"{size}: size on disk", made["size on disk"], "B/sample", 1.6),
        Figure(f"{size}: rollups on disk", made["rollups on disk"], "B/sample"),
    ]
    for name in (large.HOUR, large.WHOLE, large.ODD, large.DRAWN):
        grown = values[f"{name}, median"] / small[f"{name}, median"]
        figures += [
            Figure(
                f"{size}: {name}, {part}", values[f"{name}, {part}"], "ms", compared_with=_at_small(small, name, part)
            )
            for part in ("median", "p99", "cold")
            if f"{name}, {part}" in values
        ]
        growth = f"{size}: {name}, growth"
        figures.append(Figure(growth, grown, "times") if name == large.ODD else at_most(growth, grown, "times", 3))
    return [
        *figures,
        at_most(f"{size}: peak memory of the process that asks", values["peak memory"], "GB", 1.5),
        at_most(f"{size}: {WRONG}", values[WRONG], "of 3", 0),
    ]


def _at_small(small: Mapping[str, float], name: str, part: str) -> str:
    return f"{small[f'{name}, {part}']:.3g} at the smaller size"
