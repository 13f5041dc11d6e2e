"""`athanor import`: a file of history into the running server, or into its data at rest."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import httpx
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table

from athanor.cli.accounts import ACTOR
from athanor.cli.running import session_with, trust_of, url_of
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.user import User
from athanor.kernel.jobs.port import Progress
from athanor.kernel.settings import Settings
from athanor.kernel.transfer.errors import BadPlanError
from athanor.kernel.transfer.imports import Imports
from athanor.kernel.transfer.plan import merged_content, plan_of
from athanor.kernel.transfer.reporting import REASONS
from athanor.kernel.transfer.series import Shape
from athanor.platform import open_platform
from athanor.web.sessions import COOKIE

_LOOK_EVERY_S = 0.3
_SHOWN = 20  # columns and names that are listed
_PIECE_BYTES = 1 << 20

Content = Mapping[str, Any]
Told = Callable[[float | None, int], None]  # share done, rows read


class ImportFailedError(AthanorError):
    """A server did not take an import, or did not finish it."""

    code = "import.failed"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to import, and how.

    Parameters
    ----------
    plan
        Parts of a plan that are decided; the rest is as found.
    tags
        Which tag a column, or a name within a long file, is.
    units
        In which unit a column or name comes; under the empty name, all those without one of their own.
    """

    file: Path
    plan: Content
    tags: Mapping[str, str]
    units: Mapping[str, str]
    is_trial: bool
    report: Path | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a file seems to be, as the API's preview answers it."""

    plan: Content
    columns: Sequence[str]
    names: Sequence[str]  # of columns, or within a long file
    questions: Sequence[str]


class Door(Protocol):
    """Where a file is imported."""

    async def examine(self, over: Content) -> Found:
        """What the file seems to be, with what was decided."""

    async def carry_out(self, over: Content, told: Told, *, is_trial: bool, report: Path | None) -> Content:
        """Do it; the summary of what came of it. Raises ImportFailedError and the errors of imports."""


async def import_from(wanted: Wanted, settings: Settings, console: Console) -> Content:
    """Import a file, and print what is done; returns the summary.

    Raises BadFileError, BadPlanError, ImportFailedError.
    """
    if not wanted.file.is_file():
        raise BadPlanError(f"there is no file {wanted.file}.")
    with _bar(console) as bar:
        async with _door(wanted.file, settings, _telling(bar, f"Sending {wanted.file.name}")) as door:
            over = _with_flags(wanted, await door.examine(wanted.plan))
            _print_plan(await door.examine(over), console)
            what = "Trying" if wanted.is_trial else "Importing"
            told = _telling(bar, f"{what} {wanted.file.name}")
            return await door.carry_out(over, told, is_trial=wanted.is_trial, report=wanted.report)


def print_summary(summary: Content, console: Console) -> None:
    """What an import, or its trial, came to."""
    done = "could be stored" if summary["is_trial"] else "stored"
    samples = summary["samples"] if summary["is_trial"] else summary["stored"]
    console.print(f"{summary['rows']:,} rows read; {samples:,} samples of {summary['tags']:,} tags {done}.")
    if summary["first"] is not None:
        console.print(f"From {summary['first']} to {summary['last']}.")
    for reason, count in sorted(summary["refused"].items(), key=lambda one: -one[1]):
        example = next(iter(summary["examples"].get(reason, [])), None)
        such = "" if example is None else f" Row {example['row']}: {example['value'] or example['time']}"
        console.print(f"{count:,} refused, {reason}: {REASONS.get(reason, '')}{such}", markup=False, soft_wrap=True)


def pairs_of(texts: Sequence[str], option: str) -> dict[str, str]:
    """`COLUMN=VALUE` as given on the command line; a value alone is under the empty name. Raises BadPlanError."""
    pairs: dict[str, str] = {}
    for text in texts:
        name, sign, value = text.rpartition("=")
        if not value or (sign and not name) or (option == "--tag" and not sign):
            raise BadPlanError(f"{option} {text!r} should be COLUMN=VALUE.")
        pairs[name] = value
    return pairs


def _with_flags(wanted: Wanted, found: Found) -> dict[str, Any]:
    """The decisions with the tags and units of the command line, where this file has them."""
    is_long = found.plan["shape"] == Shape.LONG.value
    known = found.names if is_long else found.columns
    chosen: dict[str, dict[str, Any]] = {name: {"tag": tag} for name, tag in wanted.tags.items()}
    mapped = found.plan.get("long", {}).get("names", {}) if is_long else found.plan.get("columns", {})
    for name, unit in wanted.units.items():
        for one in [name] if name else {*mapped, *chosen} - wanted.units.keys():
            chosen[one] = {**mapped.get(one, {}), **chosen.get(one, {}), "unit": unit}
    for name, choice in chosen.items():
        if not is_long and name not in known:
            raise BadPlanError(f"the file has no column {name!r}; it has {', '.join(known)}.")
        if "tag" not in choice:
            raise BadPlanError(f"a unit is given for {name!r}, but no tag. Say which it is with --tag {name}=PATH.")
    place = {"long": {"names": chosen}} if is_long else {"columns": chosen}
    return merged_content(wanted.plan, place) if chosen else dict(wanted.plan)


def _print_plan(found: Found, console: Console) -> None:
    plan = found.plan
    time = plan["time"]
    columns = " and ".join(time.get("columns", ())) or "?"
    console.print(
        f"A {plan['shape']} table; time in {columns} ({time.get('layout', '?')}, {time['zone']}).", markup=False
    )
    mapped = plan.get("columns", {}) if plan["shape"] == Shape.WIDE.value else plan.get("long", {}).get("names", {})
    if mapped:
        table = Table("in the file", "tag", "unit")
        for name, choice in list(mapped.items())[:_SHOWN]:
            table.add_row(name, choice["tag"], choice.get("unit") or "")
        console.print(table)
    left_out = [name for name in found.columns if name not in mapped and name not in time.get("columns", ())]
    if plan["shape"] == Shape.WIDE.value and left_out:
        console.print(f"Not imported: {', '.join(left_out[:_SHOWN])}.", markup=False, soft_wrap=True)


