"""Files in a bucket of an S3-compatible object store. For parks, and wherever disks are somebody else's care."""

import os
import re
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from athanor.kernel.files.port import (
    FileEntry,
    FileMissingError,
    FilesFullError,
    FilesUnreachableError,
    checked_name,
)

_REPEATS = 6
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=100), timedelta(seconds=2)
_REPEATED_FOR = 3  # times the time that one request may take
_PART = 8 * 1024**2  # [B] sent at a time; what is smaller is one request
_FULL = re.compile(r"\b(507|XMinioStorageFull|QuotaExceeded)\b", re.IGNORECASE)
_NO_BUCKET = "NoSuchBucket"
_CODE = re.compile(r"<Code>(\w+)</Code>")  # in the store's answer


class S3Files:
    """Implements `Files`; see its docstrings for the contract."""

    def __init__(
        self,
        url: str,
        *,
        endpoint: str | None = None,
        region: str = "us-east-1",
        virtual_hosted: bool = False,
        allow_http: bool = False,
        timeout_s: float = 30.0,
    ) -> None:
        """Open `s3://BUCKET/PREFIX`; the first request, not this, finds out whether it answers.

        Parameters
        ----------
        url
            Bucket and prefix; the bucket must exist.
        endpoint
            `https://HOST:PORT` of the store; Amazon's own for the region, when left out.
        region
            As the store calls it.
        virtual_hosted
            Whether the bucket's name goes before the host's, and not after it.
        allow_http
            Whether the endpoint may be an `http://` one, which everybody on the way can read.
        timeout_s
            How long one request may take; with all its repeats three times as long. [s]

        Credentials are AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where need be, AWS_SESSION_TOKEN of the
        environment. Raises FilesUnreachableError where they are not set.
        """
        self._url = url.rstrip("/")
        parts = urlsplit(self._url)
        key, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not key or not secret:
            raise FilesUnreachableError(self._url, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
        if endpoint is not None and virtual_hosted:
            host = urlsplit(endpoint)
            endpoint = host._replace(netloc=f"{parts.netloc}.{host.netloc}").geturl()
        config: dict[str, Any] = {
            "region": region,
            "virtual_hosted_style_request": str(virtual_hosted).lower(),
            "access_key_id": key,
            "secret_access_key": secret,
            "session_token": os.environ.get("AWS_SESSION_TOKEN"),
            "endpoint": endpoint,
        }
        self._store = S3Store(
            parts.netloc,
            prefix=unquote(parts.path).strip("/") or None,
            config={name: value for name, value in config.items() if value},  # type: ignore[arg-type]
            client_options={"allow_http": allow_http, "timeout": timedelta(seconds=timeout_s)},
            retry_config={
                "max_retries": _REPEATS,
                "retry_timeout": timedelta(seconds=_REPEATED_FOR * timeout_s),
                "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE, "base": 2},
            },
        )

    async def put(self, name: str, content: bytes | AsyncIterable[bytes]) -> None:
        """See `Files`."""
        with self._explained(checked_name(name)):
            await obstore.put_async(self._store, name, content, chunk_size=_PART)

    async def get(self, name: str) -> bytes:
        """See `Files`."""
        with self._explained(checked_name(name)):
            answer = await obstore.get_async(self._store, name)
            return bytes(await answer.bytes_async())

    async def get_range(self, name: str, start: int, length: int) -> bytes:
        """See `Files`."""
        if length <= 0:
            await self.size(name)
            return b""
        with self._explained(checked_name(name)):
            try:
                return bytes(await obstore.get_range_async(self._store, name, start=start, length=length))
            except BaseError:
                there = (await obstore.head_async(self._store, name))["size"]
                if start + length <= there:
                    raise
        return b"" if start >= there else await self.get_range(name, start, there - start)

    async def size(self, name: str) -> int:
        """See `Files`."""
        try:
            with self._explained(checked_name(name)):
                return int((await obstore.head_async(self._store, name))["size"])
        except FileMissingError:
            await self.check()  # an answer to HEAD does not tell a missing file from a missing bucket
            raise

    async def list_files(self, folder: str = "") -> AsyncIterator[FileEntry]:
        """See `Files`."""
        with self._explained(folder):
            prefix = checked_name(folder) + "/" if folder else None
            async for page in obstore.list(self._store, prefix=prefix):
                for found in page:
                    yield FileEntry(found["path"], found["size"], found["last_modified"])

    async def delete(self, name: str) -> None:
        """See `Files`."""
        with self._explained(checked_name(name)):
            try:
                await obstore.delete_async(self._store, name)
            except FileNotFoundError as error:
                if _NO_BUCKET in str(error):
                    raise

    async def check(self) -> None:
        """See `Files`."""
        with self._explained(""):
            async for _page in obstore.list(self._store, chunk_size=1):
                return

    async def close(self) -> None:
        """See `Files`."""

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        """What the client raises becomes ours."""
        try:
            yield
        except FileNotFoundError as error:
            if _NO_BUCKET in str(error) or not name:
                raise FilesUnreachableError(self._url, "there is no such bucket") from error
            raise FileMissingError(name, self._url) from error
        except BaseError as error:
            kind = FilesFullError if _FULL.search(str(error)) else FilesUnreachableError
            raise kind(self._url, _plain(error)) from error


def _plain(error: BaseException) -> str:
    """What an error of the client says, as one short line: theirs come with colours and whole answers of servers."""
    said = re.sub(r"\x1b\[[0-9;]*m|↳", "", str(error))
    if code := _CODE.search(said):
        return code[1]
    return " ".join(said.partition("Debug source:")[0].split())[:400]
