"""Doses as parts of the model: a kinetics module for each source and route, with its schedule as timed events."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bonesim.catalog import Catalog
from bonesim.catalog.schema import Source, Species
from bonesim.compose.module import Module, load_module
from bonesim.model.expr import Call, Num, Sym, total
from bonesim.model.ode import Parameter, Rule, TimedEvent
from bonesim.pharmacology.amount import from_particles, to_particles
from bonesim.pharmacology.schedule import infusion_levels, record_times
from bonesim.scenario.problem import DoseMark, LedgerPlan, Output
from bonesim.scenario.schema import Dose, Scenario
from bonesim.units import Quantity


@dataclass(frozen=True)
class Group:
    """All doses of one source by one route, joined to one kinetics module.

    active : parameters (flat ids) that are 0 in the vehicle arm
    size : the particles of the largest single administration
    """

    module: Module
    source: Source
    active: tuple[str, ...]
    ledger: LedgerPlan
    marks: tuple[DoseMark, ...]
    size: float

    @property
    def uptake(self) -> str:
        """Flat id of the vesicles that bone cells take up a day."""
        assert self.module.card is not None
        return f"{self.module.name}__{self.module.card.port('cell_uptake').symbol}"

    @property
    def outputs(self) -> Iterator[Output]:
        """Vesicles in each compartment, for figures and files."""
        card = self.module.card
        assert card is not None
        title = _title(self.source, self.ledger.route)
        for symbol in card.port("delivered").sum:
            name = f"{self.module.name}.{symbol}"
            label = card.symbols[symbol].label
            yield Output(name, f"{self.module.name}__{symbol}", "particles", label, "exposure", title, label)


def dose_groups(scenario: Scenario, catalog: Catalog) -> list[Group]:
    """One group for each source and route of the scenario, in order of first use."""
    entries: dict[tuple[str, str], list[tuple[int, Dose]]] = defaultdict(list)
    for position, dose in enumerate(scenario.doses):
        entries[dose.source, dose.route].append((position, dose))
    return [_Regimen(scenario, catalog, key, doses).group() for key, doses in entries.items()]


EARLY = 2.0
"""Days after the scenario's first dose during which exposure is kept closely."""


def early_times(scenario: Scenario) -> tuple[float, ...]:
    """Days at which the first dose is watched: closely after it and after every other that falls into its two days.

    Vesicles leave blood within minutes, and no record kept by the day would show it.
    """
    given = sorted(a.time_day for dose in scenario.doses for a in dose.administrations)
    if not given or given[0] >= scenario.duration.to("day"):
        return ()
    end = min(given[0] + EARLY, scenario.duration.to("day"))
    given = given[: bisect_left(given, end)]
    after = [0.0, *np.geomspace(2 / 1440, EARLY, 60)]
    return tuple(sorted({end, *(time + float(wait) for time in given for wait in after if time + wait < end)}))


def body_mass(scenario: Scenario, species: Species) -> Quantity:
    """The subject's mass as written, else the species' usual one."""
    return scenario.subject.mass or species.defaults.mass.quantity


