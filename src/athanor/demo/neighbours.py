"""The synthesis-gas plant, the activated-carbon plant and the park around them."""

import numpy as np

from athanor.demo.stretch import Stretch

CIRCULATORS = "syngas.synthesis.circulation"
MILL_1_T_PER_H, MILL_1_KWH_PER_T = 18.0, 23.5
MILL_2_KW, EXHAUST_FAN_KW = 260.0, 195.0
MILL_2_RUNS = ((1.0, 5.5), (7.5, 12.5), (13.5, 18.0), (19.0, 23.0))  # hours of the day; four stops
MILL_2_NIGHT_RUNS = ((0.0, 2.0), (2.5, 4.5), (5.0, 6.75), (23.25, 24.0))  # what an eye on the tariff would choose
LATE_STOP_S, PROMPT_STOP_S = 1200.0, 45.0
IDLE_LINE_KW = 42.0


def run_weather(stretch: Stretch) -> None:
    """Air temperature by season and hour; `degc:ambient` for all who need it."""
    moments, values = stretch.moments, stretch.values
    sun = np.maximum(np.sin((moments.hour - 6) / 12 * np.pi), 0.0)
    cloud = np.clip(0.75 + stretch.wander("weather.cloud", 0.2, 14_400), 0.15, 1)
    ambient = 11 + 6.5 * np.sin((moments.hour - 9) / 12 * np.pi) + stretch.wander("weather.temperature", 3.2, 172_800)
    stretch.activity["degc:ambient"] = ambient
    mast = "commons.environment.weather.mast"
    gust = stretch.wander("weather.wind", 0.5, 5400)
    values |= {
        f"{mast}.temperature": ambient + stretch.noise(0.05),
        f"{mast}.humidity": np.clip(58 - 1.8 * (ambient - 11) + stretch.wander("weather.humidity", 7, 43_200), 5, 100),
        f"{mast}.wind_speed": 2.9 * np.exp(gust) + np.abs(stretch.noise(0.25)),
        f"{mast}.wind_direction": (310 + stretch.wander("weather.direction", 55, 21_600) + stretch.noise(6)) % 360,
        f"{mast}.rain": np.maximum(stretch.wander("weather.rain", 1.2, 7200) - 2.3, 0) * 6,
        f"{mast}.radiation": 820 * sun * cloud,
    }


def run_syngas(stretch: Stretch) -> None:
    """Circulators 1 and 3 share the loop evenly; what 1 draws beyond 3 is the planted gap."""
    values = stretch.values
    pace = 0.98 + stretch.wander("synthesis.pace", 0.012, 7200)
    stretch.activity |= {"synthesis": pace, "standby": stretch.full(0.0), "always": stretch.full(1.0)}
    shared = 612 * pace + stretch.wander("circulators.shared", 2.5, 600)
    gap = 28.125 * stretch.strength("circulator-valve") + 4.583 * stretch.strength("circulator-residual")
    gap = stretch.lag("circulator.gap", gap * (1 + stretch.wander("circulator.gap.wander", 0.05, 7200)), 30)
    powers = {1: shared + gap, 2: stretch.full(0.0), 3: shared, 4: stretch.full(0.0)}
    for number, power in powers.items():
        path = f"{CIRCULATORS}.circulator_{number}"
        runs = power > 0
        measured = np.where(runs, power + stretch.noise(0.6), 0.0)
        values |= {
            f"{path}.power": measured,
            f"{path}.energy": stretch.memory.count(f"circulator.{number}", measured, 4_000_000.0 + 10_000 * number),
            f"{path}.current": measured / (np.sqrt(3) * 10 * 0.89),
            f"{path}.flow": np.where(runs, 61_500 * pace + stretch.noise(120), 0.0),
        }
    stretch.activity["kw:circulators"] = np.sum(
        [values[f"{CIRCULATORS}.circulator_{number}.power"] for number in powers], axis=0
    )
    ammonia = 14.6 * pace + stretch.wander("ammonia", 0.08, 3600)
    reactor = "syngas.synthesis.loop.reactor"
    values |= {
        f"{reactor}.ammonia_rate": ammonia,
        f"{reactor}.ammonia_total": stretch.memory.count("ammonia.total", ammonia, 88_125.0),
        f"{reactor}.make_up_flow": ammonia / 17.031 * 2000 * 22.414 + 2150 * pace,
    }


