"""`athanor export`: tags over a range to a file, from the running server or from its data at rest."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Self, TypeVar

import pyarrow as pa
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from athanor.cli.running import session_with, trust_of, url_of
from athanor.client import AsyncClient, ClientError
from athanor.kernel.database.database import Database
from athanor.kernel.errors import AthanorError, NotFoundError
from athanor.kernel.historian.calendar import Step, parse_step
from athanor.kernel.historian.gaps import GapPolicy, parse_gap_policy
from athanor.kernel.historian.port import Span
from athanor.kernel.plant.running import RunningPlant
from athanor.kernel.plant.store import running_plant
from athanor.kernel.settings import Settings
from athanor.kernel.spelling import suggestion
from athanor.kernel.transfer.exporting import Export, FileFormat, write_file
from athanor.kernel.transfer.series import How, Series, Shape, tables_of
from athanor.platform import open_platform

_LENGTH = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LANGUAGE = "en"
_MOST_WIDE = 500  # tags side by side, as far as one question to a server goes

Choice = TypeVar("Choice", bound=StrEnum)
Tables = Callable[[Series], AsyncIterator[pa.Table]]


class BadExportError(AthanorError):
    """What was asked for cannot be exported."""

    code = "export.bad"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Nothing was exported: {reason}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export."""

    patterns: Sequence[str]
    span: Span
    step: Step | None = None
    how: How = How.USUAL
    gaps: GapPolicy | None = None
    shape: Shape = Shape.LONG

    @classmethod
    def of(
        cls,
        patterns: Sequence[str],
        start: str,
        end: str | None = None,
        step: str | None = None,
        *,
        how: str = "usual",
        gaps: str | None = None,
        shape: str = "long",
    ) -> Self:
        """From the words of the command line. Raises BadExportError, UnknownStepError, UnknownGapPolicyError."""
        until = datetime.now(UTC) if end is None else _moment(end)
        length = _length(start)
        since = _moment(start) if length is None else until - length
        if since >= until:
            raise BadExportError(f"the start ({since.isoformat()}) is not before the end ({until.isoformat()}).")
        wanted_step = None if step is None else parse_step(step)
        policy = None if gaps is None else parse_gap_policy(gaps)
        span = Span(since, until)
        return cls(patterns, span, wanted_step, _one_of(How, how, "measure"), policy, _one_of(Shape, shape, "shape"))

    def tags_among(self, paths: Sequence[str]) -> list[str]:
        """The paths that the patterns match, each once. Raises NotFoundError for a pattern that matches none."""
        chosen: dict[str, None] = {}
        for pattern in self.patterns:
            found = [path for path in paths if fnmatchcase(path, pattern)]
            if not found:
                raise NotFoundError("tag", pattern)
            chosen.update(dict.fromkeys(found))
        return list(chosen)

    def series(self, plant: RunningPlant) -> Series:
        """The same of a plant's tags. Raises NotFoundError, BadSeriesError."""
        tags = tuple(plant.model.tag(path) for path in self.tags_among(plant.sorted_paths))
        return Series(tags, self.span, self.step, self.how, self.gaps, shape=self.shape)


async def export_to(file: Path, wanted: Wanted, settings: Settings, console: Console) -> int:
    """Write the file; returns how many rows. What was there before is replaced only by a whole file.

    Raises BadExportError, NotFoundError.
    """
    form = _form(file)
    fresh = file.with_name(f".{file.name}.part")
    columns = (TextColumn("Exporting"), BarColumn(), TextColumn("{task.fields[rows]:,} rows"), TimeRemainingColumn())
    try:
        async with _source(settings) as (plant, tables):
            series = wanted.series(plant)
            with Progress(*columns, console=console, transient=True) as progress:
                task = progress.add_task("", total=1.0, rows=0)
                rows = await write_file(
                    _export(series, form, plant),
                    tables(series),
                    fresh,
                    lambda share, rows: progress.update(task, completed=share, rows=rows),
                )
        await asyncio.to_thread(fresh.replace, file)
    except OSError as error:
        raise BadExportError(f"{file} cannot be written ({error.strerror}).") from error
    except ClientError as error:
        raise BadExportError(str(error)) from error
    finally:
        fresh.unlink(missing_ok=True)
    return rows


def _form(file: Path) -> FileFormat:
    try:
        return FileFormat(file.suffix.removeprefix("."))
    except ValueError:
        endings = ", ".join(f".{form}" for form in FileFormat)
        raise BadExportError(f"{file.name} should end in one of {endings}; the ending chooses the format.") from None


def _export(series: Series, form: FileFormat, plant: RunningPlant) -> Export:
    return Export(
        series=series,
        form=form,
        timezone=plant.model.timezone,
        names={tag.path: tag.name[_LANGUAGE] for tag in series.tags},
        states={tag.path: {number: name[_LANGUAGE] for number, name in tag.states.items()} for tag in series.tags},
    )


@asynccontextmanager
async def _source(settings: Settings) -> AsyncIterator[tuple[RunningPlant, Tables]]:
    """The plant and where its series come from: our running server where one answers, else the data itself."""
    async with session_with(settings) as session:
        if session is not None:
            url = url_of(settings)
            trusted = trust_of(settings)
            async with AsyncClient(url, session=session, timeout_s=120, verify=trusted, trust_env=False) as client:
                yield await _stored_plant(settings), lambda series: _asked(client, series)
            return
    async with open_platform(settings.model_copy(update={"plant_file": None})) as platform:
        plant, historian = platform.plant, platform.historian
        yield plant, lambda series: tables_of(series, historian, plant)


async def _stored_plant(settings: Settings) -> RunningPlant:
    database = Database(settings.database_url)
    try:
        async with database.reading() as session:
            plant = await running_plant(session)
    finally:
        await database.close()
    if plant is None:
        raise BadExportError("the server has no plant yet. Load one first.")
    return plant


async def _asked(client: AsyncClient, series: Series) -> AsyncIterator[pa.Table]:
    """The answer of a running server, in its slices."""
    if series.shape is Shape.WIDE and len(series.tags) > _MOST_WIDE:
        raise BadExportError(
            f"{len(series.tags)} tags do not fit side by side. Take at most {_MOST_WIDE}, or --shape long."
        )
    options = {
        "step": series.step,
        "how": series.how.value if series.step is not None or series.how is How.DELTA else None,
        "gaps": series.gaps,
        "shape": series.shape.value,
    }
    paths = [tag.path for tag in series.tags]
    async for batch in client.batches(paths, series.span.start, series.span.end, **options):
        yield pa.Table.from_batches([batch])


def _one_of(choices: type[Choice], text: str, what: str) -> Choice:
    try:
        return choices(text)
    except ValueError:
        known = [choice.value for choice in choices]
        raise BadExportError(f"{text!r} is no {what}. {suggestion(text, known)}") from None


def _length(text: str) -> timedelta | None:
    match = _LENGTH.fullmatch(text)
    return None if match is None else timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadExportError(
            f"{text!r} is no time; write it like 2026-03-01T06:00+08:00, or a length like 8h."
        ) from None
    if moment.tzinfo is None:
        raise BadExportError(f"{text!r} has no time zone; write it like 2026-03-01T06:00+08:00.")
    return moment
