"""What published values ask of a course: its value at the end, its extremes and when they are, its mean."""

from __future__ import annotations

import numpy as np

POINTS = 8001
"""Of a course that is measured. Extremes are those of the parabola through the highest point and its neighbours."""


def times_of(measure: str, end: float) -> np.ndarray:
    """The times at which a course is needed; its last one is `end`."""
    return np.array([0.0, end]) if measure == "value" else np.linspace(0.0, end, POINTS)


def measured(times: np.ndarray, values: np.ndarray, measure: str) -> float:
    """The measure, as cards name it, of a course at even times."""
    if measure == "value":
        return float(values[-1])
    if measure == "mean":
        return float(np.trapezoid(values, times) / (times[-1] - times[0]))
    sign = -1.0 if measure.endswith("least") else 1.0
    place, height = _highest(sign * values)
    if measure.startswith("time_of"):
        return float(times[0] + place * (times[1] - times[0]))
    return sign * height


def _highest(values: np.ndarray) -> tuple[float, float]:
    """Place, counted in steps, and height of the top of the parabola through the highest value and its neighbours."""
    top = int(np.argmax(values))
    if top in (0, len(values) - 1):
        return float(top), float(values[top])
    before, here, after = values[top - 1 : top + 2]
    bend = before - 2.0 * here + after
    if bend == 0.0:
        return float(top), float(here)
    shift = 0.5 * (before - after) / bend
    return top + shift, float(here - 0.25 * (before - after) * shift)
