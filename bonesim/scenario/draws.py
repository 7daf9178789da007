r"""Draws of numbers from their ranges: where each member of a run lies, and which values that gives an arm.

A number is drawn evenly on the logarithm of its range, a range that holds 0 evenly on itself; a value never leaves its
range. Members are a Latin hypercube: of n members each has a value from another n-th part of every range (McKay et al.
1979, doi:10.1080/00401706.1979.10489755). What is drawn for a number depends on its name, the seed and n alone, so that
all arms of a member share it, whatever else they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonesim.model.ode import Parameter
from bonesim.scenario.arms import Arm, Lot
from bonesim.scenario.comparison import UncertaintyChoice
from bonesim.scenario.problem import Problem
from bonesim.units import Unit


@dataclass(frozen=True)
class Range:
    """What one number may be in an arm, in the unit of its parameter; `key` says which draw is its own."""

    key: str
    low: float
    high: float
    stated: float

    def at(self, position: np.ndarray) -> np.ndarray:
        """Values at positions between 0 and 1."""
        low, high = self.low, self.high
        one_sign = low * high > 0
        return np.clip(low * (high / low) ** position if one_sign else low + (high - low) * position, low, high)


class Draws:
    """Positions of all members in all ranges; members whose draw is no body are drawn anew, see `renew`."""

    def __init__(self, choice: UncertaintyChoice | None) -> None:
        self.members = choice.members if choice else 0
        self.seed = choice.seed if choice else 0
        self.rounds = np.zeros(self.members, int)
        self._kept: dict[str, np.ndarray] = {}

    def positions(self, key: str) -> np.ndarray:
        """(member,) positions of one number."""
        if key not in self._kept:
            self._kept[key] = np.zeros(self.members)
            for turn in np.unique(self.rounds):
                mine = self.rounds == turn
                self._kept[key][mine] = self._hypercube(key, int(turn))[mine]
        return self._kept[key]

    def renew(self, members: np.ndarray) -> None:
        """Give members, (member,) of truth, their places in another hypercube, in every range."""
        self.rounds[members] += 1
        self._kept.clear()

    def _hypercube(self, key: str, turn: int) -> np.ndarray:
        random = np.random.default_rng([self.seed, turn, *key.encode()])
        return np.asarray((random.permutation(self.members) + random.random(self.members)) / self.members)


def ranges(problem: Problem) -> dict[str, Range]:
    """By flat id, every parameter of a problem whose number has a range, and numbers behind parameters and doses.

    What kinetics say of the body is one number for all sources and routes that say the same of it. What follows from
    other numbers has no range of its own.
    """
    groups = {plan.group for plan in problem.ledger}
    found = {}
    for name, said in problem.numbers.items():
        symbol = problem.model.by_id.get(name)
        settable = symbol is None or (isinstance(symbol, Parameter) and symbol.initial is None)
        if settable and name not in problem.follows and said.get("low", 0.0) < said.get("high", 0.0):
            unit = symbol.unit or "dimensionless" if symbol else said["unit"]
            factor = 1.0 if unit == said["unit"] else Unit.parse(said["unit"]).conversion_to(unit)
            low, high, stated = (said[bound] * factor for bound in ("low", "high", "value"))
            found[name] = Range(_key(name, said, groups), low, high, stated)
    return found


def drawn_values(arm: Arm, draws: Draws) -> dict[str, np.ndarray]:
    """By flat id, (member,) values of every parameter of an arm that is drawn, or follows from what is."""
    if not draws.members:
        return {}
    model, spans = arm.problem.model, ranges(arm.problem)
    values = {
        name: span.at(draws.positions(span.key))
        for name, span in spans.items()
        if name in model.by_id and name not in arm.held
    }
    for name, of in arm.problem.follows.items():
        if name not in arm.held:
            values[name] = arm.problem.stated(name) * _factor(spans, of, draws)
    for lot, more in lot_factors(arm, draws):
        for name, amount in lot.amounts.items():
            values[name] = values.get(name, arm.problem.stated(name)) + amount * (more - 1.0)
    return values


def lot_factors(arm: Arm, draws: Draws) -> Iterator[tuple[Lot, np.ndarray]]:
    """The lots of an arm, each with the vesicles in its doses over those with the stated values, (member,)."""
    if not draws.members:
        return
    spans = ranges(arm.problem)
    for lot in arm.lots:
        yield lot, _factor(spans, dict.fromkeys(lot.numbers, 1), draws)


def _factor(spans: Mapping[str, Range], of: Mapping[str, int], draws: Draws) -> np.ndarray:
    """(member,) product of numbers over their stated values, each to its power; one without a range stays."""
    product = np.ones(draws.members)
    for name in sorted(of.keys() & spans.keys()):
        drawn = spans[name].at(draws.positions(spans[name].key)) / spans[name].stated
        product *= drawn ** of[name]
    return product


def _key(name: str, said: Mapping[str, Any], groups: set[str]) -> str:
    group, _, symbol = name.rpartition("__")
    return f"{symbol} {said['low']!r} {said['high']!r} {said['unit']}" if group in groups else name
