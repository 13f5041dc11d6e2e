"""From sample to delivered message through kills at every step: nothing lost, nothing told twice.

What can be in doubt, and is: a kill after the receiver took a message and before that is noted sends it once more, with
the same token and marked as a repetition. ATHANOR_TEST_ALARM_KILLS=200 kills so often.
"""

import asyncio
import multiprocessing
import os
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from athanor.kernel.alarms.rule import Limit, Rule, Side, Subject
from athanor.kernel.alarms.rulebook import NEW
from athanor.kernel.alarms.service import Alarms
from athanor.kernel.alarms.tables import OccurrenceRow
from athanor.kernel.database.database import Database
from athanor.kernel.notify.channelbook import Draft
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import MessageRow, NoticeRow, State
from athanor.kernel.telemetry import Sample, batch_of, encode
from athanor.platform import open_platform

from .running import RunningServer, wait_for
from .surviving import ANNA, STEPS, live, settings_of

KILLS = int(os.environ.get("ATHANOR_TEST_ALARM_KILLS", "16"))
POWER, TEMPERATURE = "smelter.power", "smelter.temperature"
PULSE_S = 2.0  # from one raise of a tag to its next, by the source's clock
DELAY_S = 1.0
WITHIN_S = 60

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["athanor.main"])


@pytest.fixture(autouse=True)
def children_find_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process is to do until it is killed stands in a module of the tests."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))


class Receiver:
    """Takes messages by HTTP, and remembers every one."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.taken: list[dict[str, Any]] = []

    def tokens(self) -> dict[tuple[str, str], set[str]]:
        """By what a message is about: the tokens under which it came."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for one in self.taken:
            found[one["topic"], one["subject"]].add(one["token"])
        return found

    def repeated(self) -> dict[str, int]:
        """Tokens that came more than once."""
        return {token: count for token, count in Counter(one["token"] for one in self.taken).items() if count > 1}


