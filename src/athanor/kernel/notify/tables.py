"""The tables of notification. A notice is written with what it tells of, in one transaction: neither is there alone."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from athanor.kernel.database.base import Base
from athanor.kernel.database.tenancy import TenantOwned

_NEVER_TWICE = {"sqlite_autoincrement": True}  # an id is never given twice


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"  # goes out once it is due and its channel has room
    SENDING = "sending"  # a server has claimed it; kept before the first byte goes out
    SENT = "sent"  # the channel's far end has taken it
    FAILED = "failed"  # refused for now; goes out again when it is due
    GIVEN_UP = "given-up"  # refused for good, or for too long
    WITHHELD = "withheld"  # quiet hours or a limit: goes into a digest
    FOLDED = "folded"  # went into a digest
    CANCELLED = "cancelled"  # what it was to tell was over before it went out


class NoticeRow(TenantOwned, Base):
    """Something that people may have to hear of. What it came to is in `MessageRow`s."""

    __tablename__ = "notify_notices"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(300), unique=True)  # such as `alarms.occurrence:12:raised`: told of once
    topic: Mapped[str] = mapped_column(String(100), index=True)  # such as `alarms.raised`, `forms.step.overdue`
    subject: Mapped[str] = mapped_column(
        String(300), index=True
    )  # `alarms.occurrence:12`: what later notices are of too
    path: Mapped[str]  # the tag or node concerned; "" for none
    priority: Mapped[int]  # a rule.Priority
    category: Mapped[str]
    text: Mapped[dict[str, Any]] = mapped_column(JSON)  # {"title": by language, "detail": by language, …}
    link: Mapped[str]  # the page to open, from the site's root
    logins: Mapped[list[str]] = mapped_column(
        JSON
    )  # who hear of it whatever the policies say, as of a task given to them
    is_late: Mapped[bool]  # of long ago: goes into a digest, never out one by one
    is_over: Mapped[bool]  # it ends what an earlier notice of the subject began: nobody else is told, nothing escalates
    at: Mapped[datetime]
    made_at: Mapped[datetime] = mapped_column(index=True)
    routed_at: Mapped[datetime | None] = mapped_column(index=True)  # when policies were asked who is to hear of it
    fate: Mapped[str | None] = mapped_column(String(20), index=True)  # a routing.Fate; None: not routed yet
    next_step_at: Mapped[datetime | None] = mapped_column(index=True)  # when its next step of escalation is due


class ChannelRow(TenantOwned, Base):
    """A way to reach people or things: a mail server, a gateway for SMS, a group robot, a siren."""

    __tablename__ = "notify_channels"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))  # `email`, `sms`, `wecom`, `dingtalk`, `feishu`, `webhook`, …
    name: Mapped[str] = mapped_column(String(100))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # its settings; secrets sealed by the vault
    is_enabled: Mapped[bool]
    revision: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
    # How it fares. Written by whoever delivers; no part of a revision.
    last_sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")
    last_error_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)  # of the channel itself, one after the other
    failing_since: Mapped[datetime | None]
    open_until: Mapped[datetime | None]  # the circuit is open: nothing is tried before
    is_on: Mapped[bool] = mapped_column(default=False)  # of an output, such as a siren
    turns: Mapped[int] = mapped_column(default=0)  # how often that was written: two servers know of each other by it


class PolicyRow(TenantOwned, Base):
    """Who hears of what, by which channels, when, and who next if nobody acknowledges."""

    __tablename__ = "notify_policies"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `policy.Policy`
    is_enabled: Mapped[bool]
    revision: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class RosterRow(TenantOwned, Base):
    """A duty roster: who is on duty when."""

    __tablename__ = "notify_rosters"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `roster.Roster`
    revision: Mapped[int]
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class MessageRow(TenantOwned, Base):
    """One message to one recipient by one channel, and what became of it. The database lets none be there twice."""

    __tablename__ = "notify_messages"
    __table_args__ = (
        UniqueConstraint("notice_id", "policy_id", "step", "channel_id", "recipient"),
        Index("ix_notify_messages_state_due_at", "state", "due_at"),
        Index("ix_notify_messages_channel_id_state_due_at", "channel_id", "state", "due_at"),
        Index("ix_notify_messages_channel_id_sent_at", "channel_id", "sent_at"),
        _NEVER_TWICE,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notify_notices.id"))
    policy_id: Mapped[int]  # 0: none, as for a test
    step: Mapped[int]  # of escalation: 0 at first
    channel_id: Mapped[int]
    recipient: Mapped[str] = mapped_column(String(400))  # an address the channel understands; "" where it has but one
    login: Mapped[str | None] = mapped_column(index=True)  # whose it is, where it is a person's
    token: Mapped[str] = mapped_column(String(80), unique=True)  # sent along: by it the receiver knows a repetition
    state: Mapped[str] = mapped_column(String(20))  # a State
    due_at: Mapped[datetime]  # not before
    claimed_by: Mapped[str | None]  # the server that is sending it
    claimed_until: Mapped[datetime | None]
    attempts: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]
    # It may have gone out before: its server died amid sending.
    is_repeat: Mapped[bool] = mapped_column(default=False, server_default=false())
    error: Mapped[str]
    title: Mapped[str]
    body: Mapped[str]
    digest_id: Mapped[int | None]  # the message that it went out in, with others
    read_at: Mapped[datetime | None]  # in the inbox: when its reader saw it


class ReachRow(TenantOwned, Base):
    """How a person wishes to be reached: mail address, phone, ids with group robots, a browser's push subscription."""

    __tablename__ = "notify_reaches"
    __table_args__ = (UniqueConstraint("login", "kind", "address"), _NEVER_TWICE)

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(40))  # of channel
    address: Mapped[str] = mapped_column(String(1000))
    is_enabled: Mapped[bool]
    changed_at: Mapped[datetime]
    verified_at: Mapped[datetime | None]  # when a code that was sent there was entered: nothing is sent there before
    code_hash: Mapped[str] = mapped_column(String(64), default="")  # SHA-256 of that code, hexadecimal; "" for none
    code_until: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)


class WishRow(TenantOwned, Base):
    """When a person wishes not to be disturbed."""

    __tablename__ = "notify_wishes"
    __table_args__ = _NEVER_TWICE

    id: Mapped[int] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # a `quiet.Wishes`
    changed_at: Mapped[datetime]
