"""`athanor historian`: the files of samples looked after, by the running server or, when none runs, on its data."""

from typing import Any

import httpx
from pydantic import BaseModel
from rich.console import Console

from athanor.api.historian import PUT_BACK, SET_ASIDE, DamagedAnswer, SetAsideAnswer
from athanor.cli.accounts import ACTOR
from athanor.cli.running import session_with, trust_of, url_of
from athanor.kernel.errors import AthanorError
from athanor.kernel.identity.audit import record
from athanor.kernel.settings import Settings
from athanor.platform import Platform, open_platform

_WITHIN_S = 24 * 3600.0  # a check reads everything


class RefusedError(AthanorError):
    """The running server did not do it."""

    code = "cli.refused"

    def __init__(self, reason: object) -> None:
        super().__init__(f"The running server refused: {reason}")


class Check(BaseModel):
    """What is wrong with the files of samples."""

    damaged: list[DamagedAnswer]
    aside: list[SetAsideAnswer]


async def check(settings: Settings) -> Check:
    """Read every file of samples; returns those that cannot be read, and those that are set aside."""
    async with session_with(settings) as session:
        if session is not None:
            return Check(
                damaged=await _asked(settings, session, "GET", "damaged"),
                aside=await _asked(settings, session, "GET", "set-aside"),
            )
    async with _at_rest(settings) as platform:
        return Check(
            damaged=[DamagedAnswer.of(error) for error in await platform.historian.damaged_files()],
            aside=[SetAsideAnswer.of(file) for file in await platform.historian.files_set_aside()],
        )


async def set_aside(settings: Settings, file: str) -> str:
    """Do without a damaged file; returns its name. Raises NotFoundError, NotDamagedError, RefusedError."""
    async with session_with(settings) as session:
        if session is not None:
            return str((await _asked(settings, session, "POST", "set-aside", {"file": file}))["name"])
    async with _at_rest(settings) as platform:
        return await _noted(platform, SET_ASIDE, await platform.historian.set_aside(file))


async def put_back(settings: Settings, file: str) -> str:
    """Take a file back; returns its name. Raises NotFoundError, DamagedFileError, RefusedError."""
    async with session_with(settings) as session:
        if session is not None:
            return str((await _asked(settings, session, "POST", "put-back", {"file": file}))["name"])
    async with _at_rest(settings) as platform:
        return await _noted(platform, PUT_BACK, await platform.historian.put_back(file))


def show(found: Check, console: Console) -> None:
    """A line for each file."""
    for damaged in found.damaged:
        console.print(f"damaged    {damaged.path}: {damaged.reason}", markup=False, soft_wrap=True)
    for file in found.aside:
        span = f"{file.least.get('time')} to {file.greatest.get('time')}"
        missing = f"{file.rows:,} samples from {span} are missing"
        console.print(f"set aside  {file.name} ({file.at}): {missing}", markup=False, soft_wrap=True)
    if not found.damaged and not found.aside:
        console.print("Every file of samples can be read, and none is set aside.")


def _at_rest(settings: Settings) -> Any:
    return open_platform(settings.model_copy(update={"plant_file": None}))


async def _noted(platform: Platform, action: str, name: str) -> str:
    async with platform.database.session() as session:
        record(session, ACTOR, action, name)
    return name


async def _asked(settings: Settings, session: str, method: str, what: str, body: dict[str, str] | None = None) -> Any:
    async with httpx.AsyncClient(
        base_url=url_of(settings), verify=trust_of(settings), trust_env=False, timeout=_WITHIN_S
    ) as client:
        client.cookies.set("athanor_session", session)
        try:
            answer = await client.request(method, f"/api/v1/historian/{what}", json=body)
        except httpx.HTTPError as error:
            raise RefusedError(error) from error
    if answer.is_error:
        raise RefusedError(answer.json()["detail"]["message"])
    return answer.json()
