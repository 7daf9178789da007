"""Which cargo, edge and module an effect comes from: knock-outs and Shapley values, over time, solved together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.catalog import Catalog, load_catalog
from bonesim.errors import InputError, Place, closest, quoted
from bonesim.scenario.arms import Arm, arm_of
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import DOSED, VEHICLE, Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.shapley import Coalition, Plan, plan, shapley
from bonesim.trial import try_arms
from bonesim.yamlio.document import dotted


@dataclass(frozen=True)
class Player:
    """Something that can be taken out of an arm: what acts by parameters that are then 0, or a module.

    says : what is told of it
    off : flat ids of the parameters, or the name of the module
    """

    says: Mapping[str, Any]
    off: tuple[str, ...] = ()
    module: str | None = None


@dataclass(frozen=True)
class Out:
    """What is taken out of an arm: modules by name, and whatever acts by these parameters, by flat id."""

    modules: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()


NOTHING = Out()


def explain(
    scenario: Scenario | str | Path, output: str | None = None, *, arm: str = DOSED, seed: int = 1
) -> dict[str, Any]:
    """The effect of an arm's doses on one output, and how much of it each part of the model carries.

    The effect is the arm minus the same without its doses. A module that is taken out is out in both, as in an arm
    `without` it: what gives way to it acts again.

    Parameters
    ----------
    scenario
        A scenario, or the file that holds one.
    output
        Name of a quantity; the scenario's first output where it is left out.
    arm
        Name of an arm of the scenario.
    seed
        Of the orders that are drawn where there are many players.

    Returns
    -------
    dict
        `time` in days and `effect` over it, in the unit of the output. For each of `cargo`, `edges` and `modules` a
        list of players, the largest first: `shapley` over time, which adds up to the effect (for modules, with
        `direct`, the effect without any module), `standard_error` at its largest, `knock_out`, the part of the effect
        that goes if this player alone is taken out, and `share`, the Shapley value over the effect, where the effect is
        largest. `unknown_mechanism_share`: the share of the edges whose mechanism is not known.

    Raises
    ------
    InputError
        If the scenario cannot be resolved, has no such arm or output, or the arm gives no source of which an edge acts.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    catalog = load_catalog()
    _refuse_unknown(scenario, arm)
    base = resolve(scenario, catalog)
    whole = arm_of(scenario, arm, base, catalog)
    edges = [*_edges(whole, catalog), *_surface(whole)]
    if not edges:
        place = scenario.place("doses" if arm == DOSED else dotted(("arms", arm)))
        remedy = "a dose of a source of which an edge acts"
        raise InputError("nothing is given here that acts", place=place, remedy=remedy)
    symbol, unit = _outcome(whole.problem, output or scenario.outputs[0])
    groups = {"cargo": list(_cargo(edges)), "edges": edges, "modules": list(_modules(whole))}
    plans = {kind: plan(len(players), seed) for kind, players in groups.items()}
    asked = dict.fromkeys((NOTHING, *(out for kind in groups for out in _asked(groups[kind], plans[kind]))))
    arms = {modules: _without(scenario, whole, base, catalog, modules) for modules in {out.modules for out in asked}}
    batch = _Effects(arms, list(asked), symbol)
    effect = batch.of(NOTHING)
    largest = int(np.abs(effect).argmax())
    found = {kind: _ranked(players, plans[kind], batch, largest) for kind, players in groups.items()}
    unknown = [row["share"] for row in found["edges"] if row["mechanism"] == "unknown" and row["share"] is not None]
    return {
        "title": whole.problem.title,
        "arm": arm,
        "output": output or scenario.outputs[0],
        "unit": unit,
        "time": batch.times.tolist(),
        "effect": effect.tolist(),
        "effect_percent": _percent(effect, batch.vehicle(NOTHING)),
        "largest_at": float(batch.times[largest]),
        **found,
        "direct": batch.of(_out(groups["modules"], frozenset())).tolist(),
        "unknown_mechanism_share": float(sum(unknown)),
    }


def _refuse_unknown(scenario: Scenario, arm: str) -> None:
    dosed = [DOSED, *scenario.arms]
    if arm not in dosed:
        problem = f"there is no arm {quoted(arm)}"
        if arm == VEHICLE:
            problem = f"{quoted(arm)} is what the others are held against: it has no doses, and so no effect of any"
        remedy = f"one of {', '.join(dosed)}" if arm == VEHICLE else closest(arm, dosed)
        raise InputError(problem, place=Place(key="arm"), remedy=remedy)


def _without(scenario: Scenario, whole: Arm, base: Problem, catalog: Catalog, modules: frozenset[str]) -> Arm:
    """The arm with these modules taken out besides."""
    if not modules:
        return whole
    try:
        return arm_of(scenario, whole.name, base, catalog, modules)
    except InputError as error:
        problem = f"without {' and '.join(sorted(modules))}, which is taken out to explain the effect: {error.problem}"
        raise InputError(problem, place=error.place, remedy="leave out what needs it") from None


