"""Who sends which files to documents in tests."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

from athanor.kernel.documents.records import Incoming, Rules
from athanor.kernel.documents.service import Documents
from athanor.kernel.documents.tables import VersionRow
from athanor.kernel.files.port import Files
from athanor.kernel.identity.user import User
from athanor.kernel.sections import FilesSettings

OLGA = User(1, "olga", "Olga", ("engineer",), "copper")
KARL = User(2, "karl", "Karl", ("engineer",), "carbon")
ANNA = User(3, "anna", "Anna", ("administrator",))

RULES = Rules(2_000_000, FilesSettings().allowed_types, {"working": 30, "record": 3650})
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)

PDF = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Clock:
    """A time that passes when told to."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at


async def _given(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


def file(name: str, *pieces: bytes, expected: int | None = None) -> Incoming:
    """A file that comes in these pieces."""
    return Incoming(name, _given(pieces), expected)


async def read(documents: Documents, version: VersionRow, start: int = 0, stop: int | None = None) -> bytes:
    """The bytes of a version."""
    return b"".join([piece async for piece in documents.content(version, start, stop)])


async def names_in(files: Files) -> list[str]:
    """All files of documents."""
    return [found.name async for found in files.list_files("documents")]
