"""Doses as parts of the model: a kinetics module for each source, route and carrier, with its schedule as events."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bonesim.catalog import Catalog
from bonesim.catalog.schema import Number, Source, Species
from bonesim.compose.card import Card
from bonesim.compose.module import Module, load_module
from bonesim.errors import Place
from bonesim.model.expr import Sym, total
from bonesim.model.ode import Rule
from bonesim.network.uptake import ON_THE_WAY, Property, Uptake
from bonesim.pharmacology.amount import Counted, amount_kind, to_particles
from bonesim.pharmacology.schedule import record_times
from bonesim.scenario.kinetics import carrier_numbers, has_own_tissue, in_form, module_numbers, secreted, site_shares
from bonesim.scenario.problem import DoseMark, LedgerPlan, Output
from bonesim.scenario.schema import Dose, Scenario
from bonesim.scenario.timetable import Timetable, timetable
from bonesim.units import Quantity, Unit


@dataclass(frozen=True)
class Group:
    """All doses of one source by one route in one carrier or none, joined to one kinetics module.

    active : parameters (flat ids) that are 0 in the vehicle arm
    size : the particles of the largest single administration
    uptakes : what cells take up a day, at each site that the route reaches
    numbers : class, range and source of the numbers that catalogue and scenario give the module, and of those behind
        them, by flat id
    follows : as in a problem
    compartments : the module's own ids of all places where its vesicles can be
    """

    module: Module
    source: Source
    active: tuple[str, ...]
    ledger: LedgerPlan
    marks: tuple[DoseMark, ...]
    size: float
    uptakes: tuple[Uptake, ...]
    numbers: Mapping[str, Number]
    follows: Mapping[str, Mapping[str, int]]
    compartments: tuple[str, ...]
    title: str

    @property
    def interstitium(self) -> str:
        """Flat id of the vesicles between the cells of bone."""
        assert self.module.card is not None
        return f"{self.module.name}__{self.module.card.port('bone_exposure').symbol}"

    @property
    def takes(self) -> frozenset[str]:
        """Processes of the vesicle itself that the kinetics take."""
        return frozenset(port.name for port in self.module.ports if port.name in ON_THE_WAY)

    def driven(self, properties: Iterable[Property]) -> Group:
        """The group with what the catalogue says of its vesicles acting on its kinetics."""
        (carrier,) = {one.carrier for one in self.uptakes}
        own = tuple(
            (one.cell, one.process, one.symbol)
            for one in properties
            if one.source == self.source.id and one.process in self.takes and one.carrier in (None, carrier)
        )
        return replace(self, module=replace(self.module, own=own))

    @property
    def outputs(self) -> Iterator[Output]:
        """Vesicles in each compartment, for figures and files."""
        card = self.module.card
        assert card is not None
        for symbol in self.compartments:
            name = f"{self.module.name}.{symbol}"
            label = card.symbols[symbol].label
            yield Output(name, f"{self.module.name}__{symbol}", "particles", label, "exposure", self.title, label)


def regimens(scenario: Scenario, catalog: Catalog) -> list[Regimen]:
    """One for each source, route and carrier of the scenario, in order of first use."""
    entries: dict[tuple[str, str, str | None], list[tuple[int, Dose]]] = defaultdict(list)
    for position, dose in enumerate(scenario.doses):
        entries[dose.source, dose.route, dose.carrier].append((position, dose))
    return [Regimen(scenario, catalog, key, doses) for key, doses in entries.items()]


def dose_groups(scenario: Scenario, catalog: Catalog) -> list[Group]:
    """The groups of all regimens of the scenario."""
    return [regimen.group() for regimen in regimens(scenario, catalog)]


SECRETION = "endogenous_secretion"
"""Prior: what the body itself secretes, protein by time and body mass."""

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
    """All doses of one source by one route in one carrier or none, and what turns them into numbers."""

    def __init__(
        self,
        scenario: Scenario,
        catalog: Catalog,
        key: tuple[str, str, str | None],
        doses: list[tuple[int, Dose]],
    ) -> None:
        source, route, carrier = key
        self.doses, self.route = doses, catalog.routes[route]
        self.source = catalog.sources[source]
        self.carrier = catalog.carriers[carrier] if carrier else None
        self.name = "_".join(filter(None, key))
        self.species = catalog.species[scenario.subject.species]
        self.mass = body_mass(scenario, self.species)
        self.flux = secreted(catalog.priors[SECRETION], self.mass, self.source.lot.particles_per_ug)
        module = load_module(self.route.module or "", self.name)
        self.priors = catalog.priors
        self.site = site_shares(self.route, self.species, self.mass, scenario.place("subject.species"))
        given = {"uptake_reserve": catalog.priors["uptake_reserve"], "endogenous_flux": self.flux}
        given |= self.site.numbers
        given |= carrier_numbers(self.carrier)
        self.values = module_numbers(module, self.route, self.species, given)
        module = module.with_values({name: number.quantity for name, number in self.values.items()})
        self.module = in_form(module, self.route, self.carrier)
        self.recorded = frozenset(record_times(scenario.duration, scenario.record.every))
        self.end = scenario.duration.to("day")
        self.places = {position: scenario.place(f"doses[{position}].amount") for position, _ in doses}

    @property
    def card(self) -> Card:
        """Of the kinetics module."""
        assert self.module.card is not None
        return self.module.card

    @property
    def compartments(self) -> tuple[str, ...]:
        """The module's own ids of all places where vesicles can be, given as they are."""
        return tuple(name for name in self.card.port("delivered").sum if name in self.module.model.by_id)

    @property
    def particles(self) -> list[float]:
        """(dose,) vesicles of one administration."""
        return [self.vesicles(dose.amount, self.places[position]) * days_given(dose) for position, dose in self.doses]

    def vesicles(self, amount: Quantity, place: Place | None = None) -> float:
        """How many vesicles of this source an amount is, for the scenario's subject; of an amount a day, a day."""
        lot = self.source.lot
        counted = to_particles(
            amount, mass=self.mass, particles_per_ug=lot.per_ug, particles_per_cell=lot.per_cell, place=place
        )
        return counted * (lot.purity.value if lot.purity else 1.0)

    def of_lot(self, counted: Counted) -> dict[str, Number]:
        """The numbers of the lot that say how many vesicles are in a dose counted so, by flat id."""
        lot = self.source.lot
        name, number = {
            "protein": ("particles_per_ug", lot.particles_per_ug),
            "vesicles": ("lot_spread", lot.spread or self.priors["lot_spread"]),
            "cells": ("particles_per_cell", lot.particles_per_cell),
        }[counted]
        named = {name: number, "purity": lot.purity}
        return {f"{self.source.id}__{name}": one for name, one in named.items() if one}

    def _follows(self) -> dict[str, Mapping[str, int]]:
        """By the module's own ids: what the body secretes, counted as the lot counts protein, and cells of a site."""
        return {"endogenous_flux": {SECRETION: 1, f"{self.source.id}__particles_per_ug": 1}, **self.site.follows}

    def _behind(self) -> dict[str, Number]:
        """Numbers that lie behind those of the module, or behind the amounts of its doses, by flat id."""
        found = {SECRETION: self.priors[SECRETION], **self.of_lot("protein"), **self.site.behind}
        for _, dose in self.doses:
            found |= self.of_lot(amount_kind(dose.amount.unit).counted)
        return found

    def _flat(self, name: str) -> str:
        return f"{self.name}__{name}"

    def timetable(self, doses: Sequence[tuple[int, Dose]], particles: Sequence[float]) -> Timetable:
        """The events that give so many vesicles at the times of these doses."""
        return timetable(doses, particles, self.card, self.recorded, self.carrier)

    def group(self) -> Group:
        """The module with its timetable, its ledger and its marks."""
        table = self.timetable(self.doses, self.particles)
        delivered = Rule(
            "delivered",
            total([Sym(symbol) for symbol in self.compartments]),
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
            uptakes=tuple(self._uptakes()),
            numbers={self._flat(name): one for name, one in self.values.items() if name in self.module.model.by_id}
            | self._behind(),
            follows={self._flat(name): of for name, of in self._follows().items() if name in self.module.model.by_id},
            compartments=self.compartments,
            title=self.title,
        )

    @property
    def title(self) -> str:
        """What the group is called in figures and files."""
        held = f" with {self.carrier.label}" if self.carrier else ""
        return f"{self.source.label}{held}, {self.route.label}"

    def _uptakes(self) -> Iterator[Uptake]:
        """What cells of bone, and of the site where that is another, take up a day."""
        carrier = self.carrier.id if self.carrier else None
        yield Uptake(f"{self.name}__{self.card.port('cell_uptake').symbol}", "bone", carrier)
        if has_own_tissue(self.route):
            yield Uptake(f"{self.name}__{self.card.port('site_uptake').symbol}", self.route.site, carrier)

    def _ledger(self) -> LedgerPlan:
        unit = _whole(self.doses[0][1].amount.unit)
        per_unit = self.vesicles(Quantity(1.0, unit, unit.text))
        scheduled = sum(
            dose.count * (dose.amount.value if dose.amount.unit.text == unit.text else particles / per_unit)
            for (_, dose), particles in zip(self.doses, self.particles, strict=True)
        )
        first = min(dose.administrations[0].time_day for _, dose in self.doses)
        return LedgerPlan(
            group=self.name,
            source=self.source.id,
            route=self.route.id,
            carrier=self.carrier.id if self.carrier else None,
            doses=tuple(position for position, _ in self.doses),
            unit=unit.text,
            scheduled=scheduled,
            per_unit=per_unit,
            endogenous=self.flux.value * max(self.end - first, 0.0) / per_unit,
            delivered=f"{self.name}__delivered",
            retained=f"{self.name}__{self.card.port('retained').symbol}"
            if self.carrier and self.carrier.release
            else None,
        )

    def _mark(self, dose: Dose) -> DoseMark:
        times = tuple(administration.time_day for administration in dose.administrations)
        held = f" with {self.carrier.label}" if self.carrier else ""
        label = f"{self.source.label}{held}, {dose.amount.text}, {self.route.label}"
        return DoseMark(label, self.title, times, dose.over.to("day") if dose.over else 0.0)


def days_given(dose: Dose) -> float:
    """Days of one administration where the amount is one a day, else 1."""
    return dose.over.to("day") if dose.over and amount_kind(dose.amount.unit).per_day else 1.0


def _whole(unit: Unit) -> Unit:
    """The unit of what an amount a day comes to; any other unit as it is."""
    kind = amount_kind(unit)
    return Unit.parse("ug" if kind.counted == "protein" else "particles") if kind.per_day else unit
