"""What documents are asked for, and what is answered."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from athanor.kernel.documents.tables import DocumentRow, LinkRow, VersionRow

ASSET = "asset"  # the kind of tie that names a node of the plant by its path

RESTORED_WITHIN = timedelta(days=30)  # then what was removed is gone


class Kind(StrEnum):
    """Types of files as people look for them."""

    PDF = "pdf"
    IMAGE = "image"
    TEXT = "text"
    OFFICE = "office"
    OTHER = "other"


PATTERNS: Mapping[Kind, tuple[str, ...]] = {  # SQL's LIKE; OTHER is what none of them covers
    Kind.PDF: ("application/pdf",),
    Kind.IMAGE: ("image/%",),
    Kind.TEXT: ("text/%",),
    Kind.OFFICE: (
        "application/vnd.openxmlformats-officedocument.%",
        "application/vnd.oasis.opendocument.%",
        "application/x-ole-storage",
    ),
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of documents. A class of retention without days does not exist."""

    most_bytes: int
    allowed_types: tuple[str, ...]
    retention_days: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that comes in. `expected_bytes` is what the sender announced."""

    name: str
    parts: AsyncIterator[bytes]
    expected_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a document is about. `words` are its names, by which the document is found."""

    kind: str
    subject: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Filing:
    """How a new document is filed. A title that is empty is the file's name; tenant None: the park's."""

    title: str = ""
    labels: Sequence[str] = ()
    retention: str | None = None
    tenant: str | None = None  # heeded for the park's own people only
    subjects: Sequence[Subject] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which documents are wanted. Words are looked for in title, labels, file name, type, people and what it is about.

    `sort` is one of title, file, size, type, person, changed; `asset` means everything below it, too.
    """

    text: str = ""
    asset: str | None = None
    about: Subject | None = None
    kind: Kind | None = None
    person: str | None = None  # login of who made the newest version
    is_removed: bool = False
    sort: str = "changed"
    is_descending: bool = True
    offset: int = 0
    limit: int = 25


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in a list, with its newest version and what it is about."""

    document: DocumentRow
    newest: VersionRow
    links: Sequence[LinkRow]


@dataclass(frozen=True, slots=True)
class Told:
    """A document whole: its versions, newest first. `goes_at` is when retention removes it."""

    document: DocumentRow
    versions: Sequence[VersionRow]
    links: Sequence[LinkRow]
    goes_at: datetime | None

    @property
    def newest(self) -> VersionRow:
        return self.versions[0]


@dataclass(frozen=True, slots=True)
class Stored:
    """A version that was taken in, and documents that hold the same file already."""

    version: VersionRow
    same: Sequence[DocumentRow]
