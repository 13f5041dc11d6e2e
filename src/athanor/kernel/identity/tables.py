"""The tables of identity. Of every secret only a hash is kept."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base


class UserRow(Base):
    """A person with a local account."""

    __tablename__ = "identity_users"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # an id is never given twice

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100), unique=True)  # folded: small letters, NFKC
    name: Mapped[str]
    role: Mapped[str]
    # No foreign key: a plant file may lack a tenant for a while; its people then see nothing, but stay.
    tenant: Mapped[str | None]
    language: Mapped[str | None]
    password_hash: Mapped[str]  # Argon2id, with its parameters
    created_at: Mapped[datetime]


class SessionRow(Base):
    """Someone signed in somewhere."""

    __tablename__ = "identity_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hexadecimal
    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str]


class SignInFailureRow(Base):
    """Attempts in a row on one login, known or not. Hashed, since people type passwords into the wrong field."""

    __tablename__ = "identity_sign_in_failures"

    login_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class EdgeTokenRow(Base):
    """What an edge proves itself with."""

    __tablename__ = "identity_edge_tokens"

    edge: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class AuditRow(Base):
    """Who did what, to what, when, from where. Append-only: the database refuses to change or delete a row."""

    __tablename__ = "identity_audit"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012  # an id is never given twice

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    address: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
