"""The page of a pre-alarm says how long until the limit is reached."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Page, expect

from athanor.kernel.alarms.rule import Ramp, Rule, Side, Subject
from athanor.kernel.alarms.tables import AlarmRow, OccurrenceRow, RuleRow
from athanor.kernel.telemetry import Sample

from .site import Site

OUTPUT = "smelter.smelting.bath.furnace.output"


def test_a_pre_alarm_says_when_the_limit_is_reached(page: Page, site: Site) -> None:
    site.admit("ahead.viewer", "viewer", "copper")
    now = datetime.now(UTC)
    site.deliver([Sample(OUTPUT, now - timedelta(seconds=age), 50 - age / 30) for age in range(580, -1, -10)])
    occurrence = site.wait_for(_keep(site, now))
    site.open(page, f"/alarms/occurrences/{occurrence}", "ahead.viewer")
    card = page.get_by_role("region", name="Where it is heading")
    said = re.compile(r"At [12]\.\d\d t/h a minute it reaches the limit 90\.00 t/h in (18|19|2\d) min\.")
    expect(card).to_contain_text(said, timeout=30_000)


async def _keep(site: Site, now: datetime) -> int:
    rule = Rule(
        name={"en": "Output will be at its end", "zh_CN": "输出将到极限"},
        subject=Subject(tag=OUTPUT),
        condition=Ramp(side=Side.HIGH, at=90, window_s=600, horizon_s=1800),
    )
    made: dict[str, Any] = {"made_by": "test", "made_at": now, "changed_by": "test", "changed_at": now}
    place: dict[str, Any] = {"path": OUTPUT, "tenant": "copper", "priority": 3, "category": "process"}
    async with site.platform.database.session() as session:
        row = RuleRow(key="ahead-test", content=rule.model_dump(mode="json"), revision=1, is_enabled=False, **made)
        session.add(row)
        await session.flush()
        alarm = AlarmRow(
            rule_id=row.id, state="NORM", is_active=False, is_judged=False, is_suppressed=False, hidden_reason="",
            judged_us=0, revision=0, **place,
        )  # fmt: skip
        session.add(alarm)
        await session.flush()
        raised = OccurrenceRow(
            alarm_id=alarm.id, rule_id=row.id, raised_at=now, seen_at=now, is_announced=True, is_late=False,
            value=50.0, limit=90.0, **place,
        )  # fmt: skip
        session.add(raised)
        await session.flush()
        return raised.id
