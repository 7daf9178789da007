"""The range that card or catalogue state for a number, and what is to be said where a sweep leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from bonesim.scenario.vary import Axis
from bonesim.units import Unit

ROUNDING = 1e-9
"""Part of a bound by which a value may pass it, since units are converted."""

SHOWN = 100
"""Characters of a source or reason that a notice shows; all of it stands in the design."""


@dataclass(frozen=True)
class Stated:
    """What is stated of a varied number: its range, in the unit of the axis, its class, and source or reason."""

    low: float
    high: float
    basis: str
    source: str

    def holds(self, axis: Axis) -> bool:
        """Whether all values of an axis lie within the range."""
        below = self.low - axis.low > ROUNDING * abs(self.low)
        above = axis.high - self.high > ROUNDING * abs(self.high)
        return not (below or above)


def stated(axis: Axis, numbers: Mapping[str, Mapping[str, Any]]) -> Stated | None:
    """What `numbers` (of a problem, by flat id) state of the number behind an axis; None where that is no range."""
    said = numbers.get(axis.target, {}) if isinstance(axis.target, str) else {}
    if "low" not in said or "high" not in said:
        return None
    factor = Unit.parse(said["unit"]).conversion_to(axis.unit)
    source = " ".join((said.get("source") or said.get("why") or "").split())
    return Stated(said["low"] * factor, said["high"] * factor, said["basis"], source)


def notice(axis: Axis, said: Stated | None, usual: float | None) -> str | None:
    """That an axis leaves the stated range or, where none is stated, goes below 0 unlike the `usual` value.

    `usual` is that of the scenario as it stands, in the unit of the axis; None where the axis is no parameter.
    """
    swept = _span(axis.low, axis.high, axis.unit)
    if said and not said.holds(axis):
        source = f": {shorten(said.source, SHOWN, placeholder=' ...')}" if said.source else ""
        within = _span(said.low, said.high, axis.unit)
        return f"{axis.path} takes {swept}, beyond the range stated for it, {within} ({said.basis}{source})"
    if not said and usual is not None and axis.low < 0 < usual:
        return f"{axis.path} takes {swept}, below 0, where the scenario has {_span(usual, usual, axis.unit)}"
    return None


def _span(low: float, high: float, unit: str) -> str:
    numbers = f"{low:g}" if low == high else f"{low:g} to {high:g}"
    return numbers if unit == "dimensionless" else f"{numbers} {unit}"
