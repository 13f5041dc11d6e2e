"""Where a lake's objects lie: below a prefix of a bucket in an S3-compatible object store.

By obstore, which is the client that deltalake has within: one set of options, timeouts and repeats for both. Each
request is repeated for a while; what then still fails is an UnreachableError, and is tried again by whoever asked.
"""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from copy import copy
from datetime import timedelta
from pathlib import Path
from queue import Full, Queue
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, PreconditionError
from obstore.store import S3Store as Bucket

from athanor.kernel.historian.lease import Lease
from athanor.kernel.historian.port import HistorianUnopenableError, LakeTakenError
from athanor.kernel.historian.store import Claim, UnreachableError, plain

ACCESS_KEY, SECRET_KEY, SESSION_TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"

_LEASE = "lease.json"
_REPEATS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)
_PART = 8 * 1024 * 1024  # [B] sent at a time
_PARTS_AT_ONCE = 2


class S3Store:
    """For lakes that outgrow one disk, or outlive one machine."""

    def __init__(
        self,
        url: str,
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        virtual_hosted: bool = False,
        allow_http: bool = False,
        timeout_s: float = 10.0,
        lease_s: float = 60.0,
    ) -> None:
        """Objects below `url`, s3://BUCKET/PREFIX; reaches nothing yet. The keys come from the environment.

        Without an endpoint, Amazon's for the region. `virtual_hosted` puts the bucket's name before the host's. A
        request has `timeout_s`, and with all repeats three times that. Whoever claims the store has it for `lease_s`
        after each sign of life. Raises HistorianUnopenableError where the keys are missing.
        """
        missing = [name for name in (ACCESS_KEY, SECRET_KEY) if not os.environ.get(name)]
        if missing:
            raise HistorianUnopenableError(url, f"{' and '.join(missing)} are not set in the environment")
        parts = urlsplit(url)
        self._bucket, self._prefix = parts.netloc, unquote(parts.path).strip("/")
        if endpoint is not None and virtual_hosted:
            host = urlsplit(endpoint)
            endpoint = host._replace(netloc=f"{self._bucket}.{host.netloc}").geturl()
        self._lease_s = lease_s
        self._leases: list[Lease] = []  # of this store and its parts
        self._config = {
            "region": region,
            "virtual_hosted_style_request": str(virtual_hosted).lower(),
            "conditional_put": "etag",
            "access_key_id": os.environ[ACCESS_KEY],
            "secret_access_key": os.environ[SECRET_KEY],
            **({"session_token": os.environ[SESSION_TOKEN]} if os.environ.get(SESSION_TOKEN) else {}),
            **({"endpoint": endpoint} if endpoint is not None else {}),
        }
        self._client = {"allow_http": str(allow_http).lower(), "timeout": f"{int(timeout_s * 1000)}ms"}
        self._repeat_for = timedelta(seconds=3 * timeout_s)
        self._objects = Bucket(
            self._bucket,
            config=self._config,  # type: ignore[arg-type]
            client_options=self._client,  # type: ignore[arg-type]
            retry_config={
                "max_retries": _REPEATS,
                "retry_timeout": self._repeat_for,
                "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
            },
        )

    @property
    def url(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    @property
    def options(self) -> Mapping[str, str]:
        return {
            **{f"aws_{key}": value for key, value in self._config.items()},
            **self._client,
            "max_retries": str(_REPEATS),
            "retry_timeout": f"{int(self._repeat_for.total_seconds() * 1000)}ms",
            "backoff_config.init_backoff": f"{_FIRST_PAUSE // timedelta(milliseconds=1)}ms",
            "backoff_config.max_backoff": f"{_LONGEST_PAUSE // timedelta(milliseconds=1)}ms",
            "backoff_config.base": "2",
        }

    @property
    def is_remote(self) -> bool:
        return True

    def within(self, name: str) -> "S3Store":
        part = copy(self)
        part._prefix = self._key(name)
        return part

    def place(self, name: str) -> str:
        return f"s3://{self._bucket}/{self._key(name)}"

    @contextmanager
    def create(self, name: str) -> Iterator[IO[bytes]]:
        upload = _Upload(lambda body: self._put(name, body))
        try:
            yield upload  # type: ignore[misc]  # what a writer of Parquet needs of a file, it has
            upload.finish()
        except BaseException:
            upload.abandon()
            raise

    def open(self, name: str) -> IO[bytes]:
        with self._explained(name):
            meta = obstore.head(self._objects, self._key(name))
        return _Object(self, name, meta)  # type: ignore[return-value]  # it reads, which is what is asked

    def get(self, name: str, start: int, end: int, e_tag: str | None) -> Any:
        """Bytes of an object, as long as it is the one with this tag. Raises OSError."""
        with self._explained(name):
            options = {"range": (start, end), **({"if_match": e_tag} if e_tag else {})}
            return obstore.get(self._objects, self._key(name), options=options).bytes()  # type: ignore[arg-type]

    def exists(self, name: str) -> bool:
        with suppress(FileNotFoundError), self._explained(name):
            obstore.head(self._objects, self._key(name))
            return True
        return False

    def names(self, under: str = "") -> Sequence[str]:
        above = len(self._prefix) + 1 if self._prefix else 0
        with self._explained(under):
            pages = obstore.list(self._objects, prefix=self._key(under) or None)
            return [found["path"][above:] for page in pages for found in page]

    def remove(self, names: Iterable[str]) -> None:
        keys = [self._key(name) for name in names]
        if keys:
            with self._explained(keys[0]):
                obstore.delete(self._objects, keys)

    def check(self) -> None:
        """Raises OSError where the store does not answer, lets us not in, or has no such bucket."""
        with self._explained(""):
            next(iter(obstore.list(self._objects, prefix=self._key("") or None, chunk_size=1)), None)

    def make_durable(self, name: str) -> None:
        pass  # what an object store has acknowledged is

    def claim(self, beside: Path) -> Claim:
        lease = Lease(self._objects, self._key(_LEASE), self.place(_LEASE), beside, length_s=self._lease_s)
        self._leases.append(lease)
        return lease

    def check_claim(self) -> None:
        for lease in self._leases:
            if (other := lease.lost_to()) is not None:
                raise LakeTakenError(self.url, other)

    def _key(self, name: str) -> str:
        return "/".join(part for part in (self._prefix, name.strip("/")) if part)

    def _put(self, name: str, body: bytes | Iterator[bytes]) -> None:
        with self._explained(name):
            obstore.put(self._objects, self._key(name), body, chunk_size=_PART, max_concurrency=_PARTS_AT_ONCE)

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise FileNotFoundError(f"there is no object {self.place(name)}") from error
        except PreconditionError as error:
            raise OSError(f"{self.place(name)} is not what it was when it was opened") from error
        except BaseError as error:
            raise UnreachableError(plain(error)) from error


class _Object(io.RawIOBase):
    """An object, read part by part, as long as it stays what it was."""

    def __init__(self, store: S3Store, name: str, meta: Mapping[str, Any]) -> None:
        super().__init__()
        self._store, self._name = store, name
        self._size, self._e_tag = int(meta["size"]), meta["e_tag"]
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int | None = -1) -> Any:
        """So many bytes from here on, fewer at the end only. Raises OSError."""
        start = min(self._at, self._size)
        end = self._size if size is None or size < 0 else min(start + size, self._size)
        self._at = end
        return b"" if start == end else self._store.get(self._name, start, end, self._e_tag)


