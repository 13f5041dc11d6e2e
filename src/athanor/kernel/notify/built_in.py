"""What holds before anybody has configured anything: who hears of urgent alarms, and who of the system's troubles."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from athanor.kernel.notify.channels.inbox import INBOX
from athanor.kernel.notify.channels.port import ChannelSettings
from athanor.kernel.notify.policy import Policy
from athanor.kernel.notify.reading import InForce
from athanor.kernel.notify.tables import ChannelRow, PolicyRow

SYSTEM = "system"  # who made what nobody made

POLICIES = tuple(
    Policy.model_validate(one)
    for one in (
        {
            "name": {"en": "Critical and high alarms to the operators", "zh_CN": "紧急与高优先级报警通知操作员"},
            "match": {"topics": ["alarms.*"], "priorities": [1, 2]},
            "steps": [{"to": [{"kind": "permission", "permission": "alarms.operate", "of": "tenant-or-park"}]}],
        },
        {
            "name": {"en": "System notices to the administrators", "zh_CN": "系统通知发送给管理员"},
            "match": {"categories": ["system", "security"]},
            "steps": [{"to": [{"kind": "role", "role": "administrator", "of": "park"}]}],
        },
    )
)

_INBOX = {"settings": ChannelSettings().model_dump(), "sealed": {}}

# What a notice's own people are told by; no row of the table has this id.
DIRECT = InForce(
    0, None, Policy.model_validate({"name": {"en": "-"}, "steps": [{"to": [{"kind": "person", "login": "-"}]}]})
)


async def ensure_built_in(session: AsyncSession, now: datetime) -> None:
    """Make the inbox, and these policies where there never was one. Whoever calls keeps others from doing the same."""
    if await session.scalar(select(ChannelRow.id).where(ChannelRow.kind == INBOX).limit(1)) is None:
        session.add(
            ChannelRow(
                kind=INBOX, name="Athanor", content=_INBOX, is_enabled=True, revision=1, changed_by=SYSTEM,
                changed_at=now, retired_at=None, tenant=None,
            )
        )  # fmt: skip
    if await session.scalar(select(PolicyRow.id).limit(1)) is None:
        for policy in POLICIES:
            content = policy.model_dump(mode="json")
            session.add(
                PolicyRow(
                    content=content, is_enabled=True, revision=1, changed_by=SYSTEM, changed_at=now, retired_at=None,
                    tenant=None,
                )
            )  # fmt: skip
    await session.flush()
