"""What a source does: every process that its cargo reaches and the outcomes of tissue, dosed against vehicle.

One reference protocol asks all sources the same question, so that they can be compared; a context may bring its own.
The answer is computed: an entry states what cargo does to cells, and nothing about tissue.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bonesim.catalog import Catalog, load_catalog
from bonesim.catalog.schema import Protocol, Source
from bonesim.errors import InputError, Place, closest, quoted
from bonesim.scenario.arms import lots_of
from bonesim.scenario.comparison import UncertaintyChoice
from bonesim.scenario.kinetics import TARGETS
from bonesim.scenario.problem import LedgerPlan, Output, Problem, Scope
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.trial import Trial, knocked_out, try_versions, untreated

OUTCOMES = {
    "bone_volume": "bone_volume_fraction",
    "osteoblasts": "OBa",
    "osteoclasts": "OCa",
    "vessel_density": "vessel_density",
    "new_bone": "new_bone",
}
"""Outcome -> the quantity behind it, reported where the model has it."""

TISSUE = {"bone_formation": "P1NP", "bone_regeneration": "new_bone", "bone_loss": "bone_volume_fraction"}
"""Computed process of the vocabulary -> the quantity it is read from, where the model has it."""

UNNAMED = "unnamed"
"""Stands in `without` for all effects of which no cargo is named."""

PLACES = {"central": "blood", "peripheral": "exchanging tissue"}
"""Places of vesicles whose names in equations are not those of an organ, in words."""

MODULES = ("angiogenesis", "macrophage")
"""Modules that a profile joins to the core, so that effects on vessels and macrophages reach bone."""

RTOL = 1e-8
NONE = 1e-6
"""Changes (log2, or parts of 1) below this are none: far above the error of the solution, far below any effect."""

DOSED, WITHOUT_UNKNOWN, VEHICLE = range(3)


@dataclass(frozen=True)
class Question:
    """A source, the context it is asked in, how it is given, and what is left out of it."""

    source: Source
    context: str | None
    protocol: Protocol
    without: tuple[str, ...]

    @property
    def out(self) -> tuple[str, ...]:
        """Ids of the edges that are left out."""
        cargo: set[str | None] = {one.name for one in self.source.cargo if {one.name, *one.aliases} & {*self.without}}
        if UNNAMED in self.without:
            cargo.add(None)
        return tuple(edge.id for edge in self.source.edges if edge.id in self.without or edge.cargo in cargo)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ids of the edges whose mechanism is not known."""
        return tuple(edge.id for edge in self.source.edges if edge.mechanism == "unknown")

    @property
    def carriers(self) -> tuple[str, ...]:
        """Carriers with which effects of the source were seen; these effects are counted."""
        named = (edge.conditions.carrier for edge in self.source.edges)
        return tuple(dict.fromkeys(carrier for carrier in named if carrier is not None))