class _AbandonedError(Exception):
    """What is being sent is no longer wanted."""


class _Upload(io.RawIOBase):
    """An object that is being written: small ones are sent whole at the end, others part by part meanwhile.

    The object is not there before all of it has arrived.
    """

    def __init__(self, put: Callable[[bytes | Iterator[bytes]], None]) -> None:
        super().__init__()
        self._put = put
        self._size = 0
        self._rest = bytearray()
        self._parts: Queue[bytes | _AbandonedError | None] = Queue(_PARTS_AT_ONCE)
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="historian-upload")
        self._sent: Future[None] | None = None

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._size

    def write(self, data: Any) -> int:
        """Take bytes in; all of them. Raises OSError where those before could not be sent."""
        self._rest += data
        self._size += len(data)
        while len(self._rest) >= _PART:
            self._hand_over(bytes(self._rest[:_PART]))
            del self._rest[:_PART]
        return len(data)

    def finish(self) -> None:
        """Send what is left; the object is there on return. Raises OSError."""
        if self._sent is None:
            self._put(bytes(self._rest))
        else:
            self._hand_over(bytes(self._rest))
            self._hand_over(None)
            self._sent.result()
        self._sender.shutdown()

    def abandon(self) -> None:
        """Let nothing become of it."""
        if self._sent is not None:
            with suppress(OSError):
                self._hand_over(_AbandonedError())
            self._sent.exception()  # it has ended
        self._sender.shutdown()

    def _hand_over(self, part: bytes | _AbandonedError | None) -> None:
        if self._sent is None:
            self._sent = self._sender.submit(self._put, self._handed_over())
        while not self._sent.done():
            try:
                self._parts.put(part, timeout=0.1)
            except Full:
                continue
            return
        self._sent.result()  # raises what ended it

    def _handed_over(self) -> Iterator[bytes]:
        while (part := self._parts.get()) is not None:
            if isinstance(part, _AbandonedError):
                raise part
            yield part
