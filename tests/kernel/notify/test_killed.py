"""A server that is killed again and again while it sends."""

import asyncio
import json
import random
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from cryptography.fernet import Fernet

from athanor.kernel.database.database import Database
from athanor.kernel.notify.channelbook import Draft
from athanor.kernel.notify.service import Notify
from athanor.kernel.notify.tables import State
from athanor.kernel.vault import Vault

from ..killing import killed_after, started
from .delivering import deliver
from .peers import PARK, PLANT, Asked, given, http_peer, states

MESSAGES, KILLS, AT_ONCE = 100, 4, 3


@pytest.mark.usefixtures("children_find_tests")
async def test_servers_that_are_killed_lose_no_message_and_repeat_only_what_was_under_way(
    database: Database, database_url: str
) -> None:
    key = Fernet.generate_key()
    rng = random.Random(5)

    def slowly(asked: Asked) -> tuple[int, bytes]:
        time.sleep(rng.uniform(0, 0.02))  # so that a kill finds some under way
        return 200, b""

    with http_peer() as peer:
        peer.answer = slowly
        notify = Notify(database, Vault(key), plant=lambda: PLANT)
        settings = {"url": peer.url, "at_once": AT_ONCE, "per_minute": 6000}
        channel = await notify.channels.add(PARK, Draft("webhook", "MES", settings))
        await notify.close()
        await given(database, channel, MESSAGES, now=datetime.now(UTC))
        for _ in range(KILLS):
            await asyncio.to_thread(killed_after, rng.uniform(0.01, 0.3), deliver, database_url, key.decode())
        process, heard = await asyncio.to_thread(started, deliver, database_url, key.decode())
        async with asyncio.timeout(90):
            while await states(database) != {State.SENT: MESSAGES}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        process.kill()
        process.join()
        heard.close()
    times = Counter(one.headers["idempotency-key"] for one in peer.asked)
    assert len(times) == MESSAGES
    assert len(peer.asked) - MESSAGES <= KILLS * AT_ONCE
    seen: set[str] = set()
    for one in peer.asked:
        token = one.headers["idempotency-key"]
        if token in seen:
            assert json.loads(one.body)["is_repeat"] is True
        seen.add(token)
