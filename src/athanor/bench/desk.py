"""`athanor bench desk`: the alarm desk with ten thousand standing alarms in a real browser, and event to screen.

A server runs as a process of its own; the samples that raise the alarms come in over its uplink, and Chromium looks at
the desk. An action lasts from the key or click until what the server answered is on the screen. How long an alarm takes
from its source's time stamp to the screen the page itself reports, as it does in a plant.
"""

import asyncio
import json
import random
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from athanor.bench.figures import Figure, Report, at_least, at_most
from athanor.bench.serving import serving, settings_in
from athanor.kernel.alarms.rule import Limit, Priority, Rule, Side, Subject
from athanor.kernel.alarms.rulebook import NEW, RuleBook
from athanor.kernel.identity.user import User
from athanor.kernel.telemetry import Sample, batch_of, encode
from athanor.platform import open_identity, open_platform

STANDING, QUICK_STANDING = 10_000, 2_000
EVENTS, QUICK_EVENTS = 1200, 160  # a quarter of them most urgent: at the top of the list, where one looks
ROUNDS, QUICK_ROUNDS = 10, 3
AREAS = 40
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_WAIT_MS = 120_000
_EDGE = "bench"
_PIECE = 2000  # samples sent at a time
_ADMIN = User(1, "admin", "Admin", ("administrator",))

# Does something and waits until the list has been drawn anew and is on the screen. [ms]
_UNTIL_DRAWN = """([does, argument]) => new Promise((done, failed) => {
  const list = document.querySelector('.ath-desk'), began = performance.now();
  const watch = new MutationObserver(() => {
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  });
  watch.observe(list, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['class', 'aria-rowindex'] });
  setTimeout(() => failed(new Error('nothing was drawn: ' + does)), 30000);
  const type = (text) => {
    const field = document.querySelector('.ath-desk-filters input');
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const choose = (name, value) => {
    const field = document.querySelector(`.ath-desk-filters select[name="${name}"]`);
    field.value = value;
    field.dispatchEvent(new Event('change', { bubbles: true }));
  };
  ({
    priority: () => document.querySelectorAll('.ath-desk-priority')[argument].click(),
    type: () => type(argument),
    group: () => choose('group', argument),
    scroll: () => (document.querySelector('.ath-desk-scroll').scrollTop = argument),
    acknowledge: () => document.querySelector('.ath-desk-line .act button').click(),
  })[does]();
})"""  # noqa: E501


def run(quick: bool, _only: Sequence[str] = ()) -> Report:  # noqa: FBT001 as `Benchmark` calls it
    """Nothing is left behind. Without Playwright or a browser there is no figure, and a note says why."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return Report([], [f"Not measured: none of {', '.join(_BROWSERS)} is installed."])
    try:
        import playwright.async_api  # noqa: F401, PLC0415
    except ImportError:
        return Report([], ["Not measured: Playwright is not installed (pip install playwright)."])
    sizes = (QUICK_STANDING, QUICK_EVENTS, QUICK_ROUNDS) if quick else (STANDING, EVENTS, ROUNDS)
    with tempfile.TemporaryDirectory(prefix="athanor-bench-") as folder:
        return asyncio.run(_run(Path(folder), *sizes, browser))


@dataclass
class _Seen:
    """What was measured. [ms]"""

    opened: float = 0.0
    actions: dict[str, list[float]] = field(default_factory=dict)
    all_acknowledged: float = 0.0
    screens: dict[str, Any] = field(default_factory=dict)


async def _run(folder: Path, standing: int, events: int, rounds: int, browser: str) -> Report:
    settings = settings_in(folder)
    paths = _write_plant(folder / "plant.yaml", standing + events)
    async with open_identity(settings) as identity:
        await identity.accounts.ensure_administrator()
        token = await identity.edges.make(_EDGE)
        session = await identity.sessions.open("admin", actor="benchmark")
    async with open_platform(settings) as platform:
        book = RuleBook(platform.database, lambda: platform.plant)
        for priority in Priority:
            await book.save(_ADMIN, f"bench.p{priority}", _rule(priority), revision=NEW, reason="benchmark")
    seen = _Seen()
    async with serving(folder, settings) as (url, _process):
        cookies = {"athanor_session": session}
        async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60, trust_env=False) as client:
            feed = _Feed(client, token)
            await feed.deliver(paths[:standing])
            await _until_standing(client, standing)
            await _looked_at(url, session, browser, seen, rounds, lambda: feed.one_by_one(_urgent(paths[standing:])))
            answer = await client.get("/api/v1/alarms/screen-times")
            seen.screens = answer.raise_for_status().json()
    return Report(
        _figures(seen, standing), [f"{standing:,} standing alarms in {AREAS} areas; {rounds} of each action."]
    )


def _figures(seen: _Seen, standing: int) -> list[Figure]:
    figures = [at_most(f"desk opened with {standing:,} alarms", seen.opened / 1000, "s", 3.0)]
    for name, took in seen.actions.items():
        figures.append(
            at_most(f"{name}, p95", float(np.percentile(took, 95)), "ms", 200.0, f"p50 {np.median(took):.0f}")
        )
    figures.append(Figure(f"all {standing:,} acknowledged at once", seen.all_acknowledged / 1000, "s"))
    told = f"{seen.screens['measured']} alarms, source time stamp to drawn and reported by the page"
    figures.append(at_most("event to screen p50", seen.screens["p50_s"], "s", 1.0, told))
    figures.append(at_most("event to screen p95", seen.screens["p95_s"], "s", 1.0))
    figures.append(at_most("event to screen p99", seen.screens["p99_s"], "s", 1.0))
    figures.append(at_least("alarms measured", seen.screens["measured"], "", 1.0))
    return figures


class _Feed:
    """The edge: samples over the uplink."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self._client, self._token, self._sequence = client, token, 0

    async def deliver(self, paths: Sequence[str]) -> None:
        """One sample beyond the limit for each tag."""
        for start in range(0, len(paths), _PIECE):
            now = datetime.now(UTC)
            await self._send([Sample(path, now, 150.0) for path in paths[start : start + _PIECE]])

    async def one_by_one(self, paths: Sequence[str]) -> None:
        """One alarm after the other, at times that nothing can be in step with."""
        uneven = random.Random(1)
        for path in paths:
            await self._send([Sample(path, datetime.now(UTC), 150.0)])
            await asyncio.sleep(uneven.uniform(0.05, 0.4))

    async def _send(self, samples: Sequence[Sample]) -> None:
        self._sequence += 1
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/vnd.apache.arrow.stream",
            "X-Athanor-Edge": _EDGE,
            "X-Athanor-Sequence": str(self._sequence),
        }
        answer = await self._client.post("/api/v1/ingest/samples", content=encode(batch_of(samples)), headers=headers)
        answer.raise_for_status()


