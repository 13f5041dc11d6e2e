"""An object store that refuses, is out of reach, or is told wrong: retried where that helps, said where it does not."""

import os
import time
from collections.abc import AsyncIterator

import pytest

from athanor.kernel.files.port import FilesFullError, FilesUnreachableError
from athanor.kernel.files.s3 import S3Files

from .object_store import ObjectStore

BUSY = (503, "SlowDown")


@pytest.fixture
async def files(object_store: ObjectStore) -> AsyncIterator[S3Files]:
    opened = S3Files(object_store.new_bucket(), endpoint=object_store.endpoint, allow_http=True)
    yield opened
    await opened.close()


async def names(files: S3Files) -> list[str]:
    return [entry.name async for entry in files.list_files()]


async def test_a_store_that_is_busy_for_a_moment_is_asked_again_and_nothing_is_lost(
    files: S3Files, object_store: ObjectStore
) -> None:
    object_store.faults = [BUSY, BUSY]
    await files.put("a/b", b"content")
    object_store.faults = [BUSY, (500, "InternalError")]
    assert await files.get("a/b") == b"content"
    object_store.faults = [BUSY]
    assert await names(files) == ["a/b"]
    object_store.faults = [BUSY, BUSY]
    await files.delete("a/b")
    assert await names(files) == []


async def test_a_store_that_stays_busy_is_named_with_its_reason_and_recovers(object_store: ObjectStore) -> None:
    files = S3Files(object_store.new_bucket(), endpoint=object_store.endpoint, allow_http=True, timeout_s=0.1)
    object_store.always = BUSY
    for asked in (files.put("a", b"1"), files.get("a"), files.size("a"), files.delete("a"), files.check()):
        with pytest.raises(FilesUnreachableError, match="s3://athanor-"):
            await asked
    object_store.behave()
    assert await names(files) == []
    await files.put("a", b"1")
    assert await files.get("a") == b"1"
    await files.close()


async def test_an_upload_that_breaks_in_the_middle_leaves_nothing(files: S3Files, object_store: ObjectStore) -> None:
    async def long() -> AsyncIterator[bytes]:
        for _ in range(6):
            yield os.urandom(5_000_000)

    await files.put("a", b"the earlier")
    object_store.always, object_store.at = BUSY, "partNumber=2"
    with pytest.raises(FilesUnreachableError):
        await files.put("a", long())
    object_store.always = None
    assert await files.get("a") == b"the earlier"
    assert await names(files) == ["a"]


async def test_a_store_without_room_is_full_and_not_away(files: S3Files, object_store: ObjectStore) -> None:
    object_store.always = (507, "XMinioStorageFull")
    with pytest.raises(FilesFullError, match="take no more"):
        await files.put("a", b"1")


async def test_credentials_that_the_store_does_not_take_are_said(files: S3Files, object_store: ObjectStore) -> None:
    object_store.always = (403, "InvalidAccessKeyId")
    with pytest.raises(FilesUnreachableError, match="InvalidAccessKeyId"):
        await files.put("a", b"1")


async def test_a_bucket_that_is_not_there_is_no_missing_file(object_store: ObjectStore) -> None:
    files = S3Files("s3://athanor-nobody-made-this", endpoint=object_store.endpoint, allow_http=True, timeout_s=0.1)
    for asked in (files.put("a", b"1"), files.get("a"), files.size("a"), files.check()):
        with pytest.raises(FilesUnreachableError, match="ucket"):
            await asked
    await files.close()


async def test_a_store_that_nobody_answers_for_is_unreachable_and_not_for_ever(object_store: ObjectStore) -> None:
    files = S3Files("s3://athanor", endpoint="http://127.0.0.1:1", allow_http=True, timeout_s=1)
    began = time.monotonic()
    with pytest.raises(FilesUnreachableError, match="HTTP error"):
        await files.put("a", b"1")
    assert time.monotonic() - began < 30
    await files.close()


@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_without_credentials_it_does_not_start(
    object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(FilesUnreachableError, match="AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"):
        S3Files("s3://athanor", endpoint=object_store.endpoint)
