"""Many variants of one scenario as problems: rows of a sweep's design become parameter values, without resolving each.

What a variant changes in the flat model is known: the times and amounts of doses, the begin of contexts, the number of
cells that share the vesicles, and parameters by name. Times are computed by the timetable that `resolve` uses, once for
each distinct schedule; amounts enter linearly, and so does the mass. Variants whose events are alike but for numbers
share one problem, resolved at one of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bonesim.catalog import Catalog, load_catalog
from bonesim.model.ode import OdeModel, Parameter
from bonesim.network.uptake import COUNTS
from bonesim.pharmacology.amount import amount_kind
from bonesim.pharmacology.schedule import exact_days
from bonesim.scenario.arms import Arm, compared
from bonesim.scenario.edit import edited, edited_doses
from bonesim.scenario.exposure import Regimen, body_mass, days_given, regimens
from bonesim.scenario.kinetics import TARGETS
from bonesim.scenario.problem import VEHICLE, Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Dose, Scenario
from bonesim.scenario.timetable import Timetable
from bonesim.scenario.vary import TIMING, Axis, Key, axes, unit_factor
from bonesim.units import Quantity, Unit


@dataclass(frozen=True)
class Variation:
    """Variants that share the equations of one problem.

    rows : (variant,) their rows in the design
    problem : resolved at one of them; what is not in `values` holds for all
    held : what each arm but `dosed` holds at a value of its own, by flat id of the parameter
    values : what differs, by flat id of the parameter, (variant,) each
    sizes : sizes of states that differ, by flat id, (variant,) each
    scheduled : vesicles that each group is to deliver, (variant,) each
    """

    shape: object
    rows: np.ndarray
    problem: Problem
    held: Mapping[str, Mapping[str, float]]
    values: Mapping[str, np.ndarray]
    sizes: Mapping[str, np.ndarray]
    scheduled: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class _Schedule:
    """Times of one distinct schedule, and how each amount parameter follows from the vesicles of each dose."""

    shape: object
    times: dict[str, float]
    weights: dict[str, np.ndarray]
    counts: np.ndarray


class Variants:
    """The variants of a scenario along the axes of its sweep, each in `dosed`, `vehicle` and the arms of `further`.

    further : by name what arms hold that differ from `dosed` in what they are without
    others : arms with doses or equations of their own, which would not follow the values of a variant
    """

    def __init__(self, scenario: Scenario, catalog: Catalog | None = None) -> None:
        self.catalog = catalog or load_catalog()
        self.scenario = scenario
        dosed, _, *arms = compared(scenario, self.catalog).arms
        self.further = {arm.name: arm.held for arm in arms if _follows(arm, dosed)}
        self.others = tuple(arm.name for arm in arms if not _follows(arm, dosed))
        self.base = self._with_arms(dosed.problem)
        self.regimens = regimens(scenario, self.catalog)
        self.problems: dict[object, Problem] = {}
        self.axes = axes(scenario, self.base.model, self._computed())

    def edited(self, row: np.ndarray) -> Scenario:
        """The scenario with the values of one row written into it."""
        return edited(self.scenario, self.axes, row)

    def problem(self, row: np.ndarray) -> Problem:
        """The problem of one row, resolved as `bonesim run` would."""
        problem = resolve(self.edited(row), self.catalog)
        values = {
            axis.target: float(value) * unit_factor(axis, problem.model.by_id[axis.target].unit)
            for axis, value in zip(self.axes, row, strict=True)
            if isinstance(axis.target, str)
        }
        return replace(problem, model=_with_values(problem.model, values))

    def variations(self, matrix: np.ndarray) -> list[Variation]:
        """The rows (variant, axis), those together whose events are alike but for numbers."""
        timing = [number for number, axis in enumerate(self.axes) if is_timing(axis)]
        first, inverse = _distinct(matrix[:, timing])
        schedules = [self._schedule(matrix[row]) for row in first]
        shapes: dict[object, list[int]] = defaultdict(list)
        for number, schedule in enumerate(schedules):
            shapes[schedule.shape].append(number)
        found = []
        for shape, numbers in shapes.items():
            place = np.full(len(schedules), -1)
            place[numbers] = np.arange(len(numbers))
            rows = np.flatnonzero(place[inverse] >= 0)
            chosen = [schedules[number] for number in numbers]
            found.append(self._variation(shape, rows, matrix[rows], chosen, place[inverse[rows]]))
        return found

    def _variation(
        self, shape: object, rows: np.ndarray, matrix: np.ndarray, schedules: Sequence[_Schedule], which: np.ndarray
    ) -> Variation:
        """One variation; member k of it has the schedule `schedules[which[k]]`."""
        if shape not in self.problems:
            self.problems[shape] = self._with_arms(resolve(self.edited(matrix[0]), self.catalog))
        problem = self.problems[shape]
        column = {axis.target: matrix[:, number] for number, axis in enumerate(self.axes)}
        particles = self._particles(column, len(rows))
        counts = np.array([schedule.counts for schedule in schedules])[which].T
        values = {name: np.array([one.times[name] for one in schedules])[which] for name in schedules[0].times}
        for name in schedules[0].weights:
            weights = np.array([one.weights[name] for one in schedules])[which].T
            values[name] = (weights * particles).sum(axis=0)
        values |= dict(self._others(problem.model, column))
        sizes: dict[str, np.ndarray] = {}
        scheduled: dict[str, np.ndarray] = {}
        for regimen in self.regimens:
            positions = [position for position, _ in regimen.doses]
            scheduled[regimen.name] = (counts * particles)[positions].sum(axis=0)
            size = particles[positions].max(axis=0)
            prefix = f"{regimen.name}__"
            sizes |= {state.id: size for state in problem.model.states if state.id.startswith(prefix)}
        nothing = {name: given[-1] for name, given in problem.arm_values.items()}
        return Variation(shape, rows, problem, {VEHICLE: nothing, **self.further}, values, sizes, scheduled)

    def _with_arms(self, problem: Problem) -> Problem:
        return replace(problem, arms=(*problem.arms, *self.further))

    def _schedule(self, row: np.ndarray) -> _Schedule:
        """The times of one row's doses, and the weights of their amounts: what one vesicle of each dose would give."""
        doses = edited_doses(self.scenario, self.axes, row)
        shape, times, weights = [], {}, {}
        for regimen in self.regimens:
            mine = [(position, doses[position]) for position, _ in regimen.doses]
            units = np.eye(len(mine))
            tables = [regimen.timetable(mine, unit.tolist()) for unit in units]
            shape.append(tables[0].shape)
            for name, values in _by_name(regimen, tables):
                if name.rpartition("__")[2] in tables[0].active:
                    weights[name] = np.zeros(len(doses))
                    weights[name][[position for position, _ in mine]] = values
                else:
                    times[name] = values[0]
        return _Schedule(tuple(shape), times, weights, np.array([dose.count for dose in doses], float))

    def _particles(self, column: Mapping[Key | str, np.ndarray], variants: int) -> np.ndarray:
        """(dose, variant) vesicles of one administration."""
        particles = np.empty((len(self.scenario.doses), variants))
        heavier = self._heavier(column)
        for regimen in self.regimens:
            for position, dose in regimen.doses:
                key = Key("doses", position, "amount")
                axis = next((axis for axis in self.axes if axis.target == key), None)
                if axis is None:
                    unit, particles[position] = dose.amount.unit, regimen.vesicles(dose.amount)
                else:
                    unit = Unit.parse(axis.unit)
                    particles[position] = column[key] * regimen.vesicles(Quantity(1.0, unit, f"1 {axis.unit}"))
                if amount_kind(unit).per_mass:
                    particles[position] *= heavier
                if amount_kind(unit).per_day:
                    particles[position] *= self._days(column, position, dose)
        return particles

    def _days(self, column: Mapping[Key | str, np.ndarray], position: int, dose: Dose) -> np.ndarray | float:
        """Length of a secretion, day, (variant,)."""
        key = Key("doses", position, "over")
        axis = next((axis for axis in self.axes if axis.target == key), None)
        return days_given(dose) if axis is None else column[key] * unit_factor(axis, "day")

    def _heavier(self, column: Mapping[Key | str, np.ndarray]) -> np.ndarray | float:
        """Mass over the mass of the scenario as written, (variant,)."""
        axis = next((axis for axis in self.axes if axis.target == Key("subject", 0, "mass")), None)
        if axis is None:
            return 1.0
        species = self.catalog.species[self.scenario.subject.species]
        return column[axis.target] * unit_factor(axis, "g") / body_mass(self.scenario, species).to("g")

    def _others(self, model: OdeModel, column: Mapping[Key | str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
        """Values of everything that is no dose: begins of contexts, what scales with mass, parameters by name."""
        for axis in self.axes:
            values = column[axis.target]
            if isinstance(axis.target, str):
                yield axis.target, values * unit_factor(axis, model.by_id[axis.target].unit)
            elif axis.target.block == "context":
                start = f"{self.scenario.context[axis.target.position].id}__start"
                if start in model.by_id:
                    days = [float(exact_days(Quantity.parse(axis.text(value)))) for value in values]
                    yield start, np.array(days)
        if Key("subject", 0, "mass") in column:
            for name in self._scaling():
                usual = self.base.model.by_id.get(name)
                if isinstance(usual, Parameter):
                    yield name, usual.value * self._heavier(column)  # type: ignore[misc]

    def _scaling(self) -> Iterator[str]:
        """Flat ids of the parameters that follow the subject's mass."""
        counts = self.catalog.species[self.scenario.subject.species].cells
        yield from (COUNTS[site] for site, name in TARGETS.items() if name in counts and counts[name].scales_with)
        yield from (f"{regimen.name}__endogenous_flux" for regimen in self.regimens)

    def _computed(self) -> frozenset[str]:
        """Flat ids of the parameters that hold what the scenario says of doses and contexts."""
        names = {f"{use.id}__start" for use in self.scenario.context}
        for regimen in self.regimens:
            table = regimen.timetable(regimen.doses, regimen.particles)
            names |= {f"{regimen.name}__{parameter.id}" for parameter in table.parameters}
        return frozenset(names)


def _follows(arm: Arm, dosed: Arm) -> bool:
    return arm.problem is dosed.problem and not arm.has_own_vehicle


def _with_values(model: OdeModel, values: Mapping[str, float]) -> OdeModel:
    parameters = (
        replace(parameter, value=values[parameter.id]) if parameter.id in values else parameter
        for parameter in model.parameters
    )
    return model.with_(parameters=tuple(parameters))


def is_timing(axis: Axis) -> bool:
    return isinstance(axis.target, Key) and axis.target.block == "doses" and axis.target.name in TIMING


def _distinct(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First occurrence of each distinct row, and for every row the number of its equal."""
    if not rows.shape[1]:
        return np.zeros(1, int), np.zeros(len(rows), int)
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def _by_name(regimen: Regimen, tables: Sequence[Timetable]) -> Iterator[tuple[str, list[float]]]:
    """Flat id of each parameter of a regimen with its value in each of the tables."""
    for same in zip(*(table.parameters for table in tables), strict=True):
        yield f"{regimen.name}__{same[0].id}", [parameter.value for parameter in same]
