"""Processes that say what was acknowledged until they are killed."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

START_WITHIN_S = 60

_processes = multiprocessing.get_context("forkserver")  # which imports once, and forks in a moment
_processes.set_forkserver_preload(
    [
        "athanor.kernel.corrections.service",
        "athanor.kernel.historian.s3",
        "athanor.kernel.historian.tiered",
        "athanor.kernel.notify.service",
        "athanor.kernel.waveforms.service",
    ]
)


def started(work: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """A process that does some work, and what is heard of it: `work` takes the other end as its last argument."""
    heard, say = _processes.Pipe(duplex=False)
    process = _processes.Process(target=work, args=(*arguments, say))
    process.start()
    say.close()
    return process, heard


def killed_after(life_s: float, work: Callable[..., None], *arguments: object) -> list[int]:
    """Let a process work and kill it, so long after its first word; returns the numbers that it said."""
    process, heard = started(work, *arguments)
    assert heard.poll(START_WITHIN_S), "the process acknowledged nothing"
    process.join(life_s)
    assert process.exitcode is None, "the process ended by itself"
    process.kill()
    process.join()
    return rest_of(heard)


def rest_of(heard: Connection) -> list[int]:
    """What a process that has ended said and nobody heard yet."""
    said: list[int] = []
    with heard:
        try:
            while True:
                said.append(heard.recv())
        except EOFError:
            return said
