"""The contract of compute: pure functions that need a processor for long, away from who answers people."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from athanor.kernel.errors import AthanorError

Answer = TypeVar("Answer")


class ComputeTimeoutError(AthanorError):
    """A calculation took longer than it may, and was ended."""

    code = "compute.timeout"

    def __init__(self, name: str, timeout_s: float) -> None:
        super().__init__(
            f"The calculation {name} was ended since it took longer than {timeout_s:g} s. Give it less at once, or a "
            "longer time."
        )


class ComputeMemoryError(AthanorError):
    """A calculation wanted more memory than it may have, and was ended."""

    code = "compute.out-of-memory"

    def __init__(self, name: str, memory_mb: int) -> None:
        super().__init__(
            f"The calculation {name} was ended since it wanted more than {memory_mb} MB of memory. Give it less at "
            "once, or allow it more."
        )


class ComputeDiedError(AthanorError):
    """The process of a calculation ended in the midst of it."""

    code = "compute.died"

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(
            f"The process that calculated {name} ended in the midst of it (exit code {exit_code}; below 0 it is the "
            "signal that killed it). The system's log may say why, such as that memory ran out; start it again."
        )


class Compute(Protocol):
    """Runs functions elsewhere: in another process, or on another machine.

    A function is found by its module and name there, so it is neither a closure nor a lambda; its arguments and what
    it returns are pickled. It sees nothing of the server: no database, no port, no clock that matters.
    """

    async def run(
        self, function: Callable[..., Answer], *args: Any, timeout_s: float = 600.0, memory_mb: int = 1024
    ) -> Answer:
        """What `function(*args)` returns; what it raises is raised here.

        It waits for its turn while all processes are busy, and `timeout_s` counts from then. Whoever cancels the
        waiting ends the calculation. `memory_mb` is what it may take beside what its process has anyway.

        Raises ComputeTimeoutError, ComputeMemoryError, ComputeDiedError.
        """

    async def close(self) -> None:
        """End what runs."""
