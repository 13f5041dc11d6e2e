"""What the edge's tests talk to: real servers on loopback, and ways to wait for them."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

import uvicorn
from amqtt.broker import Broker
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from athanor.edge.agent import end
from athanor.edge.buffer import Buffer
from athanor.edge.collector import Collector
from athanor.edge.config import CollectorConfig, Source
from athanor.edge.source import SourceStatus
from athanor.edge.supervisor import SupervisedSource
from athanor.kernel.telemetry import Sample, decode, samples_of


async def until(condition: Callable[[], bool], within_s: float = 20.0) -> None:
    """Return once the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  # what is waited for happens in a peer
            await asyncio.sleep(0.01)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class IngestServer:
    """The server's end of the uplink, as the contract describes it; in memory."""

    port: int = field(default_factory=free_port)
    answer: Callable[[bytes], Awaitable[Response | None]] | None = None  # None takes the batch in
    bodies: list[bytes] = field(default_factory=list)
    sequences: list[int] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    requests: int = 0
    _server: uvicorn.Server | None = None
    _task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def samples(self) -> list[Sample]:
        """All that was stored, in order of arrival."""
        return [sample for body in self.bodies for sample in samples_of(decode(body))]

    async def start(self) -> Self:
        routes = [
            Route("/api/v1/ingest/samples", self._take, methods=["POST"]),
            Route("/api/v1/ingest/status", self._take_status, methods=["POST"]),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), "127.0.0.1", self.port, log_level="critical", lifespan="off", access_log=False
        )
        server = self._server = uvicorn.Server(config)
        self._task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        return self

    async def stop(self) -> None:
        if self._server is not None and self._task is not None:
            self._server.should_exit = self._server.force_exit = True
            await self._task
        self._server = None

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        self.requests += 1
        self.headers.append(dict(request.headers))
        if self.answer is not None and (refusal := await self.answer(body)) is not None:
            return refusal
        self.bodies.append(body)
        self.sequences.append(int(request.headers["x-athanor-sequence"]))
        return JSONResponse({"stored": decode(body).num_rows, "quarantined": 0})

    async def _take_status(self, request: Request) -> Response:
        self.statuses.append(await request.json())
        return JSONResponse({})


@asynccontextmanager
async def mqtt_broker(port: int) -> AsyncIterator[Broker]:
    """amqtt on a port of loopback, open to everyone."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    try:
        yield broker
    finally:
        with suppress(Exception):
            await broker.shutdown()


ModbusAnswer = Callable[[bytes], list[bytes]]  # what a device sends for a request, piece by piece


@asynccontextmanager
async def modbus_device(answer: ModbusAnswer) -> AsyncIterator[int]:
    """A TCP server that sends what `answer` makes of each request. Gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await reader.read(260):
                for piece in answer(request):
                    writer.write(piece)
                    await writer.drain()
        except ConnectionError:
            return  # the edge hung up on rubbish, or was killed
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def registers(request: bytes, words: list[int]) -> bytes:
    """A sound answer to a read of holding registers."""
    data = b"".join(word.to_bytes(2, "big") for word in words)
    pdu = bytes([request[7], len(data)]) + data
    return request[:4] + (len(pdu) + 1).to_bytes(2, "big") + request[6:7] + pdu


class Edge:
    """An edge without uplink: what its sources say is read back from its buffer."""

    def __init__(self, buffer: Buffer) -> None:
        self._buffer = buffer
        self._collector = Collector(buffer, CollectorConfig.model_validate({}))
        self._tasks: list[asyncio.Task[None]] = []

    def run(self, config: Source, **more: Any) -> SourceStatus:
        """Start a source under its supervisor, which may be given more to work with."""
        source = SupervisedSource(config, self._collector, **more)
        self._tasks.append(asyncio.create_task(source.run()))
        return source.status

    async def samples(self, tag: str | None = None) -> list[Sample]:
        """All samples so far, or those of one tag, in order of arrival."""
        await self._collector.flush()
        batches = await self._buffer.read(0, 10**9, 10**9)
        samples = [sample for batch in batches for sample in samples_of(decode(batch.body))]
        return [sample for sample in samples if tag in (None, sample.tag)]

    async def hears(self, tag: str, check: Callable[[Sample], bool] = lambda _: True, within_s: float = 20.0) -> Sample:
        """The first sample of a tag that fulfils the check."""
        async with asyncio.timeout(within_s):
            while True:
                for sample in await self.samples(tag):
                    if check(sample):
                        return sample
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        await end(self._tasks)
