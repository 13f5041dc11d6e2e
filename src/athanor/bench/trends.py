"""`athanor bench trends`: how long a person waits for a chart of two months, in a real browser.

A server runs as a process of its own on a history of 60 days, and Chromium looks at it: eight tags on the trends page,
zoomed and moved by keys. A redraw lasts from the key until the lines that the server answered with are on the screen.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from athanor.bench.figures import Figure, Report, at_most
from athanor.bench.serving import serving, settings_in
from athanor.kernel.historian.port import STORED, microseconds
from athanor.kernel.plant.model import TagId
from athanor.kernel.telemetry import TIME
from athanor.platform import Platform, open_identity, open_platform

DAYS, QUICK_DAYS = 60, 6
SHOWN = 8  # tags of the chart, at 1 Hz
SLOW = 192  # tags beside them, one sample a minute
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WAIT_MS = 60_000
# Into the last hour and out again, with some moves on the way: each is one redraw.
_KEYS = ["+"] * 10 + ["ArrowLeft", "ArrowRight"] + ["-"] * 10 + ["ArrowLeft"] * 4 + ["+"] * 3 + ["ArrowRight"] * 4

# Presses a key and waits until an answer of the server that came after it has been drawn and put on the screen.
_REDRAW = """(key) => new Promise((done) => {
  const chart = document.querySelector('.ath-trend'), canvas = document.querySelector('.ath-trend-canvas');
  const before = Number(chart.dataset.drawn), began = performance.now();
  const watch = new MutationObserver(() => {
    if (Number(chart.dataset.drawn) <= before) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watch.observe(chart, { attributes: true, attributeFilter: ['data-drawn'] });
  canvas.focus();
  canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
})"""


def run(quick: bool, _only: Sequence[str] = ()) -> Report:  # noqa: FBT001 as `Benchmark` calls it
    """Nothing is left behind. Without Playwright or a browser there is no figure, and a note says why."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return Report([], [f"Not measured: none of {', '.join(_BROWSERS)} is installed."])
    try:
        import playwright.async_api  # noqa: F401, PLC0415
    except ImportError:
        return Report([], ["Not measured: Playwright is not installed (pip install playwright)."])
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as folder:
        return asyncio.run(_run(Path(folder), QUICK_DAYS if quick else DAYS, browser))


async def _run(folder: Path, days: int, browser: str) -> Report:
    settings = settings_in(folder)
    paths = _write_plant(folder / "plant.yaml")
    async with open_platform(settings) as platform:
        rows = await _write_history(platform, paths, days)
    async with open_identity(settings) as identity:
        await identity.accounts.ensure_administrator()
        session = await identity.sessions.open("admin", actor="benchmark")
    async with serving(folder, settings) as (url, _):
        opened_ms, redraws_ms = await _looked_at(url, session, paths[:SHOWN], days, browser)
    redraws = np.array(redraws_ms)
    beside = f"{len(redraws)} zooms and moves, from {days} days to an hour"
    return Report(
        [
            Figure("page opened until the chart is drawn", opened_ms, "ms"),
            at_most("redraw p50", float(np.median(redraws)), "ms", 300.0, beside),
            at_most("redraw p95", float(np.percentile(redraws, 95)), "ms", 300.0, beside),
            Figure("redraw, slowest", float(redraws.max()), "ms"),
        ],
        [f"{rows:,} samples: {SHOWN} tags at 1 Hz in the chart and {SLOW} at one a minute, {days} days."],
    )


async def _looked_at(
    url: str, session: str, paths: Sequence[str], days: int, browser: str
) -> tuple[float, list[float]]:
    """How long the page took to open with its chart, and each redraw after it. [ms]"""
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        context = await chromium.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies([{"name": "athanor_session", "value": session, "url": url}])
        page = await context.new_page()
        end = datetime.now(UTC) - timedelta(minutes=1)
        span = {"from": (end - timedelta(days=days)).isoformat(), "to": end.isoformat()}
        address = f"{url}/trends?tags={','.join(paths)}&" + "&".join(f"{key}={_plain(at)}" for key, at in span.items())
        began = asyncio.get_running_loop().time()
        await page.goto(address)
        await page.wait_for_selector(".ath-trend[data-drawn]:not([data-drawn='0'])", timeout=_WAIT_MS)
        opened_ms = (asyncio.get_running_loop().time() - began) * 1000
        redraws = []
        for key in _KEYS:
            await page.wait_for_timeout(300)  # as a person looks at it
            redraws.append(await _redraw(page, key))
        await chromium.close()
        return opened_ms, redraws


async def _redraw(page: Any, key: str) -> float:
    """How long one took. [ms]"""
    return float(await page.evaluate(_REDRAW, key))


def _plain(at: str) -> str:
    return at.replace("+00:00", "Z")


def _write_plant(file: Path) -> list[str]:
    """A plant of one machine; returns the tags' paths, those that are shown first."""
    name = {"en": "Bench", "zh_CN": "测试"}
    tags = [
        {"id": f"t{number:03}", "name": name, "unit": "kW", "period_s": 1 if number < SHOWN else 60}
        for number in range(SHOWN + SLOW)
    ]
    plant = {
        "park": {"id": "bench", "name": name, "timezone": "Asia/Shanghai"},
        "tenants": [{"id": "bench", "name": name}],
        "types": {"machine": {"name": name, "tags": tags}},
        "sites": [
            {"id": "works", "tenant": "bench", "name": name, "assets": [{"id": "m", "name": name, "type": "machine"}]}
        ],
    }
    file.write_text(json.dumps(plant), encoding="utf-8")  # JSON is YAML
    return [f"works.m.{tag['id']}" for tag in tags]


async def _write_history(platform: Platform, paths: Sequence[str], days: int) -> int:
    """Days of history up to now, sealed and rolled up as the running server does it; returns how many samples."""
    ids = [platform.plant.id_of(path) for path in paths]
    rows = 0
    for day in _days(ids, days):
        await platform.historian.import_history(day)
        rows += day.num_rows
    await platform.historian.compact_now()
    await platform.historian.roll_up_now()
    return rows


def _days(ids: Sequence[TagId], days: int) -> Iterator[pa.Table]:
    rng = np.random.default_rng(1)
    first_us = microseconds(datetime.now(UTC).replace(microsecond=0) - timedelta(days=days))
    for day in range(days):
        parts = []
        for number, tag in enumerate(ids):
            period_s = 1 if number < SHOWN else 60
            second = day * 86_400 + np.arange(0, 86_400, period_s)
            value = 1000 + 300 * np.sin(second / 40_000 + number) + rng.normal(0, 5, len(second))
            parts.append((np.full(len(second), tag, np.int32), first_us + second * 1_000_000, value.round(1)))
        tags, time_us, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        nothing, good = pa.nulls(len(tags), pa.string()), pa.array(np.zeros(len(tags), np.uint8))
        yield pa.table([pa.array(tags), pa.array(time_us).cast(TIME), pa.array(value), nothing, good], schema=STORED)