def _urgent(paths: Sequence[str]) -> list[str]:
    """Those whose alarms come up at the top of the list."""
    return [path for path in paths if path.startswith(f"works{int(Priority.CRITICAL)}.")]


async def _until_standing(client: httpx.AsyncClient, wanted: int) -> None:
    async with asyncio.timeout(_WAIT_MS / 1000):
        while True:
            answer = await client.get("/api/v1/alarms", params={"limit": 1})
            if answer.raise_for_status().json()["total"] >= wanted:
                return
            await asyncio.sleep(0.2)


async def _looked_at(url: str, session: str, browser: str, seen: _Seen, rounds: int, raise_some: Any) -> None:
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        context = await chromium.new_context(viewport={"width": 1440, "height": 900})
        await context.add_cookies([{"name": "athanor_session", "value": session, "url": url}])
        page = await context.new_page()
        page.set_default_timeout(_WAIT_MS)
        began = asyncio.get_running_loop().time()
        await page.goto(f"{url}/alarms")
        await page.wait_for_selector(".ath-desk-line .act button")
        seen.opened = (asyncio.get_running_loop().time() - began) * 1000
        await raise_some()
        for _round in range(rounds):
            for name, does, argument in _ACTIONS:
                await page.wait_for_timeout(400)  # as a person looks at it; the bell rests, too
                took = await page.evaluate(_UNTIL_DRAWN, [does, argument])
                seen.actions.setdefault(name, []).append(float(took))
        seen.all_acknowledged = await _acknowledge_all(page)
        await chromium.close()


# Each round ends as it began: nothing filtered, nothing grouped, at the top.
_ACTIONS = [
    ("show one priority", "priority", 1),
    ("show all priorities again", "priority", 1),
    ("search a word", "type", "machine 4"),
    ("clear the search", "type", ""),
    ("group by area", "group", "area"),
    ("group no more", "group", ""),
    ("scroll to the middle", "scroll", 200_000),
    ("scroll to the top", "scroll", 0),
    ("acknowledge one", "acknowledge", None),
]


async def _acknowledge_all(page: Any) -> float:
    """From the confirmation until nothing waits. [ms]"""
    await page.locator(".ath-desk-all input").check()
    await page.locator(".ath-desk-acts button").first.click()
    confirm = page.locator("dialog[open] button.is-main")
    await confirm.wait_for()
    began = asyncio.get_running_loop().time()
    await confirm.click()
    await page.wait_for_selector(".ath-desk-line.is-calling", state="detached")
    return (asyncio.get_running_loop().time() - began) * 1000


def _rule(priority: Priority) -> Rule:
    return Rule(
        name={"en": "Power high", "zh_CN": "功率高"},
        subject=Subject(tag="power", type="machine", under=f"works{priority}"),
        condition=Limit(side=Side.HIGH, at=100.0, deadband=1.0),
        on_delay_s=0,
        off_delay_s=0,
        priority=priority,
    )


def _write_plant(file: Path, machines: int) -> list[str]:
    """A plant of so many machines in AREAS areas of a works for each priority; returns the paths of their power."""
    name = {"en": "Bench", "zh_CN": "测试"}
    sites: dict[str, dict[str, Any]] = {
        f"works{priority}": {"id": f"works{priority}", "tenant": "bench", "name": name, "areas": []}
        for priority in Priority
    }
    for area in range(AREAS):
        assets = [
            {"id": f"m{number:05}", "name": {"en": f"Machine {number}", "zh_CN": f"机器 {number}"}, "type": "machine"}
            for number in range(area, machines, AREAS)
        ]
        names = {"en": f"Area {area}", "zh_CN": f"区域 {area}"}
        sites[_works(area)]["areas"].append({"id": f"a{area:02}", "name": names, "assets": assets})
    plant = {
        "park": {"id": "bench", "name": name, "timezone": "UTC"},
        "tenants": [{"id": "bench", "name": name}],
        "types": {"machine": {"name": name, "tags": [{"id": "power", "name": name, "unit": "kW"}]}},
        "sites": list(sites.values()),
    }
    file.write_text(json.dumps(plant), encoding="utf-8")  # JSON is YAML
    return [f"{_works(number)}.a{number % AREAS:02}.m{number:05}.power" for number in range(machines)]


def _works(number: int) -> str:
    return f"works{number % AREAS % len(Priority) + 1}"
