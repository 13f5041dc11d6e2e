"""What apps do by the clock goes on whatever one of them does."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from athanor.kernel.apps.routines import Routines

OFTEN = timedelta(milliseconds=1)


async def test_a_routine_that_fails_is_named_once_and_its_recovery_once() -> None:
    calls, is_done = 0, asyncio.Event()

    async def stumble() -> None:
        nonlocal calls
        calls += 1
        if calls in (2, 3, 4):
            raise ValueError("no contract")
        if calls == 7:
            is_done.set()

    routines = Routines()
    with capture_logs() as logs:
        routines.start("exchange:check", OFTEN, stumble)
        await asyncio.wait_for(is_done.wait(), 10)
        await routines.close()
    assert [(log["event"], log["routine"]) for log in logs] == [
        ("routine.failed", "exchange:check"),
        ("routine.recovered", "exchange:check"),
    ]


async def test_a_routine_never_runs_twice_at_once_and_none_is_left_when_they_are_closed() -> None:
    running, most, is_done = 0, 0, asyncio.Event()

    async def slow() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1
        is_done.set()

    routines = Routines()
    routines.start("slow", OFTEN, slow)
    await asyncio.wait_for(is_done.wait(), 10)
    await routines.close()
    assert most == 1
    assert [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("routine:")] == []
