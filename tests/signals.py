"""Catalogue entries for tests in one line each, and the resting point of a compiled network."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from bonesim.catalog.schema import Cargo, ChainNode, Conditions, Edge, Factor, FactorEdge, Lot, Number, Source
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import symbols
from bonesim.model.ode import OdeModel
from bonesim.network.compile import Network, compile_network
from bonesim.network.uptake import Exposure, Uptake

WHY = "made up for a test"


def number(value: float, unit: str = "dimensionless") -> Number:
    """A number that is assumed to lie within a factor of two."""
    low, high = sorted((0.5 * value, 2 * value))
    return Number(value=value, unit=unit, low=low, high=high, basis="assumed", why=WHY)


PRIORS = {
    "V50": number(2.0, "particle/cell"),
    "hill": number(1.0),
    "cargo_half_life": number(12.0, "h"),
    "tau_node": number(1.0, "day"),
    "tau_process": number(2.0, "day"),
    "basal_node": number(0.5),
    "basal_process": number(0.25),
    "affinity": number(1.0),
    "functional_fraction": number(1.0),
    "copies_per_vesicle": number(0.01, "item/particle"),
}
CELLS = number(1e9, "cell")


def edge(
    id_: str,
    chain: str = "",
    *,
    cargo: str | None = "miR-1",
    effect: Literal[1, -1] = 1,
    strength: float = 0.6,
    ending: str = "BMSC.osteogenic_differentiation",
    context: str | None = None,
    carrier: str | None = None,
) -> Edge:
    """An edge; `chain` is `A+ B-` for A up, then B down."""
    cell, process = ending.split(".")
    steps = tuple(ChainNode(node=step[:-1], direction="up" if step[-1] == "+" else "down") for step in chain.split())
    return Edge(
        id=id_,
        cargo=cargo,
        chain=steps,
        cell_target=cell,
        process=process,
        effect=effect,
        context=context,
        conditions=Conditions(carrier=carrier),
        evidence="in_vitro",
        mechanism="stated" if steps else "unknown",
        refs=(1,),
        strength=number(strength),
    )


def source(*edges: Edge, id_: str = "cell_exo") -> Source:
    """A source with these edges and the cargo that they name."""
    names = dict.fromkeys(one.cargo for one in edges if one.cargo)
    return Source(
        id=id_,
        label="exosomes of a cell",
        category="other",
        parent_state="any",
        effect_stated=bool(edges),
        direction_stated=bool(edges),
        cargo=tuple(Cargo(name=name, kind="miRNA", refs=(1,)) for name in names),
        edges=edges,
        lot=Lot(particles_per_ug=number(1e9, "particle/ug")),
    )


def factor(*edges: tuple[str, str, float]) -> Factor:
    """A mediator with edges (id, ending, gain)."""
    rows = tuple(
        FactorEdge(id=id_, cell_target=ending.split(".")[0], process=ending.split(".")[1], gain=number(gain), refs=(1,))
        for id_, ending, gain in edges
    )
    return Factor(id="hormone", label="hormone", unit="relative to health", healthy=1, about=WHY, edges=rows)


def network(
    *sources: Source,
    factors: Mapping[str, Factor] | None = None,
    priors: Mapping[str, Number] | None = None,
    wanted: Callable[[str, str], bool] = lambda cell, process: True,
    carrier: str | None = None,
    **conditions: Any,
) -> Network:
    """The network of sources whose uptake is the symbol `uptake_` with the source's id."""
    exposures = [Exposure(one, (Uptake(f"uptake_{one.id}", carrier=carrier),)) for one in sources]
    return compile_network(
        exposures,
        factors or {},
        priors={**PRIORS, **(priors or {})},
        cells={"bone": CELLS},
        wanted=wanted,
        **conditions,
    )


def uptake_for(load: float, priors: Mapping[str, Number] = PRIORS) -> float:
    """Vesicles taken up a day that keep `load` vesicles in each cell."""
    days = priors["cargo_half_life"].value / 24
    return load * CELLS.value * math.log(2) / days


def at_rest(compiled: Network, **given: float) -> dict[str, float]:
    """Every value of the network at its resting point under constant inputs.

    Each rate is a straight line in its own state and knows only states before it, so that two evaluations a state
    give the point to rounding.
    """
    model = compiled.model
    values = {parameter.id: parameter.value for parameter in model.parameters} | given
    for state in model.states:
        _rules(model, values)
        at_0, at_1 = (evaluate(state.rate, {**values, state.id: y}) for y in (0.0, 1.0))
        values[state.id] = at_0 / (at_0 - at_1)
    _rules(model, values)
    return values


def start_of(model: OdeModel, **given: float) -> dict[str, float]:
    """Every value of a model at its start."""
    values = {parameter.id: parameter.value for parameter in model.parameters} | given
    for state in model.states:
        values[state.id] = evaluate(state.initial, values)
    _rules(model, values)
    return values


def log_odds(values: Mapping[str, float], process: str = "BMSC__osteogenic_differentiation") -> float:
    """log2 of the odds of a process over its basal odds."""
    y, basal = values[f"{process}_activity"], values["basal_process"]
    return math.log2(y * (1 - basal) / (basal * (1 - y)))


def ids(names: Iterable[str], *parts: str) -> Sequence[str]:
    """The names that contain one of `parts`."""
    return [name for name in names if any(part in name for part in parts)]


def _rules(model: OdeModel, values: dict[str, float]) -> None:
    for rule in model.rules:
        if symbols(rule.expr) <= values.keys():
            values[rule.id] = evaluate(rule.expr, values)
