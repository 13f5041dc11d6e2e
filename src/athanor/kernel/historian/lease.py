"""The right to write an object store, which one server at a time has: an object that says whose, and until when.

It is written only under the condition that it is still what its writer last saw, so that of two who want it one gets
it. The holder renews it. Who does not, because the machine is gone or the store out of reach, may write no more once
it has run out; from then on another may take it.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
from obstore.store import S3Store as Bucket

from athanor.kernel.historian.claim import FolderClaim
from athanor.kernel.historian.store import ClaimedElsewhereError, UnreachableError, plain

_log = structlog.get_logger(__name__)

_TRIES = 5


@dataclass(frozen=True, slots=True)
class _Holding:
    """What the object says."""

    holder: str  # an installation: a server that starts again is the same
    session: str  # one run of it
    who: str  # for people
    until: float  # [s since 1970]


class Lease:
    """Held from construction until `release`, or until it could not be renewed in time."""

    def __init__(self, objects: Bucket, key: str, place: str, beside: Path, *, length_s: float) -> None:
        """Take the lease. `beside` is a folder of this installation, by which it knows its own again after a crash.

        Raises ClaimedElsewhereError while another server has it, OSError where the store does not answer, or does not
        heed conditions.
        """
        self._objects, self._key, self._place = objects, key, place
        self._length_s = length_s
        self._local = FolderClaim(beside / "lake-lease")  # two servers on one folder would take each other for one
        self._holder = _identity(beside / "lake-lease" / "holder")
        self._session = uuid.uuid4().hex
        self._e_tag: str | None = None
        self._valid_until = 0.0  # by the monotonic clock
        self._lost_to: str | None = None
        self._released = threading.Event()
        try:
            self._take()
            self._check_conditions()
        except BaseException:
            self._local.release()
            raise
        self._renewer = threading.Thread(target=self._renew_in_time, name="historian-lease", daemon=True)
        self._renewer.start()

    def lost_to(self) -> str | None:
        """Who has it now, where it was lost. Raises UnreachableError where it ran out because nobody answered."""
        if self._lost_to is None and time.monotonic() > self._valid_until:
            raise UnreachableError(f"{self._place} could not be renewed for {self._length_s:g} s")
        return self._lost_to

    def release(self) -> None:
        """Let others have it."""
        self._released.set()
        self._renewer.join()
        if self._lost_to is None:
            try:
                self._write(until=0.0)
            except BaseError as error:  # it runs out by itself
                _log.warning("lake.lease-not-released", place=self._place, reason=plain(error))
        self._local.release()

    def _take(self) -> None:
        found = None
        for _ in range(_TRIES):
            try:
                found, self._e_tag = self._read()
                self._check_free(found)
                self._write(until=time.time() + self._length_s)
            except (AlreadyExistsError, PreconditionError):
                continue  # another one was faster, or our own first try has arrived: look again
            except FileNotFoundError as error:
                raise UnreachableError(f"there is no bucket for {self._place}") from error
            except BaseError as error:
                raise UnreachableError(plain(error)) from error
            return
        raise ClaimedElsewhereError(self._place, found.who if found else "others", None)

    def _check_free(self, found: _Holding | None) -> None:
        if found is not None and found.holder != self._holder and found.until > time.time():
            raise ClaimedElsewhereError(self._place, found.who, datetime.fromtimestamp(found.until, UTC))

    def _check_conditions(self) -> None:
        """Raises OSError where the store overwrites what it was told not to: nothing would be safe there."""
        try:
            obstore.put(self._objects, self._key, self._said(until=0.0), mode="create")
        except AlreadyExistsError:
            return
        except BaseError as error:
            raise UnreachableError(plain(error)) from error
        raise OSError(
            f"the object store overwrote {self._place} in spite of If-None-Match; a lake needs a store that heeds "
            "conditional writes"
        )

    def _renew_in_time(self) -> None:
        is_failing = False
        while self._lost_to is None and not self._released.wait(self._length_s / 4):
            try:
                self._renew()
            except BaseError as error:
                if not is_failing:
                    _log.warning("lake.lease-not-renewed", place=self._place, reason=plain(error))
                is_failing = True
            else:
                if is_failing and self._lost_to is None:
                    _log.info("lake.lease-renewed-again", place=self._place)
                is_failing = False
        if self._lost_to is not None:
            _log.error("lake.lease-lost", place=self._place, to=self._lost_to)

    def _renew(self) -> None:
        try:
            self._write(until=time.time() + self._length_s)
        except PreconditionError:
            found, e_tag = self._read()
            if found is not None and found.session == self._session:
                self._e_tag = e_tag  # our own write, of which we had heard nothing
            else:
                self._lost_to = found.who if found is not None else "someone who removed it"

    def _write(self, *, until: float) -> None:
        started = time.monotonic()
        mode: Any = {"e_tag": self._e_tag} if self._e_tag is not None else "create"
        self._e_tag = obstore.put(self._objects, self._key, self._said(until=until), mode=mode)["e_tag"]
        self._valid_until = started + self._length_s

    def _read(self) -> tuple[_Holding | None, str | None]:
        try:
            answer = obstore.get(self._objects, self._key)
        except FileNotFoundError:
            return None, None
        return _holding(bytes(answer.bytes())), answer.meta["e_tag"]

    def _said(self, *, until: float) -> bytes:
        who = f"process {os.getpid()} on {socket.gethostname()}"
        return json.dumps(asdict(_Holding(self._holder, self._session, who, until))).encode()


def _holding(content: bytes) -> _Holding:
    """What an object says; one that is damaged is nobody's."""
    try:
        said: Mapping[str, Any] = json.loads(content)
        return _Holding(str(said["holder"]), str(said["session"]), str(said["who"]), float(said["until"]))
    except (ValueError, KeyError, TypeError):
        return _Holding("", "", "nobody", 0.0)


def _identity(file: Path) -> str:
    """Of this installation, made once. A copy of its files on another machine is another one."""
    if not file.exists() or not file.read_text(encoding="ascii"):
        file.write_text(uuid.uuid4().hex, encoding="ascii")
    return f"{file.read_text(encoding='ascii')}@{socket.gethostname()}"
