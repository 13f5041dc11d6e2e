import numpy as np

from athanor.kernel.alarms.finding import What
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import Limit, Side, Stale
from athanor.kernel.telemetry import Quality

from .samples import alarm, at, found, one_a_second, take

HIGH = Limit(side=Side.HIGH, at=100)
DAY_S = 86_400


def test_a_clock_that_went_back_decides_nothing_and_goes_on_from_there() -> None:
    judge = Judge([alarm(HIGH, on_s=5)], grace_us=0)
    judge.tick(at(100))
    take(judge, one_a_second([101]))
    assert found(judge.tick(at(50))) == []
    assert found(judge.tick(at(51))) == [(1, What.RAISED, 5)]


def test_a_clock_put_forward_ends_no_delay_before_samples_had_time_to_come() -> None:
    judge = Judge([alarm(HIGH, 1, on_s=30), alarm(Stale(after_s=10), 2)])
    judge.tick(at(0))
    take(judge, one_a_second([101]))
    assert found(judge.tick(at(DAY_S))) == []
    assert found(judge.tick(at(DAY_S + 9))) == []
    assert found(take(judge, [(7, 9, 99, Quality.GOOD)])) == []
    assert found(judge.tick(at(10))) == []  # put right again
    assert found(judge.tick(at(11))) == []


def test_a_clock_that_stays_where_it_was_put_is_believed() -> None:
    judge = Judge([alarm(HIGH, on_s=30)])
    judge.tick(at(0))
    take(judge, one_a_second([101]))
    judge.tick(at(DAY_S))
    assert found(judge.tick(at(DAY_S + 10))) == [(1, What.RAISED, 30)]


def test_a_source_whose_clock_is_ahead_ends_no_delay_early() -> None:
    judge = Judge([alarm(HIGH, on_s=60)], grace_us=0)
    tag, time_us, value, quality = _columns([(7, 0, 101.0), (7, 300, 101.0)])
    assert found(judge.take(tag, time_us, value, quality, now_us=at(1))) == []
    assert found(judge.tick(at(59))) == []
    assert found(judge.tick(at(60))) == [(1, What.RAISED, 60)]


def test_a_source_whose_clock_was_ahead_may_contradict() -> None:
    judge = Judge([alarm(HIGH, on_s=60)], grace_us=0)
    tag, time_us, value, quality = _columns([(7, 0, 101.0), (7, 300, 99.0)])
    assert found(judge.take(tag, time_us, value, quality, now_us=at(1))) == []
    assert found(judge.tick(at(600))) == []


def _columns(rows: list[tuple[int, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return (
        np.array([tag for tag, _, _ in rows], np.int32),
        np.array([at(second) for _, second, _ in rows], np.int64),
        np.array([value for *_, value in rows]),
        np.zeros(len(rows), np.uint8),
    )
