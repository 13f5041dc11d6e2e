"""Pages and routes of Security."""

import httpx
from sqlalchemy import select

from athanor.kernel.identity.tables import AuditRow

from ..site import Site
from . import Example

_ADMINISTER = "security.administer"


def prepare(owner: httpx.Client, site: Site) -> dict[str, str]:
    """An entry of the audit trail about somebody of the copper works."""

    async def find() -> int:
        async with site.platform.database.reading() as session:
            query = select(AuditRow.id).where(AuditRow.actor == "walk-copper").order_by(AuditRow.id.desc())
            return (await session.scalars(query)).first() or 0

    return {"entry": str(site.wait_for(find()))}


EXAMPLES = [
    Example("/security", _ADMINISTER),
    Example("/security/audit", _ADMINISTER),
    Example("/security/audit/{number}", _ADMINISTER, path={"number": "{entry}"}, names=True),
    Example("/api/v1/security/audit", _ADMINISTER),
    Example("/api/v1/security/audit/export", _ADMINISTER),
    Example("/api/v1/security/audit/verify", _ADMINISTER, "POST", names=True),
    Example("/api/v1/security/audit/{number}", _ADMINISTER, path={"number": "{entry}"}, names=True),
    Example("/api/v1/security/posture", _ADMINISTER),
]