def run_carbon(stretch: Stretch) -> None:
    """Kilns, boilers, two mills, the finishing line."""
    values = stretch.values
    _fire_kilns(stretch)
    _grind(stretch)
    _finish(stretch)
    product = np.sum([values[f"carbon.activation.kilns.kiln_{number}.product_rate"] for number in (1, 2, 3)], axis=0)
    silo = "carbon.milling.product.silo"
    values[f"{silo}.product_rate"] = product
    values[f"{silo}.product_total"] = stretch.memory.count("carbon.total", product, 18_440.0)


def _fire_kilns(stretch: Stretch) -> None:
    values, steam = stretch.values, stretch.full(0.0)
    for number in (1, 2, 3):
        path = f"carbon.activation.kilns.kiln_{number}"
        since_stop_h = ((stretch.moments.day - 5.2 - 4 * number) % 16) * 24
        runs = stretch.lag(f"kiln.{number}", np.where(since_stop_h < 9, 0.0, 1.0), 900)
        feed = np.maximum(1.85 * runs + stretch.wander(f"kiln.{number}.feed", 0.03, 1800) * (runs > 0.5), 0)
        stretch.activity[f"kiln_{number}"] = runs
        values |= {
            f"{path}.feed_rate": feed,
            f"{path}.steam_flow": 1.35 * feed,
            f"{path}.product_rate": stretch.lag(f"kiln.{number}.product", 0.41 * feed, 5400),
        }
        steam = steam + 1.35 * feed
    stretch.activity["kilns"] = np.mean([stretch.activity[f"kiln_{number}"] for number in (1, 2, 3)], axis=0)
    raised = stretch.lag("boilers.steam", steam + 1.2, 180)
    stretch.activity["steam_raising"] = raised / 8.7
    for number, share in ((1, 0.55), (2, 0.45)):
        path = f"carbon.activation.boilers.boiler_{number}"
        values |= {
            f"{path}.steam_flow": share * raised,
            f"{path}.feed_water_flow": share * raised * 1.03,
            f"{path}.gas_flow": share * raised * 76,
        }


def _runs(stretch: Stretch, runs: tuple[tuple[float, float], ...], late_s: np.ndarray | float = 0.0) -> np.ndarray:
    """1 from the start of each daily run to its end and `late_s` beyond. [T]"""
    second = np.rint(stretch.moments.hour * 3600)
    runs_now: np.ndarray = np.any(
        [(second >= start * 3600) & (second - end * 3600 < late_s) for start, end in runs], axis=0
    )
    return runs_now.astype(float)


def _grind(stretch: Stretch) -> None:
    values = stretch.values
    spends_in_the_valley = "valley-share" in stretch.without
    mill_1 = (
        1 - np.maximum(stretch.within((9, 12)), stretch.within((18, 21))) if spends_in_the_valley else stretch.full(1.0)
    )
    drifting = stretch.strength("mill-drift") * (stretch.moments.day < 38)
    specific = MILL_1_KWH_PER_T + 2.5 * drifting + stretch.wander("mill_1.specific", 0.12, 3600)
    feed_1 = MILL_1_T_PER_H * mill_1 * (1 + stretch.wander("mill_1.feed", 0.012, 900))
    schedule = MILL_2_NIGHT_RUNS if spends_in_the_valley else MILL_2_RUNS
    mill_2 = _runs(stretch, schedule)
    late_s = PROMPT_STOP_S + (LATE_STOP_S - PROMPT_STOP_S) * stretch.strength("late-fan")
    fan = _runs(stretch, schedule, late_s)
    load_2 = mill_2 * (1 + stretch.wander("mill_2.load", 0.015, 600))
    stretch.activity |= {
        "mill_1": mill_1,
        "mill_2": mill_2,
        "exhaust_fan": fan,
        "kw:mill_1": feed_1 * specific,
        "kw:mill_2": MILL_2_KW * load_2,
        "kw:exhaust_fan": EXHAUST_FAN_KW * fan * (1 + stretch.wander("exhaust_fan.load", 0.006, 600)),
    }
    values |= {
        "carbon.milling.mills.mill_1.feed_rate": feed_1,
        "carbon.milling.mills.mill_1.specific_energy": specific,
        "carbon.milling.mills.mill_2.feed_rate": 9.2 * load_2,
        "carbon.milling.mills.mill_2.specific_energy": stretch.full(MILL_2_KW / 9.2)
        + stretch.wander("mill_2.specific", 0.2, 3600),
    }


