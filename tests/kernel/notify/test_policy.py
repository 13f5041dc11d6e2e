"""What policies are about, quiet hours, and templates that fill in words and never run anything."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from athanor.kernel.alarms.rule import Hours
from athanor.kernel.notify.policy import About, Policy, concerns
from athanor.kernel.notify.quiet import ends_at, is_within
from athanor.kernel.notify.templates import PLACEHOLDERS, Template, told

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)  # a Monday, in Shanghai
MINUTE = timedelta(minutes=1)

hours = st.builds(
    Hours,
    days=st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple),
    from_minute=st.integers(0, 1439),
    to_minute=st.integers(1, 1440),
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (as Hypothesis wants them)
zones = st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/New_York")])


def policy(**said: Any) -> Policy:
    given_: dict[str, Any] = {"name": {"en": "P"}, "steps": [{"to": [{"kind": "person", "login": "anna"}]}]}
    return Policy.model_validate(given_ | said)


def about(**said: Any) -> About:
    known: dict[str, Any] = {
        "topic": "alarms.raised", "priority": 2, "category": "process", "path": "smelter.bath.t1", "tenant": "copper",
        "texts": ("Bath too hot",),
    }  # fmt: skip
    return About(**known | said)


@given(parts=st.lists(hours, max_size=4), at=moments, zone=zones)
def test_quiet_hours_end_when_the_first_minute_is_not_quiet(parts: list[Hours], at: datetime, zone: ZoneInfo) -> None:
    end = ends_at(parts, at, zone)
    assert at <= end <= at + timedelta(days=1)
    if end < at + timedelta(days=1):
        assert not is_within(parts, end, zone)
    moment = at
    while moment < end:
        assert is_within(parts, moment, zone)
        moment += 7 * MINUTE


@given(part=hours, at=moments)
def test_every_moment_of_a_week_with_clocks_that_are_not_set_is_quiet_as_long_as_the_part_says(
    part: Hours, at: datetime
) -> None:
    start = at.replace(second=0, microsecond=0)
    week = [start + 15 * MINUTE * n for n in range(7 * 96)]
    quiet = sum(is_within([part], moment, SHANGHAI) for moment in week) / 4
    length = (part.to_minute - part.from_minute) % 1440 or 1440
    assert quiet == pytest.approx(len(part.days) * length / 60, abs=0.25 * len(part.days))


def test_hours_past_midnight_belong_to_the_day_on_which_they_begin() -> None:
    monday_night = [Hours(days=(0,), from_minute=22 * 60, to_minute=6 * 60)]
    late = datetime(2026, 6, 1, 22, tzinfo=SHANGHAI)
    assert [is_within(monday_night, late + timedelta(hours=n), SHANGHAI) for n in (-1, 0, 7, 8)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert ends_at(monday_night, late, SHANGHAI) == late + timedelta(hours=8)


def test_who_is_never_to_be_disturbed_hears_once_a_day() -> None:
    always = [Hours(from_minute=0, to_minute=1440)]
    assert ends_at(always, NOON, SHANGHAI) == NOON + timedelta(days=1)


@pytest.mark.parametrize(
    ("match", "is_fulfilled"),
    [
        ({}, True),
        ({"topics": ["alarms.*"]}, True),
        ({"topics": ["forms.*"]}, False),
        ({"priorities": [1, 2]}, True),
        ({"priorities": [1]}, False),
        ({"categories": ["safety", "process"]}, True),
        ({"categories": ["safety"]}, False),
        ({"areas": ["smelter.bath"]}, True),
        ({"areas": ["smelter.bath.t1"]}, True),
        ({"areas": ["smelter.ba"]}, False),
        ({"text": "too HOT"}, True),
        ({"text": "cold"}, False),
        ({"hours": [{"from_minute": 720, "to_minute": 780}]}, True),
        ({"hours": [{"days": [6], "from_minute": 720, "to_minute": 780}]}, False),
    ],
)
def test_a_policy_is_about_what_fulfils_all_its_parts(match: dict[str, Any], is_fulfilled: bool) -> None:
    assert concerns(policy(match=match), "copper", about(), NOON, SHANGHAI) is is_fulfilled


def test_an_enterprise_has_policies_for_its_own_and_the_park_for_all_or_some() -> None:
    assert not concerns(policy(), "carbon", about(), NOON, SHANGHAI)
    assert concerns(policy(), None, about(), NOON, SHANGHAI)
    assert not concerns(policy(match={"tenants": ["carbon"]}), None, about(), NOON, SHANGHAI)
    assert not concerns(policy(), "copper", about(tenant=None), NOON, SHANGHAI)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"after_min": 5, "to": [{"kind": "person", "login": "a"}]}], "the first step is told at once"),
        ([{"to": []}], "at least 1 item"),
        (
            [{"to": [{"kind": "person", "login": "a"}]}, {"after_min": 0, "to": [{"kind": "person", "login": "a"}]}],
            "comes later than the one before it",
        ),
        ([{"to": [{"kind": "person", "login": "a", "of": "park"}]}], "Extra inputs"),
    ],
)
def test_a_policy_that_does_not_hold_together_is_refused(steps: list[Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        policy(steps=steps)


@pytest.mark.parametrize("text", ["{title.__class__}", "{0}", "{title!r}", "{password}", "{}", "{title:>99999999}"])
def test_a_template_takes_no_placeholder_but_those_that_there_are(text: str) -> None:
    with pytest.raises(ValidationError, match="is no placeholder"):
        Template(title=text, body="")


VALUES = {name: f"<{name}>" for name in PLACEHOLDERS}


@given(value=st.text(max_size=40))
def test_what_is_filled_in_is_not_looked_into_again(value: str) -> None:
    template = Template(title="{title}|{detail}", body="{{ % $")
    said = told([template], "alarms.raised", VALUES | {"title": value, "detail": "{link}"}, "en", has_priority=True)
    assert (said.title, said.body) == (f"{value}|{{link}}", "{{ % $")


def test_the_first_template_for_topic_and_language_is_used_and_else_the_houses_words() -> None:
    templates = [
        Template(topic="forms.*", language="", title="form", body=""),
        Template(topic="alarms.*", language="zh_CN", title="报警 {title}", body=""),
        Template(topic="*", language="en", title="any {title}", body=""),
    ]
    titles = [
        told(templates, topic, VALUES, language, has_priority=True).title
        for topic, language in (("alarms.raised", "zh_CN"), ("alarms.raised", "en"), ("backup.failed", "zh_CN"))
    ]
    assert titles == ["报警 <title>", "any <title>", "【<priority>】<title>"]
