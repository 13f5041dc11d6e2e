"""The copper smelter: concentrate to anodes, gas to acid and steam, with copper, sulphur, oxygen and heat in balance.

Rates are per hour, masses in tonnes, gas in normal cubic metres (22.414 per kmol).
"""

import numpy as np

from athanor.demo.stretch import Stretch

COPPER, SULPHUR, IRON, SULPHURIC_ACID = 63.546, 32.06, 55.845, 98.079  # [kg/kmol]
SO2 = 64.058  # [kg/kmol]
NM3_PER_KMOL = 22.414
CU2S_PER_COPPER = 159.152 / 127.092  # [t/t]
S_PER_CU2S, S_PER_FES, FE_PER_FES = 32.06 / 159.152, 32.06 / 87.905, 55.845 / 87.905

FEED_T_PER_H = 52.0  # design, dry
MATTE_STOCK_T = 120.0
SLAG_LOSS = 0.025  # part of the copper that leaves with the slag
FE_TO_SILICA = 1.7
SILICA_IN_FEED, SILICA_IN_FLUX = 0.075, 0.9
OXYGEN_PURITY, OXYGEN_IN_AIR = 0.996, 0.21
CYCLE_H = 8.0  # of a converter
GAS_HEAT_KJ_PER_NM3_K = 2.1
STEAM_RISE_KJ_PER_KG = 2360.0  # feed water at 104 degC to saturated steam of 3.9 MPa
BOILER_EFFICIENCY = 0.97
TURBINE_KWH_PER_T = 172.0

FURNACE = "smelter.smelting.bath.furnace"
GAS = "smelter.acid.conversion.gas"
STACK = "smelter.acid.stack.monitor"
BOILER = "smelter.heat.recovery.boiler"
TURBINE = "smelter.heat.recovery.turbine"


def run_smelter(stretch: Stretch) -> None:
    """Work out the smelter's process values and activities."""
    _set_pace(stretch)
    _blend(stretch)
    _smelt(stretch)
    _convert(stretch)
    _refine(stretch)
    _make_acid(stretch)
    _raise_steam(stretch)
    _separate_air(stretch)
    _treat_water(stretch)