def _finish(stretch: Stretch) -> None:
    """The line works 08:00 to 17:00; its auxiliaries may idle on into the evening."""
    works = stretch.lag("finishing", stretch.within((8, 17)), 60)
    idles = np.where(stretch.strength("idle-line") > 0, stretch.within((17, 23)), 0.0)
    auxiliaries = np.maximum(58 * stretch.within((8, 17)), IDLE_LINE_KW * idles)
    power = np.where(auxiliaries > 0, auxiliaries + stretch.wander("finishing.auxiliaries", 0.4, 600), 0.0)
    current = 3.2 * works
    values = stretch.values
    stretch.activity["line"] = works
    stretch.activity["kw:finishing_line"] = power + current * 38 / 0.92
    path = "carbon.finishing.line"
    values[f"{path}.auxiliaries.power"] = power
    values[f"{path}.auxiliaries.running"] = (power > 0).astype(float)
    values[f"{path}.rectifier.dc_current"] = current
    values[f"{path}.rectifier.dc_voltage"] = 38 * works
    values[f"{path}.rectifier.dc_power"] = current * 38 * works
    values[f"{path}.rectifier.efficiency"] = 92 + stretch.wander("finishing.efficiency", 0.2, 3600)


STATIONS = {
    1: (0.6, 0.9),
    2: (1.0, 0.7),
    3: (1.4, 1.3),
    4: (0.8, 1.0),
}  # share of the smelter's plume, of the traffic's


def run_park(stretch: Stretch) -> None:
    """Air, gates, outlet. The stations smell the smelter's stack when the wind is low."""
    values, moments = stretch.values, stretch.moments
    wind = values["commons.environment.weather.mast.wind_speed"]
    plume = stretch.lag("plume", values["smelter.acid.stack.monitor.so2_mass"] / np.maximum(wind, 0.6), 900)
    rush = np.exp(-((moments.hour - 8) ** 2) / 3) + np.exp(-((moments.hour - 18) ** 2) / 4)
    sun = np.maximum(np.sin((moments.hour - 7) / 12 * np.pi), 0)
    for number, (smelter, traffic) in STATIONS.items():
        path = f"commons.environment.air.station_{number}"
        dust = 46 * np.exp(stretch.wander(f"air.{number}.dust", 0.3, 21_600))
        values |= {
            f"{path}.so2": 6 + 2.6 * smelter * plume + np.abs(stretch.wander(f"air.{number}.so2", 1.5, 1800)),
            f"{path}.no2": 16 + 24 * traffic * rush + stretch.wander(f"air.{number}.no2", 2.5, 3600),
            f"{path}.co": 0.5 + 0.4 * traffic * rush + stretch.wander(f"air.{number}.co", 0.05, 3600),
            f"{path}.o3": 28 + 74 * sun + stretch.wander(f"air.{number}.o3", 6, 7200),
            f"{path}.pm10": dust + 14 * traffic * rush,
            f"{path}.pm25": 0.46 * dust + 4 * traffic * rush,
            f"{path}.noise": 48
            + 7 * traffic * rush
            + stretch.wander(f"air.{number}.noise", 1.2, 300)
            + stretch.noise(0.8),
        }
    _open_gates(stretch, rush)
    waste = stretch.lag("outlet", 2.1 * values["smelter.water.treatment.outlet.flow"] + 55, 7200)
    values["commons.environment.outlet.monitor.flow"] = waste
    values["commons.environment.outlet.monitor.total"] = stretch.memory.count("outlet.total", waste, 2_204_000.0)
    power = 145 + 120 * (1 - sun) + stretch.wander("park.power", 6, 1800)
    values["commons.infrastructure.supply.main.total_power"] = power
    values["commons.infrastructure.supply.main.total_energy"] = stretch.memory.count("park.energy", power, 914_300.0)


def _open_gates(stretch: Stretch, rush: np.ndarray) -> None:
    for number, share in ((1, 1.0), (2, 0.5), (3, 0.3)):
        path = f"commons.infrastructure.gates.gate_{number}"
        traffic = share * (14 + 95 * rush)  # [vehicles/h]
        entered = stretch.memory.count(f"gate.{number}.in", traffic, 51_200.0 * number)
        stretch.values |= {
            f"{path}.barrier": (entered % 1 < 0.12).astype(float),
            f"{path}.vehicles_in": np.floor(entered),
            f"{path}.vehicles_out": np.floor(stretch.lag(f"gate.{number}.out", entered, 14_400)),
        }
