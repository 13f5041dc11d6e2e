"""The tables of identity. Of every secret only a hash is kept; a second factor's, which must be known, is encrypted."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class DepartmentRow(Base):
    """A part of an enterprise, or of the park's own staff."""

    __tablename__ = "identity_departments"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    # No foreign key: a plant file may lack a tenant for a while; what is its own then is not seen, but stays.
    tenant: Mapped[str | None] = mapped_column(index=True)
    above_id: Mapped[int | None] = mapped_column(ForeignKey("identity_departments.id"))
    name: Mapped[str]


class RoleRow(Base):
    """A role made here, beside those in `user.ROLES`."""

    __tablename__ = "identity_roles"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    title: Mapped[dict[str, str]]  # by language
    permissions: Mapped[list[str]] = mapped_column(JSON)  # patterns: `energy.view`, `alarms.*`
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class UserRow(Base):
    """A person."""

    __tablename__ = "identity_users"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(String(100), unique=True)  # folded: small letters, NFKC
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSON)
    tenant: Mapped[str | None]  # no foreign key, as above
    department_id: Mapped[int | None] = mapped_column(ForeignKey("identity_departments.id"))
    post: Mapped[str] = mapped_column(default="")  # what they are there, such as shift leader
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    language: Mapped[str | None]
    directory: Mapped[str] = mapped_column(default="local")  # who checks the password: local, ldap, oidc
    outside_id: Mapped[str | None] = mapped_column(index=True, unique=True)  # what that directory knows them by
    password_hash: Mapped[str]  # Argon2id, with its parameters; empty where another directory checks it
    password_set_at: Mapped[datetime | None]
    must_change: Mapped[bool] = mapped_column(default=False)  # the password, at the next sign-in
    second_factor: Mapped[str | None]  # the shared secret, encrypted
    second_factor_step: Mapped[int] = mapped_column(default=0)  # of the newest code taken: none is taken twice
    recovery_hashes: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]


class SessionRow(Base):
    """Someone signed in somewhere."""

    __tablename__ = "identity_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hexadecimal
    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id", ondelete="CASCADE"), index=True)
    lacks: Mapped[str | None]  # a `Lack`: what is to be done before it opens anything
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str]
    agent: Mapped[str] = mapped_column(default="")  # what the browser says that it is


class SignInFailureRow(Base):
    """Attempts in a row on one login, known or not. Hashed, since people type passwords into the wrong field."""

    __tablename__ = "identity_sign_in_failures"

    login_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    attempts: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class InvitationRow(Base):
    """A link that lets somebody make an account, or set a new password, once."""

    __tablename__ = "identity_invitations"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    login: Mapped[str]
    name: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSON)
    tenant: Mapped[str | None] = mapped_column(index=True)
    department_id: Mapped[int | None] = mapped_column(ForeignKey("identity_departments.id", ondelete="SET NULL"))
    post: Mapped[str]
    for_user_id: Mapped[int | None] = mapped_column(ForeignKey("identity_users.id", ondelete="CASCADE"))
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class TokenRow(Base):
    """What a program proves itself with, for a person and within scopes."""

    __tablename__ = "identity_tokens"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("identity_users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(JSON)  # permission patterns
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_from: Mapped[str | None]
    revoked_at: Mapped[datetime | None]


class GrantRow(Base):
    """What a tenant lets another one, or the park, see of its own. Never deleted: it is the record."""

    __tablename__ = "identity_grants"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(index=True)  # tenant
    consumer: Mapped[str] = mapped_column(index=True)  # tenant
    area: Mapped[str]  # path of a node
    kinds: Mapped[list[str]] = mapped_column(JSON)  # of tags; empty: all
    data_from: Mapped[datetime | None]
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]  # excluded
    purpose: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    revoked_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]
    revocation: Mapped[str | None]  # the reason given


class EdgeTokenRow(Base):
    """What an edge proves itself with."""

    __tablename__ = "identity_edge_tokens"

    edge: Mapped[str] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class AuditRow(Base):
    """Who did what, to what, when, from where. Append-only: the database refuses to change or delete a row."""

    __tablename__ = "identity_audit"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(index=True)
    action: Mapped[str] = mapped_column(index=True)
    subject: Mapped[str]
    address: Mapped[str]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    chain: Mapped[str] = mapped_column(String(64))  # SHA-256 of the row before and this one, hexadecimal


class AuditHeadRow(Base):
    """Where the trail ends: one row, so that a trail cut short is found."""

    __tablename__ = "identity_audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # always 1
    rows: Mapped[int]
    chain: Mapped[str] = mapped_column(String(64))
