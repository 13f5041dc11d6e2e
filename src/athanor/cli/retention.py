"""`athanor historian retention`: what has come of age, by the running server or, when none runs, on its data."""

import asyncio
from typing import Any

import httpx
from rich.console import Console

from athanor.cli.accounts import ACTOR
from athanor.cli.historian import RefusedError
from athanor.cli.running import session_with, trust_of, url_of
from athanor.kernel.settings import Settings
from athanor.platform import open_platform

_WITHIN_S = 600.0  # for a look at every file that may have something to go
_ASK_EVERY_S = 0.5
_OVER = ("succeeded", "failed", "cancelled")

Answer = dict[str, Any]


async def due(settings: Settings) -> Answer:
    """What would go by now, as `Due.to_json` says it. Raises RefusedError."""
    async with session_with(settings) as session:
        if session is not None:
            return await _asked(settings, session, "GET", "/api/v1/historian/retention")
    async with open_platform(settings.model_copy(update={"plant_file": None})) as platform:
        return (await platform.storage.due()).to_json()


async def apply(settings: Settings) -> Answer:
    """Let it go: days, samples, bytes and waveforms that went. Raises RefusedError."""
    async with session_with(settings) as session:
        if session is not None:
            job = await _asked(settings, session, "POST", "/api/v1/historian/retention")
            while job["state"] not in _OVER:
                await asyncio.sleep(_ASK_EVERY_S)
                job = await _asked(settings, session, "GET", f"/api/v1/jobs/{job['id']}")
            if job["error"] is not None:
                raise RefusedError(job["error"])
            return dict(job["summary"])
    async with open_platform(settings.model_copy(update={"plant_file": None})) as platform:
        went = await platform.storage.apply(ACTOR)
    return {"days": went.days, "samples": went.samples, "bytes": went.size, "waveforms": went.waveforms}


def show(answer: Answer, console: Console) -> None:
    """What would go, class by class, in words."""

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    for one in answer["classes"]:
        rules, raw, rollups = one["rules"], one["raw"], one["rollups"]
        waveforms = answer["waveforms"][one["name"]]
        span = f", of {raw['days']} days, {raw['oldest']} to {raw['newest']}" if raw["rows"] else ""
        say(f"{one['name']}, {one['tags']:,} tags")
        say(f"  samples   {_kept(rules['raw_days'])}: {_go(raw['rows'], raw['size'])}{span}")
        say(f"  rollups   {_kept(rules['rollup_days'])}: {_go(rollups['rows'], rollups['size'])}")
        say(f"  waveforms {_kept(rules['waveform_days'])}: {_go(waveforms['waveforms'], waveforms['size'])}")
    stays = answer["stays"]
    since = f", since {stays['oldest']}" if stays["oldest"] else ""
    say(f"{stays['rows']:,} samples stay, {stays['size'] / 1e6:,.1f} MB{since}.")
    for name in answer["unreadable"]:
        say(f"{name} cannot be read: nothing of its day goes.")


def _kept(days: int | None) -> str:
    return "kept for ever" if days is None else f"kept for {days} days"


def _go(count: int, size: int) -> str:
    return f"{count:,} go ({size / 1e6:,.1f} MB)" if count else "none go"


async def _asked(settings: Settings, session: str, method: str, address: str) -> Answer:
    async with httpx.AsyncClient(
        base_url=url_of(settings), verify=trust_of(settings), trust_env=False, timeout=_WITHIN_S
    ) as client:
        client.cookies.set("athanor_session", session)
        try:
            answer = await client.request(method, address)
        except httpx.HTTPError as error:
            raise RefusedError(error) from error
    if answer.is_error:
        raise RefusedError(answer.json()["detail"]["message"])
    return dict(answer.json())
