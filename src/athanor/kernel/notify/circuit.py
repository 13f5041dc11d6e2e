"""Whether a channel works: its circuit opens after a few failures of its own, and is tried now and then until it does.

What it says of itself lies in the channel's row, so that servers agree and one of them speaks for all.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.notify import notice, outbox
from athanor.kernel.notify.notice import Notice
from athanor.kernel.notify.tables import ChannelRow

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked and tried."""

    poll_s: float = 1.0
    lease_s: float = 60.0  # more than any message takes: then its server counts as dead
    first_retry_s: float = 10.0
    longest_retry_s: float = 900.0
    keep_trying: timedelta = timedelta(days=7)
    fewest_attempts: int = 20  # so that a clock set forward gives nothing up
    trips_after: int = 3  # failures of a channel, one after the other
    first_pause_s: float = 15.0
    longest_pause_s: float = 300.0
    failing_after: timedelta = timedelta(minutes=15)  # then people hear of it, by other channels

    def retry(self, attempt: int) -> timedelta:
        """How long a message waits after so many attempts: twice as long each time, and not all at once."""
        longest = min(self.first_retry_s * 2 ** min(attempt - 1, 20), self.longest_retry_s)
        return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 no secret

    def pause(self, failures: int) -> timedelta:
        """How long a channel is left alone after so many failures."""
        return timedelta(
            seconds=min(self.first_pause_s * 2 ** min(failures - self.trips_after, 20), self.longest_pause_s)
        )


async def note_failure(session: AsyncSession, channel: ChannelRow, reason: str, pace: Pace, now: datetime) -> None:
    """A channel failed. Said once in the log, and to people when it lasts. The channel's row is locked."""
    channel.failures += 1
    channel.failing_since = channel.failing_since or now
    channel.last_error, channel.last_error_at = reason, now
    if channel.failures >= pace.trips_after:
        channel.open_until = now + pace.pause(channel.failures)
    if channel.failures == pace.trips_after:
        _log.warning("notify.channel-failing", channel=channel.name, kind=channel.kind, reason=reason)
    if now - channel.failing_since >= pace.failing_after:
        await notice.put(session, [_failing(channel, channel.failing_since, reason, now)], now)


async def note_success(session: AsyncSession, channel: ChannelRow, pace: Pace, now: datetime) -> None:
    """A channel works; after a failure all that had failed for it is due at once. The channel's row is locked."""
    channel.last_sent_at = now
    if channel.failing_since is None:
        return
    since = channel.failing_since
    if channel.failures >= pace.trips_after:
        _log.info("notify.channel-recovered", channel=channel.name, kind=channel.kind, failing_since=since.isoformat())
    if await notice.is_there(session, _key(channel, since)):
        await notice.put(session, [_works_again(channel, since, now)], now)
    await outbox.let_go(session, channel.id, now)
    channel.failures, channel.failing_since, channel.open_until = 0, None, None


def _key(channel: ChannelRow, since: datetime) -> str:
    return f"notify.channel:{channel.id}:failing:{since.isoformat()}"


def _failing(channel: ChannelRow, since: datetime, reason: str, now: datetime) -> Notice:
    return Notice(
        key=_key(channel, since),
        topic="notify.channel.failing",
        subject=f"notify.channel:{channel.id}",
        title={
            "en": f"Channel {channel.name} delivers nothing",
            "zh_CN": f"通知渠道 {channel.name} 无法送达",
        },
        detail={
            "en": f"Since {since:%Y-%m-%d %H:%M} UTC: {reason}. Its messages wait and go out once it works.",
            "zh_CN": f"自 {since:%Y-%m-%d %H:%M} UTC 起：{reason}。消息已保留，恢复后自动发送。",
        },
        tenant=channel.tenant,
        priority=2,
        category="system",
        link="/notifications/channels",
        at=now,
    )


def _works_again(channel: ChannelRow, since: datetime, now: datetime) -> Notice:
    return Notice(
        key=f"notify.channel:{channel.id}:recovered:{since.isoformat()}",
        topic="notify.channel.recovered",
        subject=f"notify.channel:{channel.id}",
        title={"en": f"Channel {channel.name} works again", "zh_CN": f"通知渠道 {channel.name} 已恢复"},
        tenant=channel.tenant,
        priority=4,
        category="system",
        link="/notifications/channels",
        is_over=True,
        at=now,
    )
