"""Doses as parts of the model: a kinetics module for each source and route, with its schedule as timed events."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bonesim.catalog import Catalog
from bonesim.catalog.schema import Source, Species
from bonesim.compose.card import Card
from bonesim.compose.module import Module, load_module
from bonesim.errors import Place
from bonesim.model.expr import Sym, total
from bonesim.model.ode import Rule
from bonesim.pharmacology.amount import from_particles, to_particles
from bonesim.pharmacology.schedule import record_times
from bonesim.scenario.problem import DoseMark, LedgerPlan, Output
from bonesim.scenario.schema import Dose, Scenario
from bonesim.scenario.timetable import timetable
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


def regimens(scenario: Scenario, catalog: Catalog) -> list[Regimen]:
    """One for each source and route of the scenario, in order of first use."""
    entries: dict[tuple[str, str], list[tuple[int, Dose]]] = defaultdict(list)
    for position, dose in enumerate(scenario.doses):
        entries[dose.source, dose.route].append((position, dose))
    return [Regimen(scenario, catalog, key, doses) for key, doses in entries.items()]


def dose_groups(scenario: Scenario, catalog: Catalog) -> list[Group]:
    """The groups of all regimens of the scenario."""
    return [regimen.group() for regimen in regimens(scenario, catalog)]


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


class Regimen:
    """All doses of one source by one route, and what turns them into numbers."""

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

    @property
    def card(self) -> Card:
        """Of the kinetics module."""
        assert self.module.card is not None
        return self.module.card

    @property
    def particles(self) -> list[float]:
        """(dose,) vesicles of one administration."""
        return [self.vesicles(dose.amount, self.places[position]) for position, dose in self.doses]

    def vesicles(self, amount: Quantity, place: Place | None = None) -> float:
        """How many vesicles of this source an amount is, for the scenario's subject."""
        return to_particles(amount, mass=self.mass, particles_per_ug=self.per_ug, place=place)

    def group(self) -> Group:
        """The module with its timetable, its ledger and its marks."""
        table = timetable(self.doses, self.particles, self.card, self.recorded)
        delivered = Rule(
            "delivered",
            total([Sym(symbol) for symbol in self.card.port("delivered").sum]),
            "item",
            "all that ever entered",
        )
        model = self.module.model
        model = model.with_(
            parameters=(*model.parameters, *table.parameters),
            events=(*model.events, *table.events),
            rules=(*model.rules, delivered),
        )
        return Group(
            module=replace(self.module, model=model),
            source=self.source,
            active=tuple(f"{self.name}__{name}" for name in table.active),
            ledger=self._ledger(),
            marks=tuple(self._mark(dose) for _, dose in self.doses),
            size=max(self.particles),
        )

    def _ledger(self) -> LedgerPlan:
        unit = self.doses[0][1].amount.unit.text
        per_unit = 1.0 / from_particles(1.0, unit, mass=self.mass, particles_per_ug=self.per_ug)
        scheduled = sum(
            dose.count * (dose.amount.value if dose.amount.unit.text == unit else particles / per_unit)
            for (_, dose), particles in zip(self.doses, self.particles, strict=True)
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
