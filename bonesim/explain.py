"""Which cargo, edge and module an effect comes from: knock-outs and Shapley values, over time, from one batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.catalog import Catalog, load_catalog
from bonesim.errors import InputError, Place
from bonesim.scenario.load import load_scenario
from bonesim.scenario.problem import Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.shapley import Coalition, Plan, plan, shapley
from bonesim.trial import Version, try_versions, untreated


@dataclass(frozen=True)
class Player:
    """Something that can be taken out of the model by parameters that are then 0."""

    name: str
    says: Mapping[str, Any]
    off: tuple[str, ...]


def explain(scenario: Scenario | str | Path, output: str | None = None, *, seed: int = 1) -> dict[str, Any]:
    """The effect of the doses on one output, dosed minus vehicle, and how much of it each part of the model carries.

    Parameters
    ----------
    scenario
        A scenario, or the file that holds one.
    output
        Name of a quantity; the scenario's first output where it is left out.
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
        If the scenario cannot be resolved, gives no source of which an edge acts, or has no such output.
    """
    if not isinstance(scenario, Scenario):
        scenario = load_scenario(scenario)
    catalog = load_catalog()
    problem = resolve(scenario, catalog)
    if not (problem.acting or problem.outside) or not problem.arm_values:
        remedy = "a dose of a source of which an edge acts"
        raise InputError("nothing is given here that acts", place=scenario.place("doses"), remedy=remedy)
    symbol, unit = _outcome(problem, output or scenario.outputs[0])
    groups = {
        "cargo": list(_cargo(problem, catalog)),
        "edges": [*_edges(problem, catalog), *_surface(problem)],
        "modules": [Player(name, {"module": name}, off) for name, off in problem.switches.items()],
    }
    plans = {kind: plan(len(players), seed) for kind, players in groups.items()}
    batch = _Effects(problem, symbol, [version for kind in groups for version in _versions(groups[kind], plans[kind])])
    effect = batch.of({})
    largest = int(np.abs(effect).argmax())
    found = {kind: _ranked(players, plans[kind], batch, largest) for kind, players in groups.items()}
    unknown = [row["share"] for row in found["edges"] if row["mechanism"] == "unknown" and row["share"] is not None]
    return {
        "title": problem.title,
        "output": output or scenario.outputs[0],
        "unit": unit,
        "time": batch.times.tolist(),
        "effect": effect.tolist(),
        "effect_percent": _percent(effect, batch.vehicle({})),
        "largest_at": float(batch.times[largest]),
        **found,
        "direct": batch.of(_off(groups["modules"], frozenset())).tolist(),
        "unknown_mechanism_share": float(sum(unknown)),
    }


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


def _edges(problem: Problem, catalog: Catalog) -> Iterator[Player]:
    edges = {edge.id: edge for edge in catalog.edges}
    for id_ in problem.acting:
        if id_ in edges:
            edge = edges[id_]
            says = {
                "edge": id_,
                "source": catalog.source_of[id_].id,
                "cargo": edge.cargo,
                "process": edge.port,
                "mechanism": edge.mechanism,
            }
            yield Player(id_, says, (f"strength_{id_}",))


def _surface(problem: Problem) -> Iterator[Player]:
    """Cargo that acts outside cells, by its number of molecules."""
    for (source, cargo), copies in problem.outside.items():
        says = {"edge": f"{cargo} on vesicles", "source": source, "cargo": cargo, "process": "outside cells"}
        yield Player(copies, {**says, "mechanism": "stated"}, (copies,))


def _cargo(problem: Problem, catalog: Catalog) -> Iterator[Player]:
    """The edges of each cargo together; those without a named cargo stand together for the rest of their source."""
    together: dict[tuple[str, str | None], list[str]] = {}
    for player in (*_edges(problem, catalog), *_surface(problem)):
        together.setdefault((player.says["source"], player.says["cargo"]), []).extend(player.off)
    for (source, cargo), off in together.items():
        yield Player(f"{source}: {cargo or 'not named'}", {"source": source, "cargo": cargo}, tuple(off))


def _off(players: Sequence[Player], present: Coalition) -> Version:
    """The version in which only these players take part."""
    return {name: 0.0 for number, player in enumerate(players) if number not in present for name in player.off}


def _versions(players: Sequence[Player], chosen: Plan) -> Iterator[Version]:
    everyone = frozenset(range(len(players)))
    yield from (_off(players, present) for present in chosen.coalitions)
    yield from (_off(players, everyone - {number}) for number in everyone)


class _Effects:
    """Dosed minus vehicle under each version, (time,), all solved together."""

    def __init__(self, problem: Problem, symbol: str, versions: Sequence[Version]) -> None:
        nothing = untreated(problem)
        asked = {_key(version): version for version in ({}, *versions)}
        dosed = {key: {**version} for key, version in asked.items()}
        # What acts through vesicles alone leaves the vehicle as it is; what a module does to others does not.
        switches = {name for names in problem.switches.values() for name in names}
        vehicle = {key: {name: 0.0 for name in version if name in switches} for key, version in asked.items()}
        bare = {_key(version): {**version, **nothing} for version in vehicle.values()}
        trial = try_versions(problem, [*dosed.values(), *bare.values()], [symbol])
        course = trial.course(symbol).T
        self.times = trial.times
        self._dosed: dict[frozenset[str], np.ndarray] = dict(zip(dosed, course[: len(dosed)], strict=True))
        self._bare: dict[frozenset[str], np.ndarray] = dict(zip(bare, course[len(dosed) :], strict=True))
        self._vehicle_of = {key: _key(version) for key, version in vehicle.items()}

    def vehicle(self, version: Version) -> np.ndarray:
        """(time,) the vehicle arm."""
        return self._bare[self._vehicle_of[_key(version)]]

    def of(self, version: Version) -> np.ndarray:
        """(time,) the effect."""
        return np.asarray(self._dosed[_key(version)] - self.vehicle(version))


def _key(version: Version) -> frozenset[str]:
    return frozenset(version)


def _ranked(players: Sequence[Player], chosen: Plan, batch: _Effects, largest: int) -> list[dict[str, Any]]:
    """The players with what they carry, the largest first."""
    if not players:
        return []
    values, errors = shapley(chosen, lambda present: batch.of(_off(players, present)))
    whole = batch.of({})
    everyone = frozenset(range(len(players)))
    rows = [
        {
            **player.says,
            "shapley": values[number].tolist(),
            "standard_error": float(errors[number].max()),
            "knock_out": (whole - batch.of(_off(players, everyone - {number}))).tolist(),
            "share": float(values[number][largest] / whole[largest]) if whole[largest] else None,
        }
        for number, player in enumerate(players)
    ]
    return sorted(rows, key=lambda row: -abs(row["share"] or 0.0))
