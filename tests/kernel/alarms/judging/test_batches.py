"""However samples are cut into batches, what is found is what a plain loop over them finds."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from athanor.kernel.alarms.instance import Instance
from athanor.kernel.alarms.judging import Judge
from athanor.kernel.alarms.rule import (
    BadQuality,
    Condition,
    Cusum,
    Deviation,
    Ewma,
    Expression,
    Frozen,
    InState,
    Jump,
    Limit,
    Ramp,
    Rate,
    Side,
    Stale,
)
from athanor.kernel.telemetry import Quality

from .plain import Found, Plain, both, either
from .samples import Row, alarm, at, take

END_S = 1000.0
TAGS = (7, 8, 9)

CONDITIONS: Sequence[Condition] = (
    Limit(side=Side.HIGH, at=5, deadband=2),
    Limit(side=Side.LOW, at=3),
    Rate(at=30, window_s=4, deadband=10),
    Rate(side=Side.LOW, at=20, window_s=7),
    Deviation(reference=".other", at=3, deadband=1),
    Deviation(reference=".other", side=Side.LOW, at=2),
    InState(states=(1, 4, "off")),
    InState(states=("on",), is_in=False),
    Stale(after_s=3),
    BadQuality(),
    Frozen(for_s=3, band=1),
    Jump(by=4, calm_s=3),
    Jump(by=2, calm_s=0),
    Ewma(mean=5, sigma=2, width=1.5),
    Cusum(mean=5, sigma=1, interval=4),
    Ramp(side=Side.HIGH, at=8.37, window_s=6, horizon_s=3.3),
    Expression(formula="{.one} / {.other} > 1 and {.one} + {.other} < 12"),
    Expression(formula="not {.one} > 4 or abs({.other} - 5) >= 3"),
)
_PYTHON = {
    "{.one} / {.other} > 1 and {.one} + {.other} < 12": lambda one, other: both(
        lambda: one / other > 1, lambda: one + other < 12
    ),
    "not {.one} > 4 or abs({.other} - 5) >= 3": lambda one, other: either(
        lambda: not one > 4, lambda: abs(other - 5) >= 3
    ),
}

_values = st.one_of(
    st.integers(0, 9).map(float), st.integers(0, 9).map(float), st.none(), st.sampled_from(["on", "off"])
)
_qualities = st.sampled_from([Quality.GOOD, Quality.GOOD, Quality.UNCERTAIN, Quality.BAD])
_gaps = st.sampled_from([0.5, 1.0, 1.0, 2.0, 7.5])


@st.composite
def streams(draw: st.DrawFn) -> list[Row]:
    """Samples of three tags in order of time, many of them of the same time."""
    rows: list[Row] = []
    second = 0.0
    for _ in range(draw(st.integers(1, 40))):
        second += draw(_gaps)
        tags = draw(st.lists(st.sampled_from(TAGS), min_size=1, max_size=3, unique=True))
        rows += [(tag, second, draw(_values), draw(_qualities)) for tag in tags]
    return rows


def instances(on_s: float, off_s: float) -> list[Instance]:
    return [
        alarm(
            condition,
            number,
            tag=None if isinstance(condition, Expression) else 7,
            on_s=on_s,
            off_s=off_s,
            names={".one": 7, ".other": 8} if isinstance(condition, Expression) else _names(condition),
        )
        for number, condition in enumerate(CONDITIONS, 1)
    ]


def _names(condition: Condition) -> dict[str, int]:
    return {".other": 8} if isinstance(condition, Deviation) else {}


def judged(rows: Sequence[Row], cuts: Sequence[int], alarms: Sequence[Instance], *, anew: bool = False) -> list[Found]:
    judge = Judge(alarms, grace_us=0)
    found: list[Found] = []
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        findings = [take(judge, rows[begin:end])]
        if anew:
            state = judge.state()
            judge = Judge(list(reversed(alarms)), grace_us=0)
            judge.restore(state)
        if end == len(rows):
            findings.append(judge.tick(at(END_S)))
        for one in findings:
            found += zip(one.alarm.tolist(), one.what.tolist(), one.at_us.tolist(), strict=True)
    return sorted(found, key=lambda row: (row[0], row[2]))


@settings(max_examples=100, deadline=None)
@given(data=st.data(), rows=streams(), on_s=st.sampled_from([0, 1, 2.5]), off_s=st.sampled_from([0, 1.5]))
def test_any_cutting_into_batches_finds_what_a_plain_loop_finds(
    data: st.DataObject, rows: list[Row], on_s: float, off_s: float
) -> None:
    alarms = instances(on_s, off_s)
    expected = [
        one
        for instance in alarms
        for one in Plain(instance, _PYTHON.get(getattr(instance.condition, "formula", ""))).all(rows, END_S)
    ]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=8), label="cuts"))
    assert judged(rows, cuts, alarms) == expected
    assert judged(rows, cuts, alarms, anew=True) == expected
    shuffled = [
        row
        for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True)
        for row in data.draw(st.permutations(rows[begin:end]), label="batch")
    ]
    assert judged(shuffled, cuts, alarms) == expected
