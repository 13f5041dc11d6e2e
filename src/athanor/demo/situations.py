"""What is wrong in the reference plant, when and how much: the truth that detection is measured against.

Times are in days and hours of the plant since the demo's history began, or in seconds since it went live. README.md
shows this list to people; a test holds the two together.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from athanor.demo.clock import Moments
from athanor.kernel.errors import NotFoundError
from athanor.kernel.plant.model import Text


class Shape(StrEnum):
    """How a situation comes on."""

    STEP = "step"  # at once, and goes at once
    RAMP = "ramp"  # evenly from its start to its end; then it stays
    GROWTH = "growth"  # exponentially from a hundredth at its start to all at its end; then it stays


@dataclass(frozen=True, slots=True)
class LiveWindow:
    """Returns in the live run: first at `first_s` after it began (before it, where negative), then every `every_s`."""

    first_s: float
    length_s: float
    every_s: float


@dataclass(frozen=True, slots=True)
class Situation:
    """One planted truth."""

    id: str
    summary: Text
    tags: tuple[str, ...]  # where it shows
    start_day: float  # since the history began; whole part days, the rest of the plant's day
    end_day: float | None  # None: still there
    size: float
    unit: str
    shape: Shape = Shape.STEP
    live: LiveWindow | None = None

    def strength(self, moments: Moments) -> np.ndarray:
        """How much of it is there at each instant, 0 to 1. [T]"""
        day = moments.day
        end = np.inf if self.end_day is None else self.end_day
        match self.shape:
            case Shape.STEP:
                strength = ((day >= self.start_day) & (day < end)).astype(float)
            case Shape.RAMP:
                strength = np.clip((day - self.start_day) / (end - self.start_day), 0, 1)
            case Shape.GROWTH:
                part = (day - self.start_day) / (end - self.start_day)
                strength = np.where(part < 0, 0.0, 0.01 ** (1 - np.clip(part, 0, 1)))
        if self.live is not None:
            since = moments.live_s - self.live.first_s
            strength = np.maximum(strength, (since >= 0) & (since % self.live.every_s < self.live.length_s))
        return strength


def at(day: int, hour: int, minute: int = 0) -> float:
    """A time of the plant in days since the history began."""
    return day + hour / 24 + minute / 1440


_FEEDER = "carbon.power.intake.feeder_grinding"
_SMELTER_FEEDER = "smelter.power.substation"

SITUATIONS: tuple[Situation, ...] = (
    Situation(
        "circulator-valve",
        {
            "en": "Circulator 1 draws 28.1 kW more than circulator 3 (675 kWh a day) until its valve is repaired.",
            "zh_CN": "1号循环机比3号多耗28.1 kW（每天675 kWh），直到气阀修复。",
        },
        ("syngas.synthesis.circulation.circulator_1.power", "syngas.synthesis.circulation.circulator_3.power"),
        at(18, 0),
        at(42, 0),
        28.125,
        "kW",
    ),
    Situation(
        "circulator-residual",
        {
            "en": "After the repair circulator 1 still draws 4.6 kW more than circulator 3 (110 kWh a day).",
            "zh_CN": "修复后1号循环机仍比3号多耗4.6 kW（每天110 kWh）。",
        },
        ("syngas.synthesis.circulation.circulator_1.power", "syngas.synthesis.circulation.circulator_3.power"),
        at(42, 0),
        None,
        4.583,
        "kW",
    ),
    Situation(
        "late-fan",
        {
            "en": "The exhaust fan runs on for 20 min after each of the four daily stops of mill 2; then 45 s.",
            "zh_CN": "2号磨每天四次停机后，排风机各多运行20分钟；整改后为45秒。",
        },
        ("carbon.milling.mills.exhaust_fan.running", f"{_FEEDER}.exhaust_fan.power"),
        at(0, 0),
        at(45, 0),
        20.0,
        "min",
    ),
    Situation(
        "mill-drift",
        {
            "en": "Vertical mill 1 drifts from 23.5 to 26 kWh/t in 12 days and is put right on day 38.",
            "zh_CN": "1号立磨12天内由23.5升至26 kWh/t，第38天恢复。",
        },
        ("carbon.milling.mills.mill_1.specific_energy", f"{_FEEDER}.mill_1.power"),
        at(26, 0),
        at(38, 0),
        2.5,
        "kWh/t",
        Shape.RAMP,
    ),
    Situation(
        "valley-share",
        {
            "en": "The grinding feeder uses too little in the valley hours: 27 % of its energy, target 40 %.",
            "zh_CN": "磨粉线谷段用电占比过低：27%，目标40%。",
        },
        (f"{_FEEDER}.power", f"{_FEEDER}.energy"),
        at(0, 0),
        None,
        27.0,
        "%",
    ),
    Situation(
        "idle-line",
        {
            "en": "Auxiliaries of the hard-coating line idle at 42 kW from 17:00 to 23:00 every day, until day 31.",
            "zh_CN": "硬质氧化线辅机每天17:00—23:00空转42 kW，至第31天。",
        },
        ("carbon.finishing.line.auxiliaries.power", f"{_FEEDER}.finishing_line.power"),
        at(0, 17),
        at(30, 23),
        42.0,
        "kW",
    ),
    Situation(
        "steam-leak",
        {
            "en": "The steam line to canteen and baths leaks 0.85 t/h; it shows at night, when nothing should flow.",
            "zh_CN": "食堂浴室蒸汽管泄漏0.85 t/h，夜间本应无流量时可见。",
        },
        ("smelter.utilities.steam.baths.flow",),
        at(26, 21),
        at(52, 10),
        0.85,
        "t/h",
    ),
    Situation(
        "frozen-meter",
        {
            "en": "The meter of waste-water treatment is frozen: power and register stand still.",
            "zh_CN": "废水处理电表卡死：功率与电量不变。",
        },
        (f"{_SMELTER_FEEDER}.feeder_water.waste_water.power", f"{_SMELTER_FEEDER}.feeder_water.waste_water.energy"),
        at(37, 10),
        at(39, 16),
        54.0,
        "h",
    ),
    Situation(
        "jumping-meter",
        {
            "en": "The water meter of the acid plant jumps to 3 times the true flow in every tenth minute.",
            "zh_CN": "制酸水表每十分钟有一分钟跳到实际流量的3倍。",
        },
        ("smelter.utilities.water.acid.flow",),
        at(47, 6),
        at(49, 18),
        3.0,
        "1",
    ),
    Situation(
        "bearing-outer-race",
        {
            "en": "An outer-race defect grows on circulation pump 2: envelope amplitude to 9 m/s2 by day 62.",
            "zh_CN": "2号循环泵轴承外圈缺陷发展：第62天包络幅值达9 m/s²。",
        },
        tuple(
            f"smelter.tankhouse.electrolyte.pump_2.vibration.{tag}"
            for tag in ("envelope_bpfo", "kurtosis", "acceleration_peak", "velocity_rms", "temperature")
        ),
        at(24, 0),
        at(62, 0),
        9.0,
        "m/s2",
        Shape.GROWTH,
    ),
    Situation(
        "fan-unbalance",
        {
            "en": "Dust builds up on dust fan 2: velocity at running speed rises by 4.2 mm/s in six days and stays.",
            "zh_CN": "2号排烟机积灰：六天内一倍频振速上升4.2 mm/s并保持。",
        },
        ("smelter.smelting.gas.fan_2.vibration.amplitude_1x", "smelter.smelting.gas.fan_2.vibration.velocity_rms"),
        at(44, 8),
        at(50, 8),
        4.2,
        "mm/s",
        Shape.RAMP,
    ),
    Situation(
        "so2-excursion",
        {
            "en": "SO2 capture falls by 0.12 points: 500 mg/m3 in the stack for 40 min; every 3 h when live.",
            "zh_CN": "SO2吸收率下降0.12个百分点：尾气约500 mg/m³，持续40分钟；实时运行时每3小时重复。",
        },
        ("smelter.acid.stack.monitor.so2", "smelter.acid.conversion.gas.conversion"),
        at(22, 13, 10),
        at(22, 13, 50),
        0.12,
        "%",
        live=LiveWindow(first_s=-4200, length_s=2400, every_s=10_800),
    ),
    Situation(
        "furnace-temperature",
        {
            "en": "The bath runs 58 K hot for 90 min and crosses both high alarm limits; 12 min every 2 h when live.",
            "zh_CN": "熔体温度偏高58 K，持续90分钟，越过两级高报；实时运行时每2小时12分钟。",
        },
        ("smelter.smelting.bath.furnace.bath_temperature", "smelter.smelting.bath.furnace.slag_temperature"),
        at(29, 3, 20),
        at(29, 4, 50),
        58.0,
        "K",
        live=LiveWindow(first_s=240, length_s=720, every_s=7200),
    ),
)

NAMES = tuple(situation.id for situation in SITUATIONS)


def situation(name: str) -> Situation:
    """Raises NotFoundError."""
    for candidate in SITUATIONS:
        if candidate.id == name:
            return candidate
    raise NotFoundError("situation", name)
