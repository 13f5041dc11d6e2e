"""The tables of data sharing. Products, versions, grants and calls are never deleted: they are the record."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class ProductRow(Base):
    """A data product; what it is stands in its versions."""

    __tablename__ = "exchange_products"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)  # tenant; no foreign key, as a plant file may lack one for a while
    version: Mapped[int]  # the newest, which holds
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class VersionRow(Base):
    """What a product is or was. Never changes."""

    __tablename__ = "exchange_versions"
    __table_args__ = (UniqueConstraint("product_id", "number"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("exchange_products.id"))
    number: Mapped[int]  # 1, 2, …
    offer: Mapped[dict[str, Any]] = mapped_column(JSON)  # `Offer.to_json`
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class GrantRow(Base):
    """A request for access, and what became of it."""

    __tablename__ = "exchange_grants"
    __table_args__ = (Index("ix_exchange_grants_product_id_state", "product_id", "state"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("exchange_products.id"))
    consumer: Mapped[str | None] = mapped_column(index=True)  # tenant; None: the park's own people
    purpose: Mapped[str]
    state: Mapped[str]  # a GrantState
    ends_at: Mapped[datetime]  # asked for, then granted; excluded
    requested_by: Mapped[str]
    requested_at: Mapped[datetime]
    version: Mapped[int]  # of the product, when it was asked for
    quota: Mapped[int | None]  # calls a day of the site
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    decision: Mapped[str | None]  # the reason given
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revocation: Mapped[str | None]  # the reason given


class TokenRow(Base):
    """What a program proves itself with; it opens one grant and nothing else. Only a hash is kept."""

    __tablename__ = "exchange_tokens"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("exchange_grants.id"), index=True)
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256, hexadecimal
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class CallRow(Base):
    """One call, entered when it begins and completed when its answer has been sent."""

    __tablename__ = "exchange_calls"
    __table_args__ = (
        Index("ix_exchange_calls_grant_id_day", "grant_id", "day"),
        Index("ix_exchange_calls_product_id_day", "product_id", "day"),
        _NEVER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("exchange_grants.id"))
    product_id: Mapped[int] = mapped_column(ForeignKey("exchange_products.id"))
    caller: Mapped[str]  # login, or `token NAME`
    began_at: Mapped[datetime]
    day: Mapped[date]  # of the site's calendar
    rows: Mapped[int]
    sent_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int | None]  # None: it was never completed, as the server ended in its midst
    is_whole: Mapped[bool]  # False: it broke off


class BreachRow(Base):
    """A time in which a promise was not kept."""

    __tablename__ = "exchange_breaches"
    __table_args__ = (Index("ix_exchange_breaches_product_id_ended_at", "product_id", "ended_at"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("exchange_products.id"))
    version: Mapped[int]
    rule: Mapped[str]  # a Rule
    tags: Mapped[list[str]] = mapped_column(JSON)  # of which it was ever true in this breach
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DayRow(Base):
    """What a product's day came to; one that is entered is not looked at again."""

    __tablename__ = "exchange_days"

    product_id: Mapped[int] = mapped_column(ForeignKey("exchange_products.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # of the site's calendar
    completeness: Mapped[float | None]  # of its worst tag; None where no tag has a period
    worst: Mapped[str | None]  # path
    calls: Mapped[int]
    rows: Mapped[int] = mapped_column(BigInteger)
    sent_bytes: Mapped[int] = mapped_column(BigInteger)
