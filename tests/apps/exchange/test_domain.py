"""What is offered survives its storing; differences and promises are found by plain rules."""

from datetime import UTC, datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from athanor.apps.exchange.domain.offer import Column, Contract, Difference, Offer, differences
from athanor.apps.exchange.domain.promises import completeness, overdue, schema_faults

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
POWER, STEAM = Column("works.power", "kW", "analog"), Column("works.steam", "t/h", "analog")
moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
texts = st.dictionaries(st.sampled_from(["en", "zh_CN"]), st.text(max_size=20))
offers = st.builds(
    Offer,
    name=texts,
    description=texts,
    columns=st.lists(
        st.builds(Column, st.text("abc.", min_size=1), st.sampled_from(["kW", "t/h"]), st.sampled_from(["analog"])),
        unique_by=lambda column: column.path,
        max_size=4,
    ).map(tuple),
    step=st.sampled_from([None, "15m", "day"]),
    how=st.sampled_from(["mean", "max"]),
    back_days=st.floats(1, 4000),
    purpose=st.text(max_size=20),
    contact=st.text(max_size=20),
    contract=st.builds(
        Contract,
        valid_from=moments,
        valid_to=st.none() | moments,
        freshness_min=st.none() | st.floats(1, 100),
        completeness=st.none() | st.floats(0.1, 1),
    ),
)


@given(offer=offers)
def test_an_offer_is_the_same_after_it_was_stored(offer: Offer) -> None:
    assert Offer.from_json(orjson.loads(orjson.dumps(offer.to_json()))) == offer


@given(old=offers, new=offers)
def test_there_are_differences_exactly_where_two_versions_differ(old: Offer, new: Offer) -> None:
    assert bool(differences(old, new)) == (
        {**old.to_json(), "columns": sorted(map(str, old.columns))}
        != {**new.to_json(), "columns": sorted(map(str, new.columns))}
    )


def test_a_column_that_came_went_or_changed_its_unit_is_named() -> None:
    contract = Contract(NOON)
    old = Offer({"en": "A"}, {}, (POWER, STEAM), None, "mean", 30, "p", "c", contract)
    in_mw = Column("works.power", "MW", "analog")
    new = Offer({"en": "A"}, {}, (in_mw,), None, "mean", 30, "p", "c", contract)
    assert differences(old, new) == [Difference("column", POWER, in_mw), Difference("column", STEAM, None)]


def test_a_contract_holds_from_its_start_until_before_its_end() -> None:
    contract = Contract(NOON, NOON.replace(hour=13))
    assert [contract.is_valid(NOON.replace(hour=hour)) for hour in (11, 12, 13)] == [False, True, False]


def test_a_column_with_another_unit_is_as_bad_as_one_that_is_gone() -> None:
    actual = {"works.power": Column("works.power", "MW", "analog")}
    assert schema_faults([POWER, STEAM], actual) == ["works.power", "works.steam"]
    assert schema_faults([POWER], {"works.power": POWER}) == []


def test_what_is_older_than_promised_is_named_oldest_first() -> None:
    ages = {"a": 60.0, "b": 301.0, "c": float("inf"), "d": 300.0}
    assert overdue(ages, 5) == ["c", "b"]


def test_a_day_of_23_hours_expects_23_hours_of_samples() -> None:
    assert completeness(23 * 60, 60, 23 * 3600) == 1.0
    assert completeness(12 * 60, 60, 24 * 3600) == 0.5
    with pytest.raises(ValueError, match="above 0"):
        completeness(1, 0, 3600)


@given(count=st.floats(0, 1e9), period=st.floats(0.01, 1e5), length=st.floats(1, 1e6))
def test_completeness_is_a_share(count: float, period: float, length: float) -> None:
    assert 0 <= completeness(count, period, length) <= 1