@contextmanager
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taking.taken.append(orjson.loads(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taking = Receiver(server.server_address[1])
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield taking
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Plant:
    """What happens at the machines: pulses above the limit, by the source's clock, and when each must be raised."""

    def __init__(self) -> None:
        self._at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
        self.raised: dict[str, list[datetime]] = {POWER: [], TEMPERATURE: []}

    def pulse(self) -> list[bytes | int]:
        """The next one: batches, and how many messages there must have been before the machine calms down.

        What is over before anybody was told of it is not told any more, so it stands until it was.
        """
        self._at += timedelta(seconds=PULSE_S)
        at = self._at
        self.raised[POWER].append(at)
        self.raised[TEMPERATURE].append(at + timedelta(seconds=DELAY_S))
        told = sum(len(times) for times in self.raised.values())
        on = self._samples((0.0, 4500.0, 1400.0), (DELAY_S, 4500.0, 1400.0))
        off = self._samples((1.1, 100.0, 20.0))
        short = self._samples((1.2, 100.0, 1400.0), (1.5, 100.0, 20.0))  # above the limit, but not for long enough
        return [on, told, off, short]

    def _samples(self, *of: tuple[float, float, float]) -> bytes:
        rows = [(self._at + timedelta(seconds=after), power, temperature) for after, power, temperature in of]
        return encode(batch_of([s for at, p, t in rows for s in (Sample(POWER, at, p), Sample(TEMPERATURE, at, t))]))


class Server:
    """The process that is killed, and what is still to be delivered to it."""

    def __init__(self, folder: Path, database_url: str | None) -> None:
        self._folder = folder
        self._database_url = database_url
        self._process: BaseProcess | None = None
        self._give: Connection | None = None
        self._hear: Connection | None = None
        self._waiting: list[bytes | int] = []

    def start(self, step: str | None = None, nth: int = 1) -> bool:
        """Whether it lived until it was ready; else it was killed on the way, as it should be."""
        take, self._give = _processes.Pipe(duplex=False)
        self._hear, say = _processes.Pipe(duplex=False)
        arguments = (str(self._folder), self._database_url, step, nth, take, say)
        self._process = _processes.Process(target=live, args=arguments)
        self._process.start()
        take.close()
        say.close()
        return self._heard() == "ready"

    def deliver(self, wanted: list[bytes | int], taken: Receiver) -> bool:
        """As an edge does: keep what is not acknowledged, and send it again. False when the server is gone."""
        self._waiting += wanted
        while self._waiting:
            one = self._waiting[0]
            if not (self._is_told(one, taken) if isinstance(one, int) else self._is_stored(one)):
                return False
            self._waiting.pop(0)
        return True

    def _is_stored(self, batch: bytes) -> bool:
        assert self._give is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            self._give.send(batch)
        return self._heard() == "stored"

    def _is_told(self, count: int, taken: Receiver) -> bool:
        process = self._process
        assert process is not None
        wait_for(lambda: len(taken.tokens()) >= count or not process.is_alive(), f"{count} messages", WITHIN_S)
        return len(taken.tokens()) >= count

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.join()

    def end(self) -> None:
        """As told to stop."""
        assert self._give is not None
        assert self._process is not None
        self._give.send(None)
        assert self._heard() == "ended"
        self._process.join(WITHIN_S)

    def _heard(self) -> str | None:
        """None when it is gone."""
        assert self._hear is not None
        assert self._process is not None
        try:
            assert self._hear.poll(WITHIN_S), "the server says nothing"
            return str(self._hear.recv())
        except (EOFError, ConnectionResetError):
            self._process.join()
            assert self._process.exitcode == -9, f"it ended by itself: {self._process.exitcode}"
            return None


async def prepared(folder: Path, database_url: str | None, url: str) -> None:
    """Rules with and without a delay, and a channel that everything raised goes to."""
    async with open_platform(settings_of(folder, database_url)) as platform:
        alarms, notify = platform.ports["alarms"], platform.ports["notify"]
        assert isinstance(alarms, Alarms)
        assert isinstance(notify, Notify)
        for key, tag, at, delay_s in (("power", POWER, 4000.0, 0.0), ("temperature", TEMPERATURE, 1300.0, DELAY_S)):
            condition = Limit(side=Side.HIGH, at=at, deadband=0)
            rule = Rule(
                name={"en": key}, subject=Subject(tag=tag), condition=condition, on_delay_s=delay_s, off_delay_s=0
            )
            await alarms.rules.save(ANNA, key, rule, revision=NEW, reason="test", tenant="copper")
        channel = await notify.channels.add(
            ANNA, Draft("webhook", "receiver", {"url": url, "at_once": 8, "per_minute": 6000})
        )
        policy = Policy.model_validate(
            {
                "name": {"en": "all"},
                "match": {"topics": ["alarms.raised"]},
                "steps": [{"to": [{"kind": "address", "channel": channel}]}],
                "limit": {"most": 10_000, "per_min": 1},
            }
        )
        await notify.policies.add(ANNA, policy)
        await platform.runner.step()  # from here on alarms are judged: what comes later is not what was before


async def what_became(database_url: str) -> tuple[dict[str, list[datetime]], int, list[tuple[str, str, str]]]:
    """Raise times by path, messages that have still to go out, and of each message topic, subject and token."""
    database = Database(database_url)
    try:
        async with database.reading() as session:
            raised: dict[str, list[datetime]] = {POWER: [], TEMPERATURE: []}
            query = select(OccurrenceRow.path, OccurrenceRow.raised_at).order_by(OccurrenceRow.raised_at)
            for path, at in await session.execute(query):
                raised[path].append(at)
            unrouted = (await session.scalars(select(NoticeRow.id).where(NoticeRow.routed_at.is_(None)))).all()
            messages = select(NoticeRow.topic, NoticeRow.subject, MessageRow.token, MessageRow.state)
            messages = messages.join(NoticeRow, NoticeRow.id == MessageRow.notice_id)
            rows = (await session.execute(messages.where(MessageRow.recipient == ""))).all()
            open_ = [row for row in rows if row.state != State.SENT]
            return raised, len(unrouted) + len(open_), [(row.topic, row.subject, row.token) for row in rows]
    finally:
        await database.close()


def rounds() -> Iterator[tuple[str | None, int, int]]:
    """Where to kill, at the how many-th time, and after how many pulses at the latest."""
    chance = random.Random(5)
    steps = list(STEPS)
    for number in range(KILLS):
        yield steps[number % len(steps)], chance.randint(1, 3 + number // len(steps)), chance.randint(3, 8)


def kept_and_delivered(plant: Plant, database_url: str, taken: Receiver) -> None:
    """Wait until all is delivered; then every raise is there once, with one token."""

    def is_done() -> bool:
        raised, left, _ = asyncio.run(what_became(database_url))
        return left == 0 and {path: len(times) for path, times in raised.items()} == {
            path: len(times) for path, times in plant.raised.items()
        }

    wait_for(is_done, "everything is raised and delivered", WITHIN_S)
    raised, _, messages = asyncio.run(what_became(database_url))
    assert raised == plant.raised
    tokens = taken.tokens()
    assert all(len(some) == 1 for some in tokens.values())
    assert {(topic, subject): {token} for topic, subject, token in messages} == tokens
    assert len(tokens) == sum(len(times) for times in plant.raised.values())


def test_every_raise_is_kept_once_and_told_under_one_token_wherever_the_server_is_killed(tmp_path: Path) -> None:
    with receiver() as taken:
        asyncio.run(prepared(tmp_path, None, taken.url))
        url = settings_of(tmp_path, None).database_url
        plant, server, kills, come_to = Plant(), Server(tmp_path, None), 0, set[str]()
        try:
            for step, nth, most in rounds():
                is_alive = server.start(step, nth)
                for _ in range(most if is_alive else 0):
                    is_alive = is_alive and server.deliver(plant.pulse(), taken)
                if not is_alive and step is not None:
                    come_to.add(step)
                server.kill()
                kills += 1
            assert server.start()
            assert server.deliver(plant.pulse(), taken)
            kept_and_delivered(plant, url, taken)
            server.end()
        finally:
            server.kill()
        in_doubt = taken.repeated()
        assert kills == KILLS
        assert come_to == set(list(STEPS)[:KILLS])
        assert len(in_doubt) <= 2 * KILLS  # both tags of the pulse that was going on
        assert all(one["is_repeat"] for token in in_doubt for one in [_last(taken, token)])


def _last(taken: Receiver, token: str) -> dict[str, Any]:
    return [one for one in taken.taken if one["token"] == token][-1]


def test_two_servers_on_one_database_raise_each_alarm_once_and_deliver_each_message_once(
    tmp_path: Path, postgresql_url: str
) -> None:
    """Both are handed every sample, as by an edge that delivers to both; one is killed amid it and comes back."""
    with receiver() as taken:
        asyncio.run(prepared(tmp_path / "one", postgresql_url, taken.url))
        plant, pulses = Plant(), 6
        servers = [Server(tmp_path / name, postgresql_url) for name in ("one", "two")]
        try:
            assert all(server.start() for server in servers)
            for number in range(pulses):
                pulse = plant.pulse()
                for part in pulse:
                    assert all(server.deliver([part], taken) for server in servers)
                if number == pulses // 2:
                    servers[0].kill()
                    assert servers[0].start()
            kept_and_delivered(plant, postgresql_url, taken)
            assert len(taken.repeated()) <= 2  # on their way when the one was killed
            for server in servers:
                server.end()
        finally:
            for server in servers:
                server.kill()


def test_a_real_server_that_is_killed_goes_on_where_it_was(own_server: RunningServer) -> None:
    """`athanor serve` itself, its samples by HTTP as an edge sends them, and its alarms asked for by nobody."""
    with receiver() as taken:
        own_server.environment["ATHANOR_ALARMS__LATE_AFTER_S"] = "86400"
        asyncio.run(prepared(own_server.folder, None, taken.url))
        plant = Plant()
        own_server.start()
        try:
            for _ in range(2):
                on, told, off, short = plant.pulse()
                assert isinstance(on, bytes)
                assert isinstance(told, int)
                assert own_server.post(on).is_success
                own_server.kill()
                own_server.start()
                wait_for(lambda least=told: len(taken.tokens()) >= least, "both are told of", WITHIN_S)
                for batch in (off, short):
                    assert isinstance(batch, bytes)
                    assert own_server.post(batch).is_success
            kept_and_delivered(plant, own_server.settings.database_url, taken)
        finally:
            own_server.end()