def _set_pace(stretch: Stretch) -> None:
    """Three crews with their own hand, and every ninth day a stop to change lances."""
    moments = stretch.moments
    crew = np.array([1.0, 1.012, 0.988])[(moments.hour // 8).astype(int) % 3]
    since_stop_h = ((moments.day - 6.4) % 9) * 24
    stopped = (moments.day > 6.4) & (since_stop_h < 2.5)
    stretch.activity["bath"] = np.maximum(
        stretch.lag("smelter.pace", np.where(stopped, 0.0, crew), 420)
        + stretch.wander("smelter.pace.wander", 0.012, 1200),
        0.0,
    )


def _lot_grades(stretch: Stretch, lots: np.ndarray) -> np.ndarray:
    """Copper, iron, sulphur of each instant's lot of concentrate, as fractions. [T, 3]"""
    numbers, which = np.unique(lots, return_inverse=True)
    grades = [
        np.random.default_rng([stretch.seed, int(number)]).normal((0.245, 0.292, 0.318), (0.009, 0.006, 0.006))
        for number in numbers
    ]
    return np.array(grades)[which]


def _blend(stretch: Stretch) -> None:
    values, moments = stretch.values, stretch.moments
    lots = np.floor((moments.day + 0.3) / 1.7).astype(int)
    grades = stretch.lag("blend.grades", _lot_grades(stretch, lots), 5400)
    feed = FEED_T_PER_H * stretch.activity["bath"]
    shares = np.array([0.24, 0.2, 0.18, 0.16, 0.12, 0.1])
    for number, share in enumerate(shares, 1):
        values[f"smelter.yard.blending.bin_{number}.feed_rate"] = share * feed
    for number in (1, 2, 3):
        values[f"smelter.yard.blending.belt_{number}.flow"] = stretch.lag(f"belt.{number}", feed, 20.0 * number)
    blend = "smelter.yard.blending.blend"
    stretch.texts[f"{blend}.lot"] = [f"C{lot:04}" for lot in lots.tolist()]
    values[f"{blend}.feed_rate"] = feed
    values[f"{blend}.moisture"] = 8.6 + stretch.wander("blend.moisture", 0.35, 14_400)
    for name, grade in zip(("copper", "iron", "sulphur"), grades.T, strict=True):
        values[f"{blend}.{name}"] = stretch.activity[f"grade:{name}"] = 100 * grade


def _smelt(stretch: Stretch) -> None:
    """Matte, slag and gas from the feed's elements, as in a steady balance of each instant."""
    values = stretch.values
    feed = values["smelter.yard.blending.blend.feed_rate"]
    copper, iron, sulphur = (feed * stretch.activity[f"grade:{name}"] / 100 for name in ("copper", "iron", "sulphur"))
    grade = 0.70 + stretch.wander("matte.grade", 0.006, 5400)
    copper_to_slag = SLAG_LOSS * copper
    matte = (copper - copper_to_slag) / grade
    cu2s = (copper - copper_to_slag) * CU2S_PER_COPPER
    fes = matte - cu2s
    matte_sulphur = cu2s * S_PER_CU2S + fes * S_PER_FES
    iron_to_slag = iron - fes * FE_PER_FES
    sulphur_to_gas = sulphur - matte_sulphur
    silica = iron_to_slag / FE_TO_SILICA
    oxygen = (sulphur_to_gas / SULPHUR + 0.5 * iron_to_slag / IRON) * 1000 * NM3_PER_KMOL
    enrichment = 0.73 + stretch.wander("enrichment", 0.004, 3600)
    blast = oxygen / enrichment
    pure = (oxygen - OXYGEN_IN_AIR * blast) / (OXYGEN_PURITY - OXYGEN_IN_AIR)
    so2 = _so2_nm3(sulphur_to_gas)
    offgas = so2 + (blast - oxygen) + 9500 * stretch.activity["bath"] + 900

    draw = np.sum([_charging(stretch, number) for number in (1, 2, 3)], axis=0) * 0.5  # [1/h]
    stock, tapped = stretch.memory.store("matte.stock", matte, draw, MATTE_STOCK_T)
    _, tapped_sulphur = stretch.memory.store("matte.sulphur", matte_sulphur, draw, 0.217 * MATTE_STOCK_T)

    excursion = stretch.lag("bath.excursion", 58.0 * stretch.strength("furnace-temperature"), 150)
    bath = stretch.lag("bath.temperature", 1166 + 20 * stretch.activity["bath"], 1800) + excursion
    bath += stretch.wander("bath.temperature.wander", 3.5, 1500) + stretch.noise(0.4)

    stretch.activity["oxygen"] = pure / 10_300
    stretch.activity["oxygen:bath"] = pure
    stretch.activity["matte:tapped"] = tapped
    stretch.activity["matte:sulphur"] = tapped_sulphur
    stretch.activity["sulphur:bath"] = sulphur_to_gas
    stretch.activity["gas:furnace"] = offgas
    values |= {
        f"{FURNACE}.concentrate_feed": feed,
        f"{FURNACE}.flux_feed": np.maximum(silica - SILICA_IN_FEED * feed, 0) / SILICA_IN_FLUX,
        f"{FURNACE}.oxygen_flow": pure,
        f"{FURNACE}.air_flow": blast - pure,
        f"{FURNACE}.oxygen_enrichment": 100 * enrichment,
        f"{FURNACE}.bath_temperature": bath,
        f"{FURNACE}.bath_temperature_setpoint": stretch.full(1186),
        f"{FURNACE}.slag_temperature": bath + 18 + stretch.wander("slag.temperature", 2, 1200),
        f"{FURNACE}.matte_grade": 100 * grade,
        f"{FURNACE}.matte_rate": matte,
        f"{FURNACE}.matte_tapped": tapped,
        f"{FURNACE}.matte_inventory": stock,
        f"{FURNACE}.slag_rate": iron_to_slag * 1.29 + silica + copper_to_slag * 1.13 + 0.04 * feed,
        f"{FURNACE}.copper_to_slag": copper_to_slag,
        f"{FURNACE}.sulphur_to_gas": sulphur_to_gas,
        f"{FURNACE}.offgas_flow": offgas,
        f"{FURNACE}.offgas_temperature": stretch.lag("offgas", 520 + 560 * stretch.activity["bath"], 600)
        + 0.4 * excursion,
        f"{FURNACE}.offgas_so2": 100 * so2 / offgas,
        "smelter.smelting.gas.precipitator.dust_rate": 0.016 * feed,
        "smelter.smelting.slag_cleaning.furnace.power": 2150 * stretch.activity["bath"]
        + stretch.wander("slag.power", 60, 120)
        + 180,
    }
    for number in range(1, 10):
        values[f"{FURNACE}.lance_{number}.oxygen_flow"] = pure / 9 * (1 + stretch.wander(f"lance.{number}", 0.02, 900))


def _cycle_hour(stretch: Stretch, number: int) -> np.ndarray:
    """Hours since this converter's heat began, 0 to 8; the three run a third of a heat apart."""
    return (stretch.moments.elapsed_s / 3600 + number * CYCLE_H / 3) % CYCLE_H


def _charging(stretch: Stretch, number: int) -> np.ndarray:
    return (_cycle_hour(stretch, number) < 0.8).astype(float)


def _convert(stretch: Stretch) -> None:
    """Each converter takes matte, gives off its sulphur while it blows, and pours blister copper."""
    values = stretch.values
    elapsed_h = stretch.moments.elapsed_s / 3600
    charging = np.array([_charging(stretch, number) for number in (1, 2, 3)])
    share = charging / np.maximum(charging.sum(axis=0), 1)
    given_off, blowing = [], []
    for number in (1, 2, 3):
        path = f"smelter.smelting.converting.converter_{number}"
        hour = _cycle_hour(stretch, number)
        phase = np.searchsorted([0.8, 3.2, 6.6, 7.2], hour, side="right")
        phase = np.array([1, 2, 3, 4, 0])[phase]
        slag_blow, copper_blow = phase == 2, phase == 3
        draw = np.where(slag_blow, 0.3, 0.0) + np.where(copper_blow, 0.75, 0.0)  # [1/h]
        inflow = share[number - 1] * stretch.activity["matte:sulphur"]
        stock, outflow = stretch.memory.store(f"converter.{number}.sulphur", inflow, draw, 4.0)
        outflow = np.maximum(outflow, 0.0)
        blow = stretch.lag(f"converter.{number}.blow", np.where(slag_blow, 1.0, np.where(copper_blow, 0.94, 0.04)), 25)
        blast = 34_500 * blow * (1 + stretch.wander(f"converter.{number}.blast", 0.012, 600))
        target = np.select([phase == 1, slag_blow, copper_blow, phase == 4], [1190.0, 1245.0, 1218.0, 1200.0], 1165.0)
        values |= {
            f"{path}.phase": phase.astype(float),
            f"{path}.heat": np.floor((elapsed_h + number * CYCLE_H / 3) / CYCLE_H) + 1000 * number,
            f"{path}.blast_flow": blast,
            f"{path}.oxygen_flow": stretch.lag(f"converter.{number}.oxygen", np.where(slag_blow, 620.0, 0.0), 20),
            f"{path}.bath_temperature": stretch.lag(f"converter.{number}.bath", target, 1500)
            + stretch.wander(f"converter.{number}.bath.wander", 4, 600),
            f"{path}.offgas_so2": 100 * _so2_nm3(outflow) / (blast * 1.15 + 2500),
            f"{path}.matte_charge": share[number - 1] * stretch.activity["matte:tapped"],
            f"{path}.sulphur_inventory": stock,
            f"{path}.angle": stretch.lag(f"converter.{number}.angle", np.array([45.0, 60, 0, 0, 110])[phase], 12),
        }
        stretch.activity[f"converter_{number}"] = blow
        given_off.append(outflow)
        blowing.append(blow)
    total = np.sum(blowing, axis=0)
    stretch.activity["converting"] = total / 2.5
    stretch.activity["sulphur:converters"] = np.sum(given_off, axis=0)
    stretch.activity["kw:converter_blowers"] = 1180 * total
    stretch.activity["oxygen:converters"] = np.sum(
        [values[f"smelter.smelting.converting.converter_{number}.oxygen_flow"] for number in (1, 2, 3)], axis=0
    )


def _refine(stretch: Stretch) -> None:
    """Two anode furnaces take turns of twelve hours: hold, charge, oxidise, reduce, cast."""
    values, casting = stretch.values, []
    for number in (1, 2):
        path = f"smelter.smelting.refining.anode_furnace_{number}"
        hour = (stretch.moments.elapsed_s / 3600 + 6 * number) % 12
        phase = np.searchsorted([1.5, 4.0, 6.0, 7.5, 12.1], hour, side="right")
        oxidising, reducing = phase == 2, phase == 3
        fire = np.array([0.42, 0.55, 0.7, 1.0, 0.62])[phase]
        fire = stretch.lag(f"anode.{number}.fire", fire, 90) * (1 + stretch.wander(f"anode.{number}.gas", 0.02, 600))
        oxygen = np.select([oxidising, reducing | (phase == 4)], [0.8, 0.13], 0.25)
        values |= {
            f"{path}.phase": phase.astype(float),
            f"{path}.bath_temperature": stretch.lag(
                f"anode.{number}.bath", np.array([1185.0, 1195, 1220, 1210, 1195])[phase], 2400
            )
            + stretch.wander(f"anode.{number}.wander", 3, 600),
            f"{path}.gas_flow": 640 * fire,
            f"{path}.air_flow": 640 * fire * 9.9,
            f"{path}.oxygen_in_copper": stretch.lag(f"anode.{number}.oxygen", oxygen, 2700),
        }
        stretch.activity[f"anode_furnace_{number}"] = fire
        stretch.activity[f"gas:anode_furnace_{number}"] = 640 * fire
        casting.append(phase == 4)
    cast = stretch.lag("casting", np.logical_or(*casting).astype(float), 120)
    rate = 38 * cast
    stretch.activity["casting"] = cast
    values["smelter.smelting.refining.casting.rate"] = rate
    values["smelter.smelting.refining.casting.anodes"] = np.floor(stretch.memory.count("anodes", rate / 0.37, 48_211))


def _make_acid(stretch: Stretch) -> None:
    """All sulphur that the gas brings becomes acid, but for what the stack lets go."""
    values = stretch.values
    sulphur = stretch.lag("acid.sulphur", stretch.activity["sulphur:bath"] + stretch.activity["sulphur:converters"], 25)
    so2_flow = _so2_nm3(sulphur)
    flow = stretch.lag("acid.flow", 22_000 + so2_flow * 8.35, 150)
    fall = stretch.lag("acid.excursion", 0.12 * stretch.strength("so2-excursion"), 120)
    captured = 99.957 + stretch.wander("acid.capture", 0.005, 1800) - fall
    stack_flow = flow - 1.5 * so2_flow
    emitted_kg = sulphur * (1 - captured / 100) * SO2 / SULPHUR * 1000
    acid = sulphur * captured / 100 * SULPHURIC_ACID / SULPHUR
    stretch.activity["gas"] = flow / 120_000
    stretch.activity["kw:so2_blowers"] = 0.0235 * flow
    values |= {
        f"{GAS}.flow": flow,
        f"{GAS}.so2_flow": so2_flow,
        f"{GAS}.so2": 100 * so2_flow / flow,
        f"{GAS}.conversion": captured,
        f"{STACK}.flow": stack_flow,
        f"{STACK}.so2_mass": emitted_kg,
        f"{STACK}.so2": emitted_kg * 1e6 / stack_flow,
        "smelter.acid.absorption.product.rate": acid,
        "smelter.acid.absorption.product.total": stretch.memory.count("acid.total", acid, 312_480.0),
    }


def _raise_steam(stretch: Stretch) -> None:
    """The boiler takes the furnace gas's heat; the turbine takes what steam the plant leaves."""
    values = stretch.values
    inlet = values[f"{FURNACE}.offgas_temperature"] - 60
    outlet = stretch.lag("boiler.outlet", 240 + 125 * stretch.activity["bath"], 900) + stretch.wander(
        "boiler.wander", 4, 2400
    )
    heat = stretch.activity["gas:furnace"] * GAS_HEAT_KJ_PER_NM3_K * (inlet - outlet) / 3600
    heat = stretch.lag("boiler.heat", heat, 240)
    steam = heat * BOILER_EFFICIENCY * 3.6 / STEAM_RISE_KJ_PER_KG
    users = _steam_users(stretch)
    turbine = np.maximum(steam - np.sum(list(users.values()), axis=0), 0)
    power = turbine * TURBINE_KWH_PER_T
    stretch.activity["heat"] = steam / 16.0
    stretch.activity["kw:generator"] = power
    values |= {
        f"{BOILER}.gas_inlet_temperature": inlet,
        f"{BOILER}.gas_outlet_temperature": outlet,
        f"{BOILER}.heat_flow": heat,
        f"{BOILER}.steam_flow": steam,
        f"{BOILER}.feed_water_flow": steam * 1.02,
        f"{TURBINE}.steam_flow": turbine,
        f"{TURBINE}.power": power,
        "smelter.utilities.steam.main.flow": steam,
        "smelter.utilities.steam.turbine.flow": turbine,
        **{f"smelter.utilities.steam.{user}.flow": flow for user, flow in users.items()},
    }


def _steam_users(stretch: Stretch) -> dict[str, np.ndarray]:
    """Steam to the users beside the turbine. [t/h]"""
    meals = stretch.within((5.5, 8.5)) + stretch.within((10.5, 13)) + stretch.within((16.5, 22))
    baths = stretch.lag("steam.baths", 0.25 * stretch.within((5.5, 22)) + 0.55 * meals, 240)
    leak = stretch.lag("steam.leak", 0.85 * stretch.strength("steam-leak"), 60)
    return {
        "tankhouse": 2.6 + stretch.wander("steam.tankhouse", 0.15, 1800),
        "purification": 0.9 + stretch.wander("steam.purification", 0.06, 1800),
        "baths": np.where(baths < 0.01, 0.0, baths) + leak,
    }


def _separate_air(stretch: Stretch) -> None:
    """Oxygen made follows the demand slowly; the vent and the liquid tank make up the difference."""
    values = stretch.values
    bath, converters = stretch.activity["oxygen:bath"], stretch.activity["oxygen:converters"]
    used = bath + converters
    made = stretch.lag("oxygen.made", used, 2400) + 120
    stretch.activity["asu"] = made / 10_800
    stretch.activity["kw:air_compressor"] = 700 + 0.36 * made
    stretch.activity["kw:oxygen_booster"] = 60 + 0.115 * np.minimum(made, used)
    column = "smelter.oxygen.separation.column"
    values |= {
        f"{column}.oxygen_flow": made,
        f"{column}.vent_flow": np.maximum(made - used, 0),
        "smelter.utilities.oxygen.main.flow": used,
        "smelter.utilities.oxygen.bath.flow": bath,
        "smelter.utilities.oxygen.converters.flow": converters,
    }


def _treat_water(stretch: Stretch) -> None:
    flow = 62 + 6 * stretch.activity["gas"] + stretch.wander("waste_water", 3, 3600)
    treatment = "smelter.water.treatment"
    stretch.values[f"{treatment}.inlet.flow"] = flow
    stretch.values[f"{treatment}.outlet.flow"] = stretch.lag("waste_water.outlet", 0.97 * flow, 3600)


def _so2_nm3(sulphur_t: np.ndarray) -> np.ndarray:
    """Normal cubic metres of SO2 from tonnes of sulphur."""
    return sulphur_t * 1000 / SULPHUR * NM3_PER_KMOL
