"""Linear prediction: what of a waveform follows from the points before, so that only the rest need be stored.

A vibration is a few resonances that ring, and noise. Some 32 points tell the next one well; what is left is two to ten
times smaller, hence one to three bits a point. FLAC does this to music. Here prediction starts anew every SEGMENT
points, which costs a good one per cent and lets all segments be restored side by side: the loop is over the points of
one segment, not over all.

Everything is exact. Coefficients are whole numbers over 2**SHIFT, points are whole numbers; their products and sums
have fewer than 53 bits, which float64 holds. So any processor, any library, any order of adding gives the same.
"""

import numpy as np

ORDER = 32  # points that predict the next one
SEGMENT = 512  # points; the first ORDER of each are stored as they are
SHIFT = 16
_LARGEST_SUM = 2.0**36  # of the coefficients' absolute values: times 2**15, less than 2**53
_SIDE_BY_SIDE = 256  # segments; more at once and BLAS would use threads, which cost more than they bring
_ALONE = 8192  # points
_TAPER = 20  # a twentieth at either end fades in and out, without which a loud tone leaks into all coefficients


def coefficients(points: np.ndarray) -> np.ndarray | None:
    """Whole numbers a, [ORDER] int32, so that point n is about sum(a[k] · point[n-1-k]) / 2**SHIFT.

    None where there are too few points, or none that tell anything.
    """
    if len(points) < 4 * SEGMENT:
        return None
    faded = points * _fade(len(points))
    lags = np.array([_dot(faded[lag:], faded[: len(faded) - lag]) for lag in range(ORDER + 1)])
    if lags[0] == 0:
        return None
    lags[0] *= 1 + 1e-9  # keeps the system solvable for a pure tone
    place = np.arange(ORDER)
    solved = np.linalg.solve(lags[np.abs(place[:, None] - place)], lags[1:])
    whole = np.rint(solved * 2.0**SHIFT)
    if not np.all(np.abs(whole) < 2**31) or np.abs(whole).sum() > _LARGEST_SUM:
        return None
    return whole.astype(np.int32)


def residuals(points: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """Points less what the ones before foretell, float64 whole numbers; within a segment's first ORDER the points.

    Parameters
    ----------
    points
        Whole numbers within int16, as float64. [N]
    coefficients
        As `coefficients` gives them.
    """
    foretold = np.convolve(points, coefficients * 2.0**-SHIFT)[: len(points)]
    rest = points.copy()
    rest[1:] -= np.floor(foretold[:-1])
    first = is_first(len(points))
    rest[first] = points[first]
    return rest


def restored(rest: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """The points whose residuals these are, exactly, float64. [N]"""
    segments = -(-len(rest) // SEGMENT)
    laid_out = np.zeros((segments, SEGMENT))
    laid_out.ravel()[: len(rest)] = rest
    weights = coefficients[::-1] * 2.0**-SHIFT
    for group in range(0, segments, _SIDE_BY_SIDE):
        part = laid_out[group : group + _SIDE_BY_SIDE]
        part[:] = _restored_side_by_side(np.ascontiguousarray(part.T), weights).T
    return laid_out.ravel()[: len(rest)]


def is_first(points: int) -> np.ndarray:
    """Which points are among the first ORDER of their segment. [N] bool"""
    first = np.zeros((-(-points // SEGMENT), SEGMENT), np.bool_)
    first[:, :ORDER] = True
    return first.ravel()[:points]


def _restored_side_by_side(points: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Residuals made points in place; a row holds one point of each segment. [SEGMENT, segments]"""
    foretold = np.empty(points.shape[1])
    for row in range(ORDER, SEGMENT):
        np.dot(weights, points[row - ORDER : row], out=foretold)
        np.floor(foretold, out=foretold)
        points[row] += foretold
    return points


def _dot(one: np.ndarray, other: np.ndarray) -> float:
    """In pieces: of more at once BLAS would wake threads, and wait for them where the cores are busy."""
    return sum(
        float(one[first : first + _ALONE] @ other[first : first + _ALONE]) for first in range(0, len(one), _ALONE)
    )


def _fade(points: int) -> np.ndarray:
    fade = np.ones(points)
    length = points // _TAPER
    rise = 0.5 - 0.5 * np.cos(np.pi * np.arange(length) / length)
    fade[:length], fade[-length:] = rise, rise[::-1]
    return fade
