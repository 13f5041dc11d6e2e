"""The tables of documents. A row is there only while its file is: files come before rows, and go after them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base, Words
from athanor.kernel.database.tenancy import TenantOwned

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class Scan(StrEnum):
    """What the search for viruses found in a version."""

    PENDING = "pending"  # in quarantine
    CLEAN = "clean"
    INFECTED = "infected"  # kept from everybody
    UNSCANNED = "unscanned"  # no scanner is set up


class DocumentRow(TenantOwned, Base):
    """A document; what is in it stands in its versions."""

    __tablename__ = "documents_documents"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    labels: Mapped[list[str]] = mapped_column(JSON)
    retention: Mapped[str | None]  # class; None: kept for ever
    newest: Mapped[int]  # number of the newest version
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)  # when the newest version came
    found_by: Mapped[str]  # all that it is searched by, case-folded
    removed_at: Mapped[datetime | None] = mapped_column(index=True)
    removed_by: Mapped[str | None]
    removal: Mapped[str | None]  # the reason given


class VersionRow(TenantOwned, Base):
    """One file of a document. Only `scan` and `finding` change."""

    __tablename__ = "documents_versions"
    __table_args__ = (UniqueConstraint("document_id", "number"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents_documents.id", ondelete="CASCADE"))
    number: Mapped[int]  # 1, 2, …
    file_name: Mapped[str]
    media_type: Mapped[str]  # as found by what is in it
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    blob: Mapped[str] = mapped_column(index=True)  # name in the store of files
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    comment: Mapped[str]
    scan: Mapped[Scan] = mapped_column(String(16), index=True)
    finding: Mapped[str]  # name of the virus


class LinkRow(TenantOwned, Base):
    """What a document is about: an asset, an alarm, a report."""

    __tablename__ = "documents_links"
    __table_args__ = (
        UniqueConstraint("document_id", "kind", "subject"),
        Index("ix_documents_links_kind_subject", "kind", "subject"),
        _NEVER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("documents_documents.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Words(32))
    subject: Mapped[str] = mapped_column(Words(500))  # an asset's path, an alarm's or report's id
    words: Mapped[str]  # names of the subject, by which the document is found
    made_by: Mapped[str]
    made_at: Mapped[datetime]
