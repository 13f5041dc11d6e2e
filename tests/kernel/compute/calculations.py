"""What the tests let other processes calculate."""

import os
import signal
import time


def power(base: int, exponent: int) -> int:
    return base**exponent


def fails() -> None:
    raise ValueError("0 pots")


def hangs(pid_file: str) -> None:
    with open(pid_file, "w", encoding="ascii") as file:  # noqa: PTH123 nothing else of pathlib is needed there
        file.write(str(os.getpid()))
    while True:
        time.sleep(0.05)


def fills_memory() -> int:
    taken = []
    while True:
        taken.append(bytearray(16 << 20))


def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def process_id() -> int:
    return os.getpid()