class _Regimen:
    """Builds one group: boluses jump a state, infusions set a rate."""

    def __init__(
        self, scenario: Scenario, catalog: Catalog, key: tuple[str, str], doses: list[tuple[int, Dose]]
    ) -> None:
        source, route = key
        self.doses, self.route = doses, route
        self.source = catalog.sources[source]
        self.name = f"{source}_{route}"
        species = catalog.species[scenario.subject.species]
        self.mass = body_mass(scenario, species)
        self.per_ug = self.source.lot.per_ug
        module = load_module(catalog.routes[route].module, self.name)
        values = {symbol: number.quantity for symbol, number in species.of_module(module.model.id).items()}
        self.module = module.with_values(values)
        self.recorded = frozenset(record_times(scenario.duration, scenario.record.every))
        self.places = {position: scenario.place(f"doses[{position}].amount") for position, _ in doses}
        self.parameters: list[Parameter] = []
        self.events: list[TimedEvent] = []
        self.active: list[str] = []

    def group(self) -> Group:
        """The module with its schedule, its ledger and its marks."""
        card = self.module.card
        assert card is not None
        infusions = []
        for position, dose in self.doses:
            particles = self._particles(position, dose)
            if dose.over is None:
                self._bolus(position, dose, particles, card.port("dose").jumps or "")
            else:
                infusions += [(a, a.rate(particles)) for a in dose.administrations]
        self._infusions(infusion_levels(infusions), card.port("infusion").sets or "")
        delivered = Rule(
            "delivered", total([Sym(symbol) for symbol in card.port("delivered").sum]), "item", "all that ever entered"
        )
        model = self.module.model
        model = model.with_(
            parameters=(*model.parameters, *self.parameters),
            events=(*model.events, *self.events),
            rules=(*model.rules, delivered),
        )
        return Group(
            module=replace(self.module, model=model),
            source=self.source,
            active=tuple(f"{self.name}__{name}" for name in self.active),
            ledger=self._ledger(),
            marks=tuple(self._mark(dose) for _, dose in self.doses),
            size=max(self._particles(position, dose) for position, dose in self.doses),
        )

    def _particles(self, position: int, dose: Dose) -> float:
        return to_particles(dose.amount, mass=self.mass, particles_per_ug=self.per_ug, place=self.places[position])

    def _parameter(self, name: str, value: float, unit: str, label: str, *, active: bool = False) -> Sym:
        self.parameters.append(Parameter(name, value, unit, label=label))
        if active:
            self.active.append(name)
        return Sym(name)

    def _bolus(self, position: int, dose: Dose, particles: float, target: str) -> None:
        label = f"doses[{position}]"
        amount = self._parameter(f"dose{position}_amount", particles, "item", f"{label}, particles", active=True)
        jump = (target, Call("add", (Sym(target), amount)))
        times = [administration.time_day for administration in dose.administrations]
        interval = dose.every.to("day") if dose.every else 0.0
        every = None
        if dose.every:
            every = self._parameter(f"dose{position}_every", interval, "day", f"{label}, interval")
        for number, (first, count) in enumerate(_even_runs(times, interval, self.recorded)):
            name = f"dose{position}_{number}" if number else f"dose{position}"
            start = self._parameter(f"{name}_start", first, "day", f"{label}, from day {first:g}")
            self.events.append(TimedEvent(name, start, (jump,), every if count > 1 else None, count))

    def _infusions(self, levels: list[tuple[float, float]], target: str) -> None:
        for number, (time, rate) in enumerate(levels):
            level = self._parameter(f"rate{number}", rate, "item/day", f"infusion rate from day {time:g}", active=True)
            self.events.append(TimedEvent(f"infusion{number}", Num(time), ((target, level),)))

    def _ledger(self) -> LedgerPlan:
        unit = self.doses[0][1].amount.unit.text
        per_unit = 1.0 / from_particles(1.0, unit, mass=self.mass, particles_per_ug=self.per_ug)
        scheduled = sum(
            dose.count
            * (dose.amount.value if dose.amount.unit.text == unit else self._particles(position, dose) / per_unit)
            for position, dose in self.doses
        )
        return LedgerPlan(
            group=self.name,
            source=self.source.id,
            route=self.route,
            doses=tuple(position for position, _ in self.doses),
            unit=unit,
            scheduled=scheduled,
            per_unit=per_unit,
            delivered=f"{self.name}__delivered",
        )

    def _mark(self, dose: Dose) -> DoseMark:
        times = tuple(administration.time_day for administration in dose.administrations)
        label = f"{self.source.label}, {dose.amount.text}, {self.route}"
        return DoseMark(label, _title(self.source, self.route), times, dose.over.to("day") if dose.over else 0.0)


def _title(source: Source, route: str) -> str:
    """What a group is called in figures and files."""
    return f"{source.label}, {route}"


def _even_runs(times: list[float], every: float, recorded: Container[float]) -> Iterator[tuple[float, int]]:
    """(first time, count) of stretches that a repeated event, at first + k every, gives at the right times.

    The schedule rounds each time once, a repeated event rounds twice, and the two may differ by an ulp. That matters
    where a dose falls on a recorded time, the end of the run among them: it would come after the record, or never.
    """
    start = 0
    while start < len(times):
        count = 1
        while start + count < len(times):
            time = times[start + count]
            if times[start] + count * every != time and time in recorded:
                break
            count += 1
        yield times[start], count
        start += count
