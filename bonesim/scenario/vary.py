"""The axes of a sweep: each path under `sweep.vary` becomes a quantity that can take values."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np

from bonesim.errors import InputError, closest, quoted
from bonesim.model.ode import OdeModel, Parameter
from bonesim.scenario.schema import MOST_RECORDS, Amount, ContextUse, Dose, Mass, Scenario, Span, Subject, Time
from bonesim.scenario.sweep import Range, Value
from bonesim.units import Unit
from bonesim.yamlio import QuantityField
from bonesim.yamlio.document import dotted

FIELDS: dict[str, QuantityField | None] = {
    "subject.mass": get_args(Mass)[1],
    "context[].start": get_args(Time)[1],
    "doses[].amount": get_args(Amount)[1],
    "doses[].start": get_args(Time)[1],
    "doses[].every": get_args(Span)[1],
    "doses[].count": None,
    "doses[].over": get_args(Time)[1],
}
"""Quantities of a scenario that a sweep can vary -> what may be written there; None for a whole number."""

WORDS = {
    "mass": "body mass",
    "amount": "amount",
    "start": "first dose",
    "every": "interval",
    "count": "number of doses",
    "over": "length of infusion",
}
"""Keys in words, for figures."""

UNVARIED = frozenset().union(*(block.model_fields for block in (Scenario, Subject, ContextUse, Dose))) - WORDS.keys()
"""Keys of a scenario that cannot be varied; one of them is no slip of the pen."""

TIMING = frozenset({"start", "every", "count", "over"})
"""Keys of a dose that decide when it is given."""

_NUMBERED = re.compile(r"\[([0-9]{1,6})\]")


class Key(NamedTuple):
    """A quantity of the scenario: `doses[2].amount` is (`doses`, 2, `amount`)."""

    block: str
    position: int
    name: str


@dataclass(frozen=True)
class Axis:
    """One varied quantity and the values it may take, in `unit`.

    path : as the user wrote it
    target : a quantity of the scenario, or the flat id of a parameter
    levels : the values one after the other; empty where it takes any value from `low` to `high`
    log : the values are spaced by ratio
    whole : the values are whole numbers
    """

    path: str
    target: Key | str
    unit: str
    label: str
    levels: tuple[float, ...]
    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def scale(self) -> str:
        """`log` or `linear`, as in the file."""
        return "log" if self.log else "linear"

    def at(self, position: np.ndarray) -> np.ndarray:
        """(member,) values at positions between 0 and 1, 1 left out; each level has an equal share of them."""
        if self.levels:
            return np.asarray(np.take(self.levels, (position * len(self.levels)).astype(int)))
        if self.whole:
            return np.asarray(self.low + np.floor(position * (self.high - self.low + 1)))
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** position)
        return np.asarray(self.low + position * (self.high - self.low))

    def text(self, value: float) -> str:
        """A value as it would be written in the file: all digits, with the unit."""
        number = str(int(value)) if self.whole else repr(float(value))
        return number if self.unit == "dimensionless" else f"{number} {self.unit}"


def axes(scenario: Scenario, model: OdeModel, computed: Collection[str] = ()) -> tuple[Axis, ...]:
    """The axes of a scenario's sweep, in the order of the file; empty without one.

    Parameters
    ----------
    scenario, model
        The scenario as written, and its joined model, in which parameters are looked up.
    computed
        Flat ids of parameters that hold what the scenario's own quantities say.

    Raises
    ------
    InputError
        All that is wrong with paths and values, each at its place.
    """
    if scenario.sweep is None:
        return ()
    found, faults = [], []
    for path, values in scenario.sweep.vary.items():
        try:
            found.append(_axis(scenario, model, computed, path, values, scenario.sweep.design == "grid"))
        except InputError as error:
            place = scenario.place(vary_key(path))
            faults.append(InputError(error.problem, place=place, remedy=error.remedy))
    faults += _doubled(scenario, found)
    if faults:
        raise InputError.together(faults)
    return tuple(found)


def vary_key(path: str) -> str:
    """Where a path stands in the file."""
    return dotted(("sweep", "vary", path))


def _axis(
    scenario: Scenario,
    model: OdeModel,
    computed: Collection[str],
    path: str,
    values: Range | tuple[Value, ...],
    grid: bool,
) -> Axis:
    target, field, label = _target(scenario, model, computed, path)
    written = (values.low, values.high) if isinstance(values, Range) else values
    numbers, unit = _numbers(written, field)
    whole = field is None
    if not isinstance(values, Range):
        if len(set(numbers)) < len(numbers):
            raise InputError("a value is given twice", remedy="give it once")
        return Axis(path, target, unit, label, numbers, min(numbers), max(numbers), _even_ratios(numbers), whole)
    low, high = numbers
    log = values.scale == "log"
    if not low < high:
        raise InputError(f"low, {values.low}, is not below high, {values.high}", remedy="exchange them, or give a list")
    if log and low <= 0:
        raise InputError(f"a scale 'log' cannot begin at {values.low}", remedy="a low above 0, or scale: linear")
    if grid and values.count is None:
        raise InputError("a grid needs to know how many values", remedy="count: 5, or a list of values")
    levels = _levels(low, high, values.count, log, whole) if values.count else ()
    return Axis(path, target, unit, label, levels, low, high, log, whole)


def _target(
    scenario: Scenario, model: OdeModel, computed: Collection[str], path: str
) -> tuple[Key | str, QuantityField | None, str]:
    """What a path names, what may be written for it, and what it is called."""
    known = {name: key for key in _keys(scenario) for name in (_path(key),)}
    if path in known:
        key = known[path]
        return key, FIELDS[_NUMBERED.sub("[]", path)], _label(scenario, key)
    block = re.split(r"[.\[]", path)[0]
    if block in Scenario.model_fields:
        problem = f"{quoted(path)} is no quantity of this scenario that a sweep can vary"
        real = path.rpartition(".")[2] in UNVARIED
        raise InputError(problem, remedy=f"one of {', '.join(known)}" if real else closest(path, known))
    settable = [one.id for one in model.parameters if one.id not in computed and one.initial is None]
    names = [one.replace("__", ".") if "." in path else model.public_name(one) for one in settable]
    try:
        symbol = model.resolve(path)
    except InputError as error:
        problem = f"{quoted(path)} is no quantity of the scenario, and {error.problem}"
        remedy = closest(path, [*names, *known]) if path not in model.short_names else error.remedy
        raise InputError(problem, remedy=remedy) from None
    parameter = model.by_id[symbol]
    if symbol in computed:
        raise InputError(f"{quoted(path)} follows from the scenario", remedy=f"vary one of {', '.join(known)}")
    if not isinstance(parameter, Parameter):
        raise InputError(f"{quoted(path)} is computed; only a parameter can be varied", remedy=closest(path, names))
    if parameter.initial is not None:
        problem = f"{quoted(path)} is computed by an initial assignment, so that a value for it would change nothing"
        raise InputError(problem, remedy="vary what it is computed from")
    return symbol, QuantityField(parameter.unit or "dimensionless"), parameter.label or path


def _label(scenario: Scenario, key: Key) -> str:
    if key.block == "context":
        return f"begin of {scenario.context[key.position].id}"
    if key.block == "doses" and len(scenario.doses) > 1:
        return f"{WORDS[key.name]}, {scenario.doses[key.position].source} (doses[{key.position}])"
    return WORDS[key.name]


def _keys(scenario: Scenario) -> Iterator[Key]:
    """Every quantity of this scenario that can be varied."""
    counts = {"subject": 1, "context": len(scenario.context), "doses": len(scenario.doses)}
    for block, count in counts.items():
        names = [field.rpartition(".")[2] for field in FIELDS if field.startswith(block)]
        yield from (Key(block, position, name) for position in range(count) for name in names)


def _path(key: Key) -> str:
    return f"{key.block}.{key.name}" if key.block == "subject" else f"{key.block}[{key.position}].{key.name}"


def _numbers(written: tuple[Value, ...], field: QuantityField | None) -> tuple[tuple[float, ...], str]:
    """The values in the unit of the first, and that unit."""
    if field is None:
        return tuple(map(_whole, written)), "dimensionless"
    if field.units == ("dimensionless",):
        written = tuple(f"{value!r} dimensionless" if isinstance(value, int | float) else value for value in written)
    quantities = [field.read(value) for value in written]
    unit = quantities[0].unit
    for quantity in quantities:
        if quantity.unit.kind != unit.kind:
            problem = f"{quoted(quantities[0].text)} and {quoted(quantity.text)} cannot be compared"
            raise InputError(problem, remedy="write all values in one unit")
    return tuple(quantity.to(unit) for quantity in quantities), unit.text


def _whole(value: Value) -> float:
    if not isinstance(value, int) or not 1 <= value <= MOST_RECORDS:
        raise InputError(f"{quoted(str(value))} is no count", remedy=f"a whole number from 1 to {MOST_RECORDS}")
    return float(value)


def _levels(low: float, high: float, count: int, log: bool, whole: bool) -> tuple[float, ...]:
    levels = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    if whole:
        levels = np.rint(levels)
        if len(np.unique(levels)) < count:
            problem = f"there are not {count} whole numbers between {low:g} and {high:g} at these distances"
            raise InputError(problem, remedy="a smaller count, or a list")
    return tuple(levels.tolist())


def _even_ratios(numbers: tuple[float, ...]) -> bool:
    """Whether a list is spaced by ratio rather than by difference, for axes of figures."""
    ordered = np.sort(numbers)
    if len(ordered) < 3 or ordered[0] <= 0:
        return False
    steps, ratios = np.diff(ordered), np.diff(np.log(ordered))
    return bool(np.ptp(ratios) / ratios.mean() < np.ptp(steps) / steps.mean())


def _doubled(scenario: Scenario, found: list[Axis]) -> Iterator[InputError]:
    for number, axis in enumerate(found):
        for other in found[:number]:
            if axis.target == other.target:
                problem = f"{quoted(axis.path)} and {quoted(other.path)} are one quantity"
                yield InputError(problem, place=scenario.place(vary_key(axis.path)), remedy="keep one of the names")


def unit_factor(axis: Axis, unit: str) -> float:
    """How many of `unit` one of the axis's unit is."""
    return Unit.parse(axis.unit).conversion_to(unit or "dimensionless")