def profile(
    source: str,
    context: str | None = None,
    species: str | None = None,
    without: Sequence[str] = (),
    *,
    members: int = 0,
    seed: int = 1,
) -> dict[str, Any]:
    """What one source does under its reference protocol.

    Parameters
    ----------
    source
        Id of a source of the catalogue.
    context
        Id of a disease or setting: effects that are stated for it act, and its causes where the catalogue has them.
    species
        Id of a species; that of the protocol where it is left out.
    without
        Names or aliases of cargo, or ids of edges, that are left out; `unnamed` is all that no cargo is named for.
    members, seed
        How often all numbers that have a range are drawn from it, and of which draws.

    Returns
    -------
    dict
        `processes`: log2 of the time-averaged activity, dosed over vehicle, for each `cell.process`, and for each
        `process` of the product over cells, as cargo moves them; 0 where nothing reaches. `driven`: what vessels and
        macrophages add to processes in answer. `tissue`: log2 against vehicle for each process that is computed from
        cells, formation and healing over time, net loss at the horizon; None where the model has no such quantity.
        `outcomes`: percent against vehicle at the horizon. `means`: the same of their averages over time. `exposure`:
        percent of what was delivered, by place, at the horizon. `copies_per_cell`: the most copies of a cargo in one
        cell; `copies_not_known`: `CELL.CARGO` of cargo that nobody has counted in a vesicle. `ledger`: in the unit of
        the dose.
        `unknown_mechanism_share`: what goes of the summed sizes of all `cell.process` entries if the edges without a
        known mechanism are left out. `edges`: ids of those of the source that act, and of the others with the reason.
        With `members`, `agreement` has for every process, of cells and of tissue, outcome and mean that moves the share
        of the draws in which it moves the same way.

    Raises
    ------
    InputError
        For an unknown name, with the nearest.
    """
    catalog = load_catalog()
    question = _question(catalog, source, context, species, without)
    scenario = _scenario(catalog, question)
    problem = resolve(scenario, catalog, _scope(catalog, question))
    versions = [out := knocked_out(problem, question.out), {**out, **knocked_out(problem, question.unknown)}]
    places = [output for output in problem.outputs if output.role == "exposure"]
    copies = {output.name: output.symbol for output in problem.outputs if output.role == "copies"}
    trial = try_versions(
        problem,
        [*versions, untreated(problem)],
        [
            *(symbol for _, _, symbol in (*problem.activities, *problem.drives)),
            *(place.symbol for place in places),
            *(plan.delivered for plan in problem.ledger),
            *(symbol for _, symbol in (*_present(problem, OUTCOMES), *_present(problem, TISSUE))),
            *copies.values(),
            *(plan.retained for plan in problem.ledger if plan.retained),
        ],
        uncertainty=UncertaintyChoice(members=members, seed=seed) if members else None,
        lots=lots_of(scenario, catalog),
    )
    processes = _processes(problem, question, trial, DOSED)
    readings = _readings(catalog, problem, question, trial)
    found = {
        "source": question.source.id,
        "label": question.source.label,
        "effect_stated": question.source.effect_stated,
        **_asked(catalog, question),
        **readings,
        "driven": _driven(problem, question, trial),
        "exposure": _exposure(places, problem.ledger[0], trial),
        "copies_per_cell": {name: float(trial.course(one)[:, DOSED].max()) for name, one in copies.items()},
        "copies_not_known": list(problem.uncounted),
        "ledger": _ledger(problem.ledger[0], trial),
        "unknown_mechanism_share": _share(processes, _processes(problem, question, trial, WITHOUT_UNKNOWN)),
        "edges": _edges(problem, question),
    }
    if members:
        drawn = [_readings(catalog, problem, question, one) for one in trial.draws]
        found["members"] = len(drawn)
        found["agreement"] = {
            kind: _agreement(stated, [one[kind] for one in drawn]) for kind, stated in readings.items()
        }
    return found


def _readings(
    catalog: Catalog, problem: Problem, question: Question, trial: Trial
) -> dict[str, Mapping[str, float | None]]:
    """What the dosed course comes to against vehicle, by kind; draws may agree on it."""
    outcomes = dict(_present(problem, OUTCOMES))
    return {
        "processes": _processes(problem, question, trial, DOSED) | _over_cells(catalog, problem, question, trial),
        "tissue": dict.fromkeys(_computed(catalog)) | _tissue(question, trial, dict(_present(problem, TISSUE))),
        "outcomes": _ends(outcomes, trial),
        "means": _means(question, outcomes, trial),
    }


def _question(
    catalog: Catalog, source: str, context: str | None, species: str | None, without: Sequence[str]
) -> Question:
    found = catalog.source(source)
    names = {**catalog.vocabulary.contexts, **catalog.contexts}
    parts = [name for cargo in found.cargo for name in (cargo.name, *cargo.aliases)]
    parts += [UNNAMED, *(edge.id for edge in found.edges)]
    faults = [
        InputError(f"unknown {what} {quoted(name)}", place=Place(key=key), remedy=closest(name, known))
        for key, what, asked, known in (
            ("context", "context", [context] if context else [], names),
            ("species", "species", [species] if species else [], catalog.species),
            ("without", f"cargo or edge of {found.id}", without, parts),
        )
        for name in asked
        if name not in known
    ]
    if faults:
        raise InputError.together(faults)
    modelled = catalog.contexts.get(context or "")
    own = modelled.protocol if modelled else None
    protocol = (own or Protocol()).model_copy(update={"species": species} if species else {})
    return Question(found, context, protocol, tuple(without))


