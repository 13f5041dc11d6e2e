"""Delivers what the buffer holds to the server: oldest first, until each batch is acknowledged."""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

import httpx
import structlog

from athanor.edge.buffer import Buffer, BufferUnwritableError, StoredBatch
from athanor.edge.collector import merged
from athanor.edge.config import UplinkConfig
from athanor.kernel.telemetry import MalformedBatchError, decode, encode

log = structlog.get_logger(__name__)

MERGE_ROWS = 100_000  # at most in one request that joins several batches
MERGE_BYTES = 8_000_000
_LARGE_ROWS = 20_000  # a batch this large goes as it is: nothing is gained by decoding it
_LONGEST_WAIT_S = 10.0
_REFUSED_WAIT_S = 30.0
_CONTENT_TYPE = "application/vnd.apache.arrow.stream"


class Answer(Enum):
    """What a request came to."""

    STORED = auto()  # durable: forget the batch
    UNSTORABLE = auto()  # no repetition will help this batch: set it aside
    REFUSED = auto()  # the server does not let this edge in, or is not Athanor: keep, ask again now and then
    UNAVAILABLE = auto()  # no answer, or not now: keep, ask again soon


@dataclass(frozen=True, slots=True)
class Package:
    """One request's worth: consecutive batches of the buffer."""

    batches: tuple[StoredBatch, ...]
    body: bytes

    @property
    def rows(self) -> int:
        return sum(batch.rows for batch in self.batches)

    @property
    def last(self) -> int:
        return self.batches[-1].sequence


def pack(batches: list[StoredBatch]) -> Package:
    """The first of these batches, joined with as many of the following as one request should carry.

    A single batch goes as it is stored, byte for byte. One that does not decode goes alone: the server will say so.
    """
    joined = batches[:1]
    rows = batches[0].rows
    for batch in batches[1:]:
        if rows >= _LARGE_ROWS or rows + batch.rows > MERGE_ROWS:
            break
        joined.append(batch)
        rows += batch.rows
    if len(joined) == 1:
        return Package(tuple(joined), joined[0].body)
    try:
        return Package(tuple(joined), encode(merged([decode(batch.body) for batch in joined])))
    except MalformedBatchError:
        return Package((joined[0],), joined[0].body)


