"""The edge as a whole: sources → collector → buffer → uplink, started together and stopped in that order."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import structlog

from athanor.edge.buffer import Buffer
from athanor.edge.collector import Collector
from athanor.edge.config import EdgeConfig
from athanor.edge.report import Reporter
from athanor.edge.supervisor import SupervisedSource
from athanor.edge.uplink import Uplink

log = structlog.get_logger(__name__)

_REPORT_EVERY_S = 5.0
_DRAIN_S = 3.0  # at a stop, for what the buffer still holds; the rest goes at the next start
_TALKATIVE = ("asyncua", "pymodbus", "pymodbus.logging", "mqtt", "httpx", "httpcore")


async def run_edge(config: EdgeConfig, *, token: str, stop: asyncio.Event) -> None:
    """Run an edge until `stop` is set. Then sources close, samples reach the buffer, and the uplink gets a moment.

    Raises BufferUnwritableError when the buffer cannot be opened.
    """
    for library in _TALKATIVE:  # they repeat at every attempt what a source's status says once
        logging.getLogger(library).setLevel(logging.CRITICAL)
    buffer = await Buffer.open(config.buffer.path, config.buffer.max_bytes)
    uplink = Uplink(config.uplink, buffer, edge=config.edge, token=token)
    try:
        await _run(config, buffer, uplink, stop)
    finally:
        await uplink.close()
        await buffer.close()


async def _run(config: EdgeConfig, buffer: Buffer, uplink: Uplink, stop: asyncio.Event) -> None:
    collector = Collector(buffer, config.collector)
    sources = [SupervisedSource(source, collector) for source in config.sources]
    reporter = Reporter(config.edge, [source.status for source in sources])

    async def report() -> None:
        await uplink.report(reporter.report(await buffer.backlog(), collector.refused_rows))

    async def keep_reporting() -> None:
        while True:
            await report()
            await asyncio.sleep(_REPORT_EVERY_S)

    log.info("edge.started", edge=config.edge, sources=len(sources), server=config.uplink.url)
    reading = [asyncio.create_task(source.run()) for source in sources]
    gathering = asyncio.create_task(collector.run())
    delivering = asyncio.create_task(uplink.run())
    reporting = asyncio.create_task(keep_reporting())
    stopping = asyncio.create_task(stop.wait())
    try:
        done, _ = await asyncio.wait(
            {*reading, gathering, delivering, reporting, stopping}, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done - {stopping}:
            task.result()  # none of them ends by itself: raise what ended it
    finally:
        await end([*reading, gathering, reporting, stopping])
        await collector.flush()
        draining = asyncio.create_task(uplink.drain())
        trouble = asyncio.create_task(uplink.in_trouble.wait())  # then there is nothing to wait for
        await asyncio.wait({draining, trouble, delivering}, timeout=_DRAIN_S, return_when=asyncio.FIRST_COMPLETED)
        await end([draining, trouble])
        await report()
        await end([delivering])
        log.info("edge.stopped", edge=config.edge, waiting_rows=(await buffer.backlog()).rows)


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until they have ended. What they raise on the way out was theirs to say.

    Cancelling once is not enough: Python 3.11's `asyncio.wait_for` forgets it when its result comes in the same moment.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        ended, pending = await asyncio.wait(pending, timeout=1.0)
        await asyncio.gather(*ended, return_exceptions=True)
