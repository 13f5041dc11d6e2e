"""A server that is killed in mid-stream, again and again, while a real edge keeps sending."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from athanor.edge.buffer import Buffer
from athanor.edge.collector import Collector
from athanor.edge.config import CollectorConfig, UplinkConfig
from athanor.edge.uplink import Uplink
from athanor.kernel.telemetry import batch_of_columns

from .running import EDGE, RunningServer

KILLS = 3
EVERY_S = 0.01
TAGS = ("smelter.power", "smelter.temperature", "kilns.power")
DELIVER_WITHIN_S = 60


class Sender:
    """An edge in this process, fed a numbered sample of every tag at each tick."""

    def __init__(self, server: RunningServer) -> None:
        self._server = server
        self.sent: list[int] = []  # source times [us]

    async def run(self, folder: Path, stop: asyncio.Event) -> None:
        """Send until told to stop, then deliver what is left."""
        server = self._server
        buffer = await Buffer.open(folder / "buffer.sqlite", 10**9)
        collector = Collector(buffer, CollectorConfig.model_validate({"flush_interval_s": 0.05}))
        config = UplinkConfig.model_validate({"url": server.url})
        uplink = Uplink(config, buffer, edge=EDGE, token=server.token)
        tasks = [asyncio.create_task(collector.run()), asyncio.create_task(uplink.run())]
        while not stop.is_set():
            self._tick(collector)
            await asyncio.sleep(EVERY_S)
        await collector.flush()
        async with asyncio.timeout(DELIVER_WITHIN_S):
            await uplink.drain()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await uplink.close()
        await buffer.close()

    def _tick(self, collector: Collector) -> None:
        now_us = round(datetime.now(UTC).timestamp() * 1e6)
        index = np.arange(len(TAGS), dtype=np.int32)
        value = np.full(len(TAGS), float(len(self.sent)))
        collector.add_batch(batch_of_columns(TAGS, index, np.full(len(TAGS), now_us), value))
        self.sent.append(now_us)


async def test_a_server_killed_in_mid_stream_loses_nothing_and_doubles_nothing(
    own_server: RunningServer, tmp_path: Path
) -> None:
    own_server.environment["ATHANOR_HISTORIAN__SEAL_ROWS"] = "1000"  # so that a kill may find it sealing
    moments = random.Random(1)
    await asyncio.to_thread(own_server.start)
    sender, stop = Sender(own_server), asyncio.Event()
    began = datetime.now(UTC) - timedelta(seconds=1)
    sending = asyncio.create_task(sender.run(tmp_path, stop))
    for _ in range(KILLS):
        await asyncio.sleep(moments.uniform(1.0, 2.0))
        own_server.kill()
        await asyncio.to_thread(own_server.start)
    stop.set()
    await sending
    with own_server.client() as client:
        answer = client.get(
            "/api/v1/series",
            params={"tag": TAGS, "from": began.isoformat()},
            headers={"Accept": "application/vnd.apache.arrow.stream"},
        ).raise_for_status()
        with pa.ipc.open_stream(answer.content) as reader:
            rows = reader.read_all()
        current = client.get("/api/v1/current", params={"tag": TAGS}).json()
    assert len(sender.sent) > 300
    for tag in TAGS:
        mine = rows.filter(pa.compute.equal(rows["tag"].cast(pa.string()), tag))
        assert mine["time"].cast(pa.int64()).to_pylist() == sender.sent
        assert mine["value"].to_pylist() == [float(number) for number in range(len(sender.sent))]
    assert [one["value"] for one in current] == [float(len(sender.sent) - 1)] * len(TAGS)
    assert "Traceback" not in own_server.log()
