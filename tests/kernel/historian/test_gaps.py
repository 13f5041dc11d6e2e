from datetime import timedelta

import numpy as np
import pytest

from athanor.kernel.historian.gaps import (
    NONE,
    Between,
    GapPolicy,
    UnknownGapPolicyError,
    hold,
    is_good,
    linear,
    parse_gap_policy,
    policy_for,
)
from athanor.kernel.plant.model import TagKind
from athanor.kernel.telemetry import Quality


@pytest.mark.parametrize("text", ["none", "hold 5m", "hold 90s", "linear 1h", "linear 2d"])
def test_a_policy_is_printed_as_it_is_read(text: str) -> None:
    assert str(parse_gap_policy(text)) == text


@pytest.mark.parametrize(
    "text", ["", "hold", "linear", "none 5m", "hold 0s", "hold -5m", "hold 5", "hold  5m", "step 5m"]
)
def test_a_text_that_is_no_policy_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(UnknownGapPolicyError, match="hold 5m or linear 1h"):
        parse_gap_policy(text)


def test_hold_and_linear_reach_over_nothing_without_a_limit() -> None:
    for between, limit in ((Between.HOLD, None), (Between.LINEAR, timedelta(0)), (Between.NONE, timedelta(1))):
        with pytest.raises(UnknownGapPolicyError):
            GapPolicy(between, limit)


def test_a_tag_is_drawn_as_its_kind_is() -> None:
    minute = timedelta(minutes=1)
    assert [policy_for(kind, minute) for kind in TagKind] == [
        linear(minute),
        hold(minute),
        hold(minute),
        linear(minute),
        NONE,
    ]


def test_only_numbers_of_good_quality_count() -> None:
    value = np.array([1.0, 1.0, 1.0, np.nan, np.inf])
    quality = np.array([Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.GOOD, Quality.GOOD], np.uint8)
    assert is_good(value, quality).tolist() == [True, False, False, False, False]
