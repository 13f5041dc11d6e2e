"""Slopes, and when a limit is reached: pure functions, for judging and for what pages show."""

import numpy as np


def slope_per_s(age_s: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The slope of the straight line that fits best, by least squares.

    Parameters
    ----------
    age_s
        How old each sample is; NaN where there is none. [s] [n, samples]
    value
        [n, samples]

    Returns
    -------
    numpy.ndarray
        Change in a second, NaN where there are not two samples of different age. [1/s] [n]
    """
    is_there = ~(np.isnan(age_s) | np.isnan(value))
    count = np.maximum(is_there.sum(axis=1, keepdims=True), 1)
    time = np.where(is_there, -age_s, 0.0)
    level = np.where(is_there, value, 0.0)
    time = np.where(is_there, time - time.sum(axis=1, keepdims=True) / count, 0.0)
    level = np.where(is_there, level - level.sum(axis=1, keepdims=True) / count, 0.0)
    spread = (time * time).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope: np.ndarray = np.where(spread > 0, (time * level).sum(axis=1) / spread, np.nan)
    return slope


def time_to_limit_s(value: np.ndarray, slope: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """When a value reaches a limit that it is moving towards, if it goes on like that.

    Parameters
    ----------
    value, limit
        In the same unit. [n]
    slope
        Change in a second. [1/s] [n]

    Returns
    -------
    numpy.ndarray
        0 at the limit, infinite where it moves away or stands still, NaN where something is not known. [s] [n]
    """
    way = np.asarray(limit, float) - value
    with np.errstate(divide="ignore", invalid="ignore"):
        time = np.where(way == 0, 0.0, np.where(way * slope > 0, way / slope, np.inf))
    unknown = np.isnan(way) | np.isnan(slope)
    result: np.ndarray = np.where(unknown, np.nan, time)
    return result