def _bar(console: Console) -> Bar:
    return Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]}"),
        console=console,
        transient=True,
    )


def _telling(bar: Bar, description: str) -> Told:
    """Moves a line of the bar, which is there once something is told."""
    task = bar.add_task(description, total=1.0, rows="", visible=False)

    def told(share: float | None, rows: int) -> None:
        bar.update(
            task, completed=share or 0.0, rows=f"{rows:,} rows" if rows else "", visible=share is None or share < 1
        )

    return told


@asynccontextmanager
async def _door(file: Path, settings: Settings, sending: Told) -> AsyncIterator[Door]:
    """Our running server where one answers, else the data itself."""
    async with session_with(settings) as session:
        if session is not None:
            async with httpx.AsyncClient(
                base_url=url_of(settings),
                cookies={COOKIE: session},
                verify=trust_of(settings),
                trust_env=False,
                timeout=120,
            ) as client:
                yield await _Server.sent(client, file, sending)
            return
    async with open_platform(settings.model_copy(update={"plant_file": None})) as platform:
        with tempfile.TemporaryDirectory(prefix="athanor-import-") as folder:
            yield _Data(cast("Imports", platform.ports["imports"]), file, Path(folder))


class _Server:
    """A running server, asked over its REST routes."""

    def __init__(self, client: httpx.AsyncClient, upload: str) -> None:
        self._client = client
        self._upload = upload

    @classmethod
    async def sent(cls, client: httpx.AsyncClient, file: Path, told: Told) -> "_Server":
        """Send the file first."""
        size = max((await asyncio.to_thread(file.stat)).st_size, 1)

        async def parts() -> AsyncIterator[bytes]:
            done = 0
            with file.open("rb") as source:
                while part := await asyncio.to_thread(source.read, _PIECE_BYTES):
                    yield part
                    done += len(part)
                    told(done / size, 0)

        answer = await client.post("/api/v1/imports/files", params={"name": file.name}, content=parts())
        return cls(client, _checked(answer)["file"])

    async def examine(self, over: Content) -> Found:
        """See `Door`."""
        answer = await self._client.post("/api/v1/imports/preview", json={"file": self._upload, "plan": over})
        found = _checked(answer)
        names = [match["name"] for match in found["matches"]]
        return Found(found["plan"], found["columns"], names, found["questions"])

    async def carry_out(self, over: Content, told: Told, *, is_trial: bool, report: Path | None) -> Content:
        """See `Door`."""
        wish = {"file": self._upload, "plan": over, "trial": is_trial}
        job = _checked(await self._client.post("/api/v1/imports", json=wish))
        address = f"/api/v1/jobs/{job['id']}"
        try:
            while job["ended_at"] is None:
                await asyncio.sleep(_LOOK_EVERY_S)
                job = _checked(await self._client.get(address))
                told(job["fraction"], job["rows"] or 0)
        except BaseException:
            with suppress(httpx.HTTPError):
                await asyncio.shield(self._client.delete(address))
            raise
        if report is not None and job["file"] is not None:
            await asyncio.to_thread(report.write_bytes, (await self._client.get(job["file"])).content)
        if job["state"] != "succeeded":
            raise ImportFailedError(job["error"] or "The import was cancelled. What it had stored until then stays.")
        summary: Content = job["summary"]
        return summary


class _Data:
    """The data of a server that does not run."""

    def __init__(self, imports: Imports, file: Path, folder: Path) -> None:
        self._imports = imports
        self._name = file.name
        self._folder = folder
        self._path = folder / "file"  # what is made of it on the way lies beside it
        self._path.symlink_to(file.absolute())
        self._viewer = User(0, ACTOR, ACTOR, ("administrator",))

    async def examine(self, over: Content) -> Found:
        """See `Door`."""
        found = await self._imports.examine_file(self._path, self._name, self._viewer, over)
        return Found(found.content, found.names, list(found.matches), found.questions)

    async def carry_out(self, over: Content, told: Told, *, is_trial: bool, report: Path | None) -> Content:
        """See `Door`."""
        examined = await self._imports.examine_file(self._path, self._name, self._viewer, over)
        self._imports.plan(examined)  # says what is still open
        progress = Progress(self._folder)
        work = self._imports.import_file(
            self._path,
            self._name,
            self._viewer,
            examined,
            plan_of(examined.content),
            progress,
            is_trial=is_trial,
            reasons={},
        )
        result = await _watched(work, progress, told)
        if report is not None and result.file is not None:
            await asyncio.to_thread(shutil.copyfile, result.file, report)
        summary: Content = result.summary
        return summary


async def _watched(work: Awaitable[Any], progress: Progress, told: Told) -> Any:
    """The work's answer, told about while it goes on."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait([task], timeout=_LOOK_EVERY_S))[0]:
            told(progress.fraction, progress.rows or 0)
    except BaseException:
        progress.cancel()
        await asyncio.wait([task])
        raise
    return task.result()


def _checked(answer: httpx.Response) -> Any:
    """The answer's content. Raises ImportFailedError with what the server says."""
    if answer.is_success:
        return answer.json()
    try:
        detail = answer.json()["detail"]
        reason = detail["message"] if isinstance(detail, dict) else str(detail)
    except (ValueError, KeyError, TypeError):
        reason = f"The server answered {answer.status_code}: {answer.text:.300}"
    raise ImportFailedError(reason)