def _scenario(catalog: Catalog, question: Question) -> Scenario:
    """The reference protocol as a scenario."""
    protocol = question.protocol
    subject = catalog.species[protocol.species]
    context = catalog.contexts.get(question.context or "")
    repeats = {"every": str(protocol.every), "count": protocol.count} if protocol.every else {}
    dose = {"source": question.source.id, "amount": str(protocol.amount), "route": protocol.route, **repeats}
    days = protocol.start.to("day") + protocol.horizon.to("day")
    return Scenario.model_validate(
        {
            "schema_version": 1,
            "title": f"profile of {question.source.id}",
            "subject": {
                "species": subject.id,
                "sex": (context and context.sex) or "female",
                "age": str(subject.defaults.age.quantity),
            },
            "model": {"modules": list(MODULES)},
            "context": [{"id": context.id}] if context else [],
            "doses": [{**dose, "start": str(protocol.start)}],
            "duration": f"{days} day",
            "outputs": ["bone_volume_fraction"],
            "record": {"every": f"{protocol.horizon.to('day') / 224} day"},
            "solver": {"rtol": RTOL},
        }
    )


def _scope(catalog: Catalog, question: Question) -> Scope:
    """All that is stated of the source acts, as if it were given at the site of each effect."""
    contexts = frozenset({question.context} if question.context else ())
    route = catalog.routes[question.protocol.route]
    site = route.site if route.site in TARGETS else "bone"
    return Scope(every_process=True, contexts=contexts, carriers=frozenset(question.carriers), site=site)


