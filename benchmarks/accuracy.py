"""The error of a solution, the reference it is measured against, and the rate that belongs to an error."""

from __future__ import annotations

import numpy as np

REFERENCE_RTOL = 1e-12


def errors(y: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """(member,) the largest |y - reference| over outputs and times, each output over its own largest |reference|.

    Both are (member, output, time); members beyond those of the reference are not looked at. An output that is 0
    throughout has no size of its own and is left out. A value that is not finite makes its member's error infinite.
    """
    y = y[: len(reference)]
    size = np.abs(reference[: len(y)]).max(axis=2, keepdims=True)
    scaled = np.abs(y - reference[: len(y)]) / np.where(size > 0, size, np.inf)
    scaled = np.where(np.isfinite(y), scaled, np.inf)
    worst: np.ndarray = scaled.max(axis=(1, 2))
    return worst


def error(y: np.ndarray, reference: np.ndarray) -> float:
    """The median of `errors` over members."""
    return float(np.median(errors(y, reference)))


def rate_at(reached: np.ndarray, rates: np.ndarray, target: float) -> float:
    """Members per second at an error of `target`: log-log interpolation on the curve of the best points.

    `reached`, `rates` are (rung,) errors and rates of one engine over its tolerances. A point beaten in both is not on
    the curve. Where even the loosest tolerance is better than the target, its own rate holds; where none is good
    enough there is no rate, and the answer is NaN.
    """
    order = np.argsort(reached)
    reached, rates = reached[order], rates[order]
    best = np.concatenate([[True], rates[1:] > np.maximum.accumulate(rates)[:-1]])
    reached, rates = reached[best], rates[best]
    if not len(reached) or not reached[0] <= target:
        return float("nan")
    return float(np.exp(np.interp(np.log(target), np.log(reached), np.log(rates))))