def _percent(effect: np.ndarray, vehicle: np.ndarray) -> list[float | None]:
    """The effect in percent of the vehicle; None where that is 0."""
    return [100.0 * one / abs(other) if other else None for one, other in zip(effect, vehicle, strict=True)]


def _outcome(problem: Problem, name: str) -> tuple[str, str]:
    """Symbol and unit of an output."""
    try:
        symbol = problem.model.resolve(name)
    except InputError as error:
        raise InputError(error.problem, place=Place(key="output"), remedy=error.remedy) from None
    return symbol, problem.model.by_id[symbol].unit or "dimensionless"


def _edges(arm: Arm, catalog: Catalog) -> Iterator[Player]:
    """The edges of what is dosed that the arm leaves in."""
    edges = {edge.id: edge for edge in catalog.edges}
    for id_ in arm.problem.acting:
        strength = f"strength_{id_}"
        if id_ in edges and strength not in arm.held:
            edge = edges[id_]
            says = {
                "edge": id_,
                "source": catalog.source_of[id_].id,
                "cargo": edge.cargo,
                "process": edge.port,
                "mechanism": edge.mechanism,
            }
            yield Player(says, (strength,))


def _surface(arm: Arm) -> Iterator[Player]:
    """Cargo that acts outside cells, by its number of molecules."""
    for (source, cargo), copies in arm.problem.outside.items():
        if copies not in arm.held:
            says = {"edge": f"{cargo} on vesicles", "source": source, "cargo": cargo, "process": "outside cells"}
            yield Player({**says, "mechanism": "stated"}, (copies,))


def _cargo(edges: Sequence[Player]) -> Iterator[Player]:
    """The edges of each cargo together; those without a named cargo stand together for the rest of their source."""
    together: dict[tuple[str, str | None], list[str]] = {}
    for player in edges:
        together.setdefault((player.says["source"], player.says["cargo"]), []).extend(player.off)
    for (source, cargo), off in together.items():
        yield Player({"source": source, "cargo": cargo}, tuple(off))


def _modules(arm: Arm) -> Iterator[Player]:
    """The modules that the arm leaves in and that do something to others."""
    for name, switches in arm.problem.switches.items():
        if not arm.held.keys() >= {*switches}:
            yield Player({"module": name}, module=name)


def _out(players: Sequence[Player], present: Coalition) -> Out:
    """What is taken out where only these players take part."""
    gone = [player for number, player in enumerate(players) if number not in present]
    return Out(
        frozenset(player.module for player in gone if player.module),
        frozenset(name for player in gone for name in player.off),
    )


def _asked(players: Sequence[Player], chosen: Plan) -> Iterator[Out]:
    everyone = frozenset(range(len(players)))
    yield from (_out(players, present) for present in chosen.coalitions)
    yield from (_out(players, everyone - {number}) for number in everyone)


class _Effects:
    """Dosed minus vehicle, (time,), for everything that is taken out, all solved together.

    `arms` has the arm without each set of modules. What acts through vesicles alone leaves the vehicle as it is, so
    that each of these needs one.
    """

    def __init__(self, arms: Mapping[frozenset[str], Arm], asked: Sequence[Out], symbol: str) -> None:
        dosed = [_held(arms[out.modules], out.parameters, f"dosed {number}") for number, out in enumerate(asked)]
        bare = [replace(arm.without_doses(), name=f"vehicle {number}") for number, arm in enumerate(arms.values())]
        trial = try_arms([*dosed, *bare], [symbol])
        course = trial.course(symbol).T
        self.times = trial.times
        self._dosed = dict(zip(asked, course[: len(asked)], strict=True))
        self._bare = dict(zip(arms, course[len(asked) :], strict=True))

    def vehicle(self, out: Out) -> np.ndarray:
        """(time,) without doses."""
        return np.asarray(self._bare[out.modules])

    def of(self, out: Out) -> np.ndarray:
        """(time,) the effect."""
        return np.asarray(self._dosed[out] - self.vehicle(out))


def _held(arm: Arm, parameters: Iterable[str], name: str) -> Arm:
    return replace(arm, name=name, held={**arm.held, **dict.fromkeys(sorted(parameters), 0.0)})


def _ranked(players: Sequence[Player], chosen: Plan, batch: _Effects, largest: int) -> list[dict[str, Any]]:
    """The players with what they carry, the largest first."""
    if not players:
        return []
    values, errors = shapley(chosen, lambda present: batch.of(_out(players, present)))
    whole = batch.of(NOTHING)
    everyone = frozenset(range(len(players)))
    rows = [
        {
            **player.says,
            "shapley": values[number].tolist(),
            "standard_error": float(errors[number].max()),
            "knock_out": (whole - batch.of(_out(players, everyone - {number}))).tolist(),
            "share": float(values[number][largest] / whole[largest]) if whole[largest] else None,
        }
        for number, player in enumerate(players)
    ]
    return sorted(rows, key=lambda row: -abs(row["share"] or 0.0))