class Uplink:
    """The only reader of the buffer. A batch leaves the buffer only when the server has it, or can never take it."""

    def __init__(
        self,
        config: UplinkConfig,
        buffer: Buffer,
        *,
        edge: str,
        token: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._config = config
        self._buffer = buffer
        self._edge = edge
        self._sleep = sleep
        self._client = httpx.AsyncClient(
            base_url=config.url,
            headers={"Authorization": f"Bearer {token}", "X-Athanor-Edge": edge},
            timeout=config.timeout_s,
            verify=_trust(config.ca_file),
            trust_env=False,  # a proxy in the environment is not meant for the plant's own network
        )
        self._trouble: Answer | None = None
        self._acknowledged: list[int] = []  # by the server; still in the buffer while its disk is full
        self._progress = asyncio.Event()
        self.delivered_rows = 0
        self.in_trouble = asyncio.Event()  # set while the server's last answer was none, or a refusal

    async def run(self) -> None:
        """Deliver until cancelled. While one package is under way, the next is read and joined."""
        upcoming = asyncio.create_task(self._next(after=0))
        try:
            while True:
                package = await upcoming
                upcoming = asyncio.create_task(self._next(after=package.last))
                started_at = time.monotonic()
                await self._deliver(package)
                await self._keep_to_rate(package.rows, time.monotonic() - started_at)
        finally:
            upcoming.cancel()

    async def drain(self) -> None:
        """Wait until the buffer is empty; `run` must be running."""
        while (await self._buffer.backlog()).batches:
            self._progress.clear()
            await self._progress.wait()

    async def report(self, status: dict[str, object]) -> None:
        """Post the edge's state; a lost report does not matter, the next one comes soon."""
        try:
            await self._client.post("/api/v1/ingest/status", json=status, timeout=5.0)
        except httpx.HTTPError as error:
            log.debug("uplink.status-not-sent", reason=str(error))

    async def close(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()

    async def _next(self, after: int) -> Package:
        """The oldest package behind `after`; waits until there is one."""
        while True:
            self._buffer.arrived.clear()
            try:
                batches = await self._buffer.read(after, MERGE_ROWS, MERGE_BYTES)
            except BufferUnwritableError as error:
                self._say(Answer.UNAVAILABLE, str(error))
                await self._sleep(_LONGEST_WAIT_S)
                continue
            if batches:
                return await asyncio.to_thread(pack, batches)
            await self._buffer.arrived.wait()

    async def _deliver(self, package: Package) -> None:
        """Send a package until the server has it, or parts of it are set aside."""
        failures = 0
        while True:
            answer, said = await self._post(package)
            self._say(answer, said)
            if answer is Answer.STORED:
                self.delivered_rows += package.rows
                await self._forget(package)
                return
            if answer is Answer.UNSTORABLE:
                await self._part(package, said)
                return
            failures += 1
            await self._sleep(_REFUSED_WAIT_S if answer is Answer.REFUSED else back_off_s(failures))

    async def _forget(self, package: Package) -> None:
        """Remove what is delivered. Where the disk is full even for that, it goes with a later package."""
        self._acknowledged.extend(batch.sequence for batch in package.batches)
        try:
            await self._buffer.remove(self._acknowledged)
        except BufferUnwritableError as error:
            log.debug("uplink.acknowledged-not-removed", batches=len(self._acknowledged), reason=str(error))
        else:
            self._acknowledged = []
            self._progress.set()

    async def _part(self, package: Package, said: str) -> None:
        """Find the batch that the server cannot take, and set it aside; the others go on their own."""
        if len(package.batches) > 1:
            for batch in package.batches:
                await self._deliver(Package((batch,), batch.body))
            return
        (batch,) = package.batches
        log.error("uplink.batch-set-aside", edge=self._edge, sequence=batch.sequence, rows=batch.rows, reason=said)
        while True:
            try:
                await self._buffer.set_aside(batch.sequence, said)
            except BufferUnwritableError as error:
                log.debug("uplink.set-aside-failed", reason=str(error))
                await self._sleep(_LONGEST_WAIT_S)
            else:
                self._progress.set()
                return

    async def _post(self, package: Package) -> tuple[Answer, str]:
        headers = {"Content-Type": _CONTENT_TYPE, "X-Athanor-Sequence": str(package.last)}
        try:
            response = await self._client.post("/api/v1/ingest/samples", content=package.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Answer.UNAVAILABLE, str(error) or type(error).__name__
        return _answer_of(response), f"{response.status_code} {response.text:.200}"

    async def _keep_to_rate(self, rows: int, taken_s: float) -> None:
        if self._config.max_rows_per_s is not None:
            await self._sleep(max(0.0, rows / self._config.max_rows_per_s - taken_s))

    def _say(self, answer: Answer, said: str) -> None:
        """Trouble once and its end once."""
        if answer in (Answer.STORED, Answer.UNSTORABLE):
            if self._trouble is not None:
                log.info("uplink.recovered", url=self._config.url, edge=self._edge)
            self._trouble = None
            self.in_trouble.clear()
        elif answer is not self._trouble:
            self._trouble = answer
            self.in_trouble.set()
            event, cure = _WORDS[answer]
            log.warning(event, url=self._config.url, edge=self._edge, reason=said, cure=cure)


_WORDS = {
    Answer.REFUSED: (
        "uplink.refused",
        "Check the token in the environment and uplink.url; samples are kept meanwhile.",
    ),
    Answer.UNAVAILABLE: ("uplink.unavailable", "Check that the server runs and can be reached; samples are kept."),
}


def back_off_s(failures: int, longest_s: float = _LONGEST_WAIT_S) -> float:
    """How long to wait after so many failures in a row: half a second, then twice as long each time. [s]

    Up to half of it is left off by chance, so that many edges do not come at once.
    """
    wait_s = min(longest_s, 0.5 * 2.0 ** min(failures - 1, 20))
    return wait_s * random.uniform(0.5, 1.0)  # noqa: S311  # no secret depends on it


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    """Whom https is believed of: the authorities that everybody knows, or this one alone."""
    if ca_file is None:
        return True
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # the server's own certificate will do
    return context


def _answer_of(response: httpx.Response) -> Answer:
    if response.status_code == httpx.codes.OK:
        return Answer.STORED
    if response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
        return Answer.UNSTORABLE
    if response.status_code == httpx.codes.BAD_REQUEST and MalformedBatchError.code in response.text:
        return Answer.UNSTORABLE  # another 400 comes from something between us and the server: keep the data
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        return Answer.UNAVAILABLE
    return Answer.REFUSED
