"""What a store must offer to be measured, and the servers that some of them are."""

import http.client
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from athanor.bench.historian.generator import Rows
from athanor.bench.historian.questions import Question

_T = TypeVar("_T")

_READY_WITHIN_S = 60.0
_ENDS_WITHIN_S = 120.0
# Debian's places for servers come last; each version of PostgreSQL has one of its own.
_PLACES = os.pathsep.join(
    (os.environ.get("PATH", os.defpath), "/usr/sbin", *map(str, Path("/usr/lib/postgresql").glob("*/bin")))
)


class AbsentError(Exception):
    """What should be measured is not installed here."""


class Contender(Protocol):
    """One store, open. Safe for concurrent use; whoever opened it closes it."""

    name: str
    is_fed: bool  # False where writing is no figure of its own
    acknowledgement: str  # what is true of a batch once `write` returns
    settled: str  # what `settle` does
    quiet_s: float  # for how long `settle` only watches that nothing happens any more

    def payload(self, rows: Rows) -> Any:
        """The samples in the form that `write` takes; what this costs is not measured."""

    def write(self, payload: Any) -> None:
        """Store one batch; acknowledged on return."""

    def settle(self) -> None:
        """Merge and flush as the store does by itself in the end."""

    def size_bytes(self) -> int:
        """What it takes on the disk, indexes included."""

    def ask(self, question: Question) -> Any:
        """The answer, complete, in the form in which this store gives it."""

    def read(self, question: Question, answer: Any, /) -> Rows:
        """An answer by tag, then time; what this costs is not measured. A mean is at the start of its step."""

    def reopen(self) -> None:
        """Let go of everything in memory and open again."""

    def close(self) -> None:
        """End it."""


Opening = Callable[[Path], Contender]


def program(title: str, *names: str) -> Path:
    """Where a program is. Raises AbsentError."""
    for name in names:
        if found := shutil.which(name, path=_PLACES):
            return Path(found)
    raise AbsentError(f"{title} is not installed (scripts/install-test-tools)")


def account() -> dict[str, Any]:
    """As whom PostgreSQL's programs run, for `subprocess`: whoever is here or, for root, Debian's own user.

    Raises AbsentError.
    """
    if os.geteuid() != 0:
        return {}
    try:
        postgres = pwd.getpwnam("postgres")
    except KeyError:
        raise AbsentError("PostgreSQL refuses to run as root, and there is no user postgres") from None
    return {"user": postgres.pw_uid, "group": postgres.pw_gid, "extra_groups": []}


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Server:
    """A server of our own: started from a command, ended with SIGTERM."""

    def __init__(self, command: Sequence[str], folder: Path, is_ready: Callable[[], bool]) -> None:
        self._command, self._log, self._is_ready = command, folder / "log", is_ready
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it answers. Raises RuntimeError with its log where it does not."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 a program that `program` found
                self._command, stdout=log, stderr=log, cwd=self._log.parent
            )
        latest = time.monotonic() + _READY_WITHIN_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > latest:
                self.stop()
                raise RuntimeError(
                    f"{self._command[0]} does not start: {self._log.read_text('utf-8', 'replace')[-2000:]}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Returns once it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


class PerThread(Generic[_T]):
    """One of a thing for each thread that asks for it."""

    def __init__(self, make: Callable[[], _T], end: Callable[[_T], object]) -> None:
        self._make, self._end = make, end
        self._local = threading.local()
        self._made: list[_T] = []

    def get(self) -> _T:
        """This thread's own, made where it has none."""
        if getattr(self._local, "made", None) is not self._made:
            self._local.own, self._local.made = self._make(), self._made
            self._made.append(self._local.own)
        own: _T = self._local.own
        return own

    def close(self) -> None:
        """End all there are, whosesoever they are; nobody may be using them."""
        made, self._made = self._made, []
        for own in made:
            self._end(own)


class Http:
    """Requests to a server on loopback, each thread with a connection of its own that stays open."""

    def __init__(self, port: int) -> None:
        def connection() -> http.client.HTTPConnection:
            return http.client.HTTPConnection("127.0.0.1", port, timeout=600)

        self._connections = PerThread(connection, http.client.HTTPConnection.close)

    def request(self, method: str, path: str, body: bytes | None = None, content_type: str = "text/plain") -> bytes:
        """The body of the answer. Raises RuntimeError for a refusal, OSError when nobody answers."""
        connection = self._connections.get()
        try:
            connection.request(method, path, body, {"Content-Type": content_type})
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {path[:200]}: {answer.status} {content[:500]!r}")
        return content

    def answers(self, path: str) -> bool:
        """Whether it is there."""
        try:
            self.request("GET", path)
        except (OSError, http.client.HTTPException, RuntimeError):
            return False
        return True

    def close(self) -> None:
        """Let go of all connections."""
        self._connections.close()


def folder_bytes(folder: Path) -> int:
    """What the files in a folder take on the disk, not what they reserve. One that goes meanwhile counts as nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += (Path(parent) / name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


def until_still(measure: Callable[[], object], for_s: float, within_s: float) -> None:
    """Wait until what is measured has not changed for so long. Raises TimeoutError."""
    before, since, began = measure(), time.monotonic(), time.monotonic()
    while time.monotonic() - since < for_s:
        if time.monotonic() - began > within_s:
            raise TimeoutError(f"still changing after {within_s:.0f} s")
        time.sleep(0.1)
        now = measure()
        if now != before:
            before, since = now, time.monotonic()


@contextmanager
def opened(opening: Opening, folder: Path) -> Iterator[Contender]:
    """The store that is opened in a new folder, until the end of the block."""
    folder.mkdir()
    contender = opening(folder)
    try:
        yield contender
    finally:
        contender.close()
