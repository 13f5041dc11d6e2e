import numpy as np
import pytest

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Limit, Side
from athanor.kernel.telemetry import Quality

from .samples import alarm, at, found, one_a_second, take

HIGH = Limit(side=Side.HIGH, at=100, deadband=2)
LOW = Limit(side=Side.LOW, at=10, deadband=1)

EXAMPLE = [99.0] * 10 + [101.0] * 3 + [99.0] * 7 + [101.0] * 20 + [98.5] * 10 + [97.9] * 20


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
def test_the_reference_example_raises_at_25_and_returns_at_60(cut: int) -> None:
    judge = Judge([alarm(HIGH, on_s=5, off_s=10)])
    rows = one_a_second(EXAMPLE)
    told = [one for begin in range(0, len(rows), cut) for one in found(take(judge, rows[begin : begin + cut]))]
    assert told == [(1, What.RAISED, 25), (1, What.CLEARED, 60)]


def test_an_alarm_is_raised_at_the_end_of_the_delay_though_no_sample_falls_there() -> None:
    judge = Judge([alarm(HIGH, on_s=5)])
    findings = take(judge, [(7, 0, 101, Quality.GOOD), (7, 60, 104, Quality.GOOD)])
    assert found(findings) == [(1, What.RAISED, 5)]
    assert (findings.value.tolist(), findings.limit.tolist()) == ([101], [100])


def test_the_clock_ends_a_delay_once_a_sample_on_its_way_would_have_come() -> None:
    judge = Judge([alarm(HIGH, on_s=5)], grace_us=2_000_000)
    take(judge, one_a_second([101]))
    assert found(judge.tick(at(6.9))) == []
    assert found(judge.tick(at(7))) == [(1, What.RAISED, 5)]
    assert found(judge.tick(at(8))) == []


def test_a_low_limit_is_the_mirror_image() -> None:
    judge = Judge([alarm(LOW)])
    findings = take(judge, one_a_second([10.1, 10, 11, 11.1]))
    assert found(findings) == [(1, What.RAISED, 1), (1, What.CLEARED, 3)]
    assert findings.value.tolist() == [10, 11.1]
    assert findings.is_active.tolist() == [True, False]


def test_a_bad_sample_neither_raises_nor_clears() -> None:
    judge = Judge([alarm(HIGH)])
    rows = [(7, 0, 300, Quality.BAD), (7, 1, 101, Quality.UNCERTAIN), (7, 2, 0, Quality.BAD), (7, 3, 101, Quality.GOOD)]
    assert found(take(judge, rows)) == [(1, What.RAISED, 1)]


def test_a_delay_stands_still_while_the_quality_is_bad() -> None:
    judge = Judge([alarm(HIGH, on_s=10)])
    take(judge, [(7, 0, 101, Quality.GOOD), (7, 4, None, Quality.BAD), (7, 30, 101, Quality.GOOD)])
    assert found(take(judge, [(7, 50, 101, Quality.GOOD)])) == [(1, What.RAISED, 36)]


def test_a_value_back_at_the_very_end_of_the_delay_raises_nothing() -> None:
    judge = Judge([alarm(HIGH, on_s=5)])
    assert found(take(judge, [(7, 0, 101, Quality.GOOD), (7, 5, 99, Quality.GOOD)])) == []


def test_late_and_repeated_samples_are_left_out() -> None:
    judge = Judge([alarm(HIGH)])
    take(judge, one_a_second([99, 99]))
    assert found(take(judge, [(7, 1, 101, Quality.GOOD), (7, 0.5, 101, Quality.GOOD)])) == []
    assert judge.seen_us.tolist() == [at(1)]


def test_samples_of_one_batch_are_judged_in_order_of_time() -> None:
    judge = Judge([alarm(HIGH)])
    rows = list(reversed(one_a_second([99, 101, 101, 97])))
    assert found(take(judge, rows)) == [(1, What.RAISED, 1), (1, What.CLEARED, 3)]


def test_tags_that_no_alarm_looks_at_are_passed_over() -> None:
    judge = Judge([alarm(HIGH)])
    assert found(take(judge, [(8, 0, 500, Quality.GOOD), (900_000, 0, 500, Quality.GOOD)])) == []
    assert found(take(Judge([]), one_a_second([1]))) == []


def test_several_alarms_look_at_one_tag() -> None:
    higher = Limit(side=Side.HIGH, at=110, deadband=2)
    judge = Judge([alarm(HIGH, 1), alarm(higher, 2), alarm(LOW, 3)])
    assert found(take(judge, one_a_second([101, 111, 105, 0]))) == [
        (1, What.RAISED, 0),
        (2, What.RAISED, 1),
        (2, What.CLEARED, 2),
        (1, What.CLEARED, 3),
        (3, What.RAISED, 3),
    ]


def test_a_judge_made_anew_goes_on_where_the_old_one_was() -> None:
    first = Judge([alarm(HIGH, 1, on_s=5), alarm(LOW, 2, tag=9)])
    take(first, one_a_second([101, 101]))
    take(first, one_a_second([0], tag=9))
    second = Judge([alarm(LOW, 2, tag=9), alarm(HIGH, 3, tag=4), alarm(HIGH, 1, on_s=5)])
    second.restore(first.state())
    assert found(take(second, one_a_second([101, 101]))) == []
    assert found(take(second, [(7, 6, 101, Quality.GOOD), (9, 6, 20, Quality.GOOD)])) == [
        (1, What.RAISED, 5),
        (2, What.CLEARED, 6),
    ]


def test_what_the_database_knows_of_an_alarm_wins() -> None:
    judge = Judge([alarm(HIGH)])
    judge.set_active(1, True, at(0))
    judge.set_active(99, True, at(0))
    assert found(take(judge, one_a_second([101, 97], begin_s=1))) == [(1, What.CLEARED, 2)]


def test_state_is_the_judges_own_and_does_not_change_afterwards() -> None:
    judge = Judge([alarm(HIGH)])
    state = judge.state()
    take(judge, one_a_second([101]))
    assert not np.any(state["alarm.active"])


def test_findings_of_one_alarm_are_each_later_than_the_one_before() -> None:
    judge = Judge([alarm(HIGH, on_s=5)])
    take(judge, one_a_second([101]))
    judge.tick(at(60))  # raised at 5: a sample of second 3 comes too late to contradict
    assert found(take(judge, [(7, 3, 90, Quality.GOOD)])) == [(1, What.CLEARED, 5.000001)]
