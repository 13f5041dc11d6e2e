"""When what people do becomes a pattern, and when it does not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.security.domain.patterns import Deed, Done, Kind, Limits, Pattern, patterns

NOW = datetime(2026, 5, 4, 8, tzinfo=UTC)
LIMITS = Limits()


def deed(kind: Deed, age_s: float, actor: str = "anna", address: str = "10.0.0.7", times: int = 1) -> Done:
    return Done(NOW - timedelta(seconds=age_s), kind, actor, address, times)


def test_many_logins_from_one_address_are_a_pattern() -> None:
    tried = [deed(Deed.SIGN_IN_REFUSED, 60, f"login{number}") for number in range(LIMITS.logins)]
    assert patterns(tried, NOW, LIMITS) == [Pattern(Kind.MANY_LOGINS, "10.0.0.7", LIMITS.logins)]
    assert patterns(tried[1:], NOW, LIMITS) == []


def test_one_login_tried_often_is_none_as_the_lock_sees_to_it() -> None:
    assert patterns([deed(Deed.SIGN_IN_REFUSED, 60)] * 50, NOW, LIMITS) == []


def test_what_comes_from_many_addresses_or_was_long_ago_is_none() -> None:
    logins = range(LIMITS.logins)
    assert patterns([deed(Deed.SIGN_IN_REFUSED, 60, f"l{n}", f"10.0.0.{n}") for n in logins], NOW, LIMITS) == []
    assert patterns([deed(Deed.SIGN_IN_REFUSED, 601, f"l{n}") for n in logins], NOW, LIMITS) == []


@pytest.mark.parametrize("times", [(20,), (1,) * 20])
def test_refusals_count_also_those_that_were_not_entered(times: tuple[int, ...]) -> None:
    refused = [deed(Deed.PERMISSION_REFUSED, 60, times=number) for number in times]
    assert patterns(refused, NOW, LIMITS) == [Pattern(Kind.REFUSALS, "anna", 20)]


def test_each_person_exports_for_themselves() -> None:
    mine = [deed(Deed.EXPORTED, 60)] * (LIMITS.exports - 1)
    assert patterns([*mine, deed(Deed.EXPORTED, 60, "bert")], NOW, LIMITS) == []
    assert [one.who for one in patterns([*mine, deed(Deed.EXPORTED, 60)], NOW, LIMITS)] == ["anna"]


addresses = st.sampled_from(["", "10.0.0.1"])
deeds = st.builds(
    deed, st.sampled_from(Deed), st.floats(0, 7200), st.sampled_from("abc"), addresses, st.integers(1, 40)
)


@given(st.lists(deeds, max_size=80), st.randoms())
def test_more_deeds_never_hide_a_pattern(done: list[Done], random: st.randoms) -> None:
    found = {(one.kind, one.who) for one in patterns(done, NOW, LIMITS)}
    fewer = random.sample(done, len(done) // 2)
    assert {(one.kind, one.who) for one in patterns(fewer, NOW, LIMITS)} <= found
