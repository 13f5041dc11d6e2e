"""The park's rules from the first start on: a plant file with alarm limits has alarms without anybody's doing.

Each may be changed, disabled and retired like any other; one that was retired does not come back.
"""

from typing import Literal

from athanor.kernel.alarms.rule import BadQuality, Category, Limit, Priority, Rule, Side, Stale, Subject, Words

_LIMITS: tuple[tuple[Literal["low_low", "low", "high", "high_high"], Side, Priority, Words], ...] = (
    ("low_low", Side.LOW, Priority.HIGH, {"en": "Very low", "zh_CN": "过低"}),
    ("low", Side.LOW, Priority.MEDIUM, {"en": "Low", "zh_CN": "偏低"}),
    ("high", Side.HIGH, Priority.MEDIUM, {"en": "High", "zh_CN": "偏高"}),
    ("high_high", Side.HIGH, Priority.HIGH, {"en": "Very high", "zh_CN": "过高"}),
)
_BY_LIMIT = {
    f"plant.{limit}": Rule(name=name, subject=Subject(limit=limit), condition=Limit(side=side), priority=priority)
    for limit, side, priority, name in _LIMITS
}
# An edge that starts anew leaves a short gap in every tag: that is no alarm, and one that is over needs nobody.
_LASTS_S = 60.0
_OF_INSTRUMENTS = {
    "instrument.stale": Rule(
        name={"en": "No values come", "zh_CN": "数据中断"},
        subject=Subject(limit="any"),
        condition=Stale(),
        on_delay_s=_LASTS_S,
        acknowledges_itself=True,
        priority=Priority.LOW,
        category=Category.INSTRUMENT,
        consequence={
            "en": "The alarms of this tag stay as they are: nothing new is seen.",
            "zh_CN": "该测点的报警保持原状：看不到新的变化。",
        },
        action={
            "en": "Check the instrument, its source and the edge on Data health.",
            "zh_CN": "检查仪表、其数据源及“数据健康”中的边缘节点。",
        },
    ),
    "instrument.bad": Rule(
        name={"en": "Value cannot be used", "zh_CN": "数值不可用"},
        subject=Subject(limit="any"),
        condition=BadQuality(),
        on_delay_s=_LASTS_S,
        acknowledges_itself=True,
        priority=Priority.LOW,
        category=Category.INSTRUMENT,
        consequence={
            "en": "The alarms of this tag stay as they are: its values are bad.",
            "zh_CN": "该测点的报警保持原状：其数值质量为坏。",
        },
        action={
            "en": "Check the instrument; until then watch a second one.",
            "zh_CN": "检查仪表；期间请参看其他仪表。",
        },
    ),
}

BUILT_IN: dict[str, Rule] = _BY_LIMIT | _OF_INSTRUMENTS