def _present(problem: Problem, quantities: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Flat ids of the quantities, by name, as far as the model has them."""
    for name, quantity in quantities.items():
        if quantity in problem.model.short_names:
            yield name, problem.model.resolve(quantity)


def _asked(catalog: Catalog, question: Question) -> dict[str, Any]:
    """What the answer holds for."""
    protocol = question.protocol
    repeats = {"every": str(protocol.every), "count": protocol.count} if protocol.every else {}
    modelled = question.context is None or question.context in catalog.contexts
    return {
        "context": question.context,
        "context_modelled": modelled,
        "species": protocol.species,
        "dose": str(protocol.amount),
        "route": protocol.route,
        "start": str(protocol.start),
        **repeats,
        "horizon": str(protocol.horizon),
        "carriers": list(question.carriers),
        "without": list(question.without),
    }


def _processes(problem: Problem, question: Question, trial: Trial, version: int) -> dict[str, float]:
    """log2 of the time-averaged activity against vehicle, by `cell.process`; 0 for what is stated and does not act."""
    factors: dict[str, list[str]] = {edge.port: [] for edge in question.source.edges}
    for cell, process, symbol in problem.activities:
        factors.setdefault(f"{cell}.{process}", []).append(symbol)
    return {name: _change(question, trial, symbols, version) for name, symbols in factors.items()}


def _over_cells(catalog: Catalog, problem: Problem, question: Question, trial: Trial) -> dict[str, float]:
    """The same by process alone, for all that an edge may end in: every factor once, as where any cell counts."""
    factors: dict[str, dict[str, None]] = {
        name: {} for name, process in catalog.vocabulary.processes.items() if not process.computed
    }
    for _, process, symbol in problem.activities:
        if process in factors:
            factors[process][symbol] = None
    return {name: _change(question, trial, list(symbols), DOSED) for name, symbols in factors.items()}


def _driven(problem: Problem, question: Question, trial: Trial) -> dict[str, float]:
    """What modules add to processes in answer to the vesicles, alike."""
    factors: dict[str, list[str]] = {}
    for cell, process, symbol in problem.drives:
        factors.setdefault(f"{cell}.{process}", []).append(symbol)
    return {name: _change(question, trial, symbols, DOSED) for name, symbols in factors.items()}


def _computed(catalog: Catalog) -> Iterator[str]:
    return (name for name, process in catalog.vocabulary.processes.items() if process.computed)


def _tissue(question: Question, trial: Trial, symbols: Mapping[str, str]) -> dict[str, float]:
    """log2 against vehicle, by process of the vocabulary: formation and healing over time, net loss at the horizon."""
    found = {name: _change(question, trial, [symbol], DOSED) for name, symbol in symbols.items() if name != "bone_loss"}
    bone = trial.course(symbols["bone_loss"])[-1]
    return {**found, "bone_loss": _none_if_small(float(np.log2(bone[VEHICLE] / bone[DOSED])))}


def _edges(problem: Problem, question: Question) -> dict[str, Any]:
    """Which edges of the source act here, and why the others do not."""
    reasons = {**problem.left_out, **dict.fromkeys(question.out, "is left out")}
    own = [edge.id for edge in question.source.edges]
    return {
        "acting": [name for name in own if name not in reasons],
        "left_out": {name: reasons[name] for name in own if name in reasons},
    }


def _change(question: Question, trial: Trial, symbols: Sequence[str], version: int) -> float:
    """log2 of the time average of a product, against vehicle; the average begins with the first dose."""
    if not symbols:
        return 0.0
    first = int(np.searchsorted(trial.times, question.protocol.start.to("day")))
    product = np.prod([trial.course(symbol)[first:] for symbol in symbols], axis=0)
    mean = np.trapezoid(product, trial.times[first:], axis=0)
    return _none_if_small(float(np.log2(mean[version] / mean[VEHICLE])))


def _agreement(stated: Mapping[str, Any], drawn: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """For each value that is not 0, the share of the draws with the same sign."""
    count = max(len(drawn), 1)
    return {name: sum(one[name] * value > 0 for one in drawn) / count for name, value in stated.items() if value}


def _ends(outcomes: Mapping[str, str], trial: Trial) -> dict[str, float]:
    return {name: _percent(trial.course(symbol)[-1]) for name, symbol in outcomes.items()}


def _means(question: Question, outcomes: Mapping[str, str], trial: Trial) -> dict[str, float]:
    changes = {name: _change(question, trial, [symbol], DOSED) for name, symbol in outcomes.items()}
    return {name: 100.0 * (2.0**change - 1.0) for name, change in changes.items()}


def _percent(ends: np.ndarray) -> float:
    return 100.0 * _none_if_small(float(ends[DOSED] / ends[VEHICLE] - 1.0))


def _none_if_small(change: float) -> float:
    return change if abs(change) > NONE else 0.0


def _exposure(places: Sequence[Output], plan: LedgerPlan, trial: Trial) -> dict[str, float]:
    """Percent of what was delivered, by place, at the horizon; what bone cells took up counts with bone."""
    delivered = trial.course(plan.delivered)[-1, DOSED]
    found: dict[str, float] = defaultdict(float)
    for place in places:
        name = re.sub("^cells$", "bone", place.symbol.rpartition("__")[2])
        found[name] += 100.0 * float(trial.course(place.symbol)[-1, DOSED] / delivered)
    return dict(found)


def _ledger(plan: LedgerPlan, trial: Trial) -> dict[str, Any]:
    delivered = float(trial.course(plan.delivered)[-1, DOSED]) / plan.per_unit
    retained = float(trial.course(plan.retained)[-1, DOSED]) / plan.per_unit if plan.retained else 0.0
    return {
        "scheduled": plan.scheduled,
        "delivered": delivered,
        "released": delivered - retained,
        "retained": retained,
        "unit": plan.unit,
    }


def _share(processes: Mapping[str, float], known: Mapping[str, float]) -> float:
    """What is missing of the summed sizes of all processes once the edges of unknown mechanism are out."""
    whole = sum(map(abs, processes.values()))
    return max(0.0, 1.0 - sum(map(abs, known.values())) / whole) if whole else 0.0
