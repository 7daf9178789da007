"""Compile the edges that a scenario can reach into one part of the flat model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bonesim.catalog.schema import Edge, Factor, Number, Source
from bonesim.model.expr import Call, Expr, Num, Sym, free_name, product, total
from bonesim.model.ode import OdeModel, Parameter, Rule, State
from bonesim.network.logic import doubling, node, odds_ratio, powered, saturation, signed_share

Wanted = Callable[[str, str], bool]  # (cell, process) -> whether the scenario can use it
Carries = Callable[[str, str, str], bool]  # (cell, node, process) -> whether a module leads from node to process


@dataclass(frozen=True)
class Exposure:
    """What reaches the cells from one source: names of flat symbols that give vesicles taken up, 1/day."""

    source: Source
    uptake: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """The compiled part: its equations, the activities it offers as (cell, process, symbol), and what was left out."""

    model: OdeModel
    activities: tuple[tuple[str, str, str], ...]
    edges: tuple[str, ...]
    numbers: Mapping[str, Number]
    left_out: Mapping[str, str] = field(default_factory=dict)


def compile_network(
    exposures: Sequence[Exposure],
    factors: Mapping[str, Factor],
    *,
    priors: Mapping[str, Number],
    cells: Number,
    wanted: Wanted,
    carries: Carries = lambda cell, node, process: False,
    contexts: frozenset[str] = frozenset(),
    carriers: frozenset[str] = frozenset(),
) -> Network:
    """The signal network of one scenario.

    Parameters
    ----------
    exposures : one for each source that is dosed
    factors : mediators whose level changes, by the flat symbol of their level (1 in health)
    priors : `V50`, `hill`, `cargo_half_life`, `tau_node`, `tau_process`, `basal_node`, `basal_process`
    cells : how many cells share the vesicles that bone takes up
    wanted : whether a process of a cell acts on anything in this scenario; what does not is pruned
    carries : whether a module leads from a node of a cell to a process of it; a chain then ends at its first such node
    contexts, carriers : conditions that hold; an edge that asks for another does not act

    Returns
    -------
    Network
        Per process `CELL__PROCESS` (activity over basal activity, 1 in health) as a rule, and alike `CELL__NODE` per
        node at which a module takes over.
    """
    build = _Build(priors, cells, carries)
    for exposure in exposures:
        acting = build.acting(exposure.source, wanted, contexts, carriers)
        if acting:
            build.load(exposure)
            for edge in acting:
                build.chain(exposure.source, edge)
    for level, factor in factors.items():
        for link in factor.edges:
            if wanted(link.cell_target, link.process):
                gain = build.parameter(f"gain_{link.id}", link.gain)
                build.drive(link.cell_target, link.process, powered(Sym(level), Sym(gain)), link.id)
            else:
                build.left_out[link.id] = _no_port(link.cell_target, link.process)
    return build.network()


def _no_port(cell: str, process: str) -> str:
    return f"no module of this scenario takes {cell}.{process}"


class _Build:
    """Collects symbols while edges are compiled."""

    def __init__(self, priors: Mapping[str, Number], cells: Number, carries: Carries) -> None:
        self.priors, self.cells, self.carries = priors, cells, carries
        self.states: dict[str, State] = {}
        self.nodes: dict[tuple[object, ...], str] = {}
        self.node_names: set[str] = set()
        self.parameters: dict[str, Parameter] = {}
        self.numbers: dict[str, Number] = {}
        self.rules: list[Rule] = []
        self.drives: dict[tuple[str, str], list[Expr]] = defaultdict(list)
        self.edges: list[str] = []
        self.left_out: dict[str, str] = {}

    def acting(self, source: Source, wanted: Wanted, contexts: frozenset[str], carriers: frozenset[str]) -> list[Edge]:
        """The edges of a source that act in this scenario; the reason is kept for the others."""
        kept = []
        for edge in source.edges:
            if edge.context is not None and edge.context not in contexts:
                self.left_out[edge.id] = f"acts in context {edge.context} only"
            elif edge.conditions.carrier is not None and edge.conditions.carrier not in carriers:
                self.left_out[edge.id] = f"acts with carrier {edge.conditions.carrier} only"
            elif not wanted(edge.cell_target, edge.process):
                self.left_out[edge.id] = _no_port(edge.cell_target, edge.process)
            else:
                kept.append(edge)
        return kept

    def parameter(self, name: str, number: Number, unit: str | None = None, label: str = "") -> str:
        """A parameter of the network from a catalogue number, converted to `unit`."""
        unit = unit or number.unit
        self.parameters.setdefault(name, Parameter(name, number.quantity.to(unit), unit, label=label or name))
        self.numbers.setdefault(name, number)
        return name

    def load(self, exposure: Exposure) -> None:
        """Vesicles inside a marrow cell: dV/dt = uptake / cells - ln 2 / half-life * V, and the cargo's saturation."""
        name = f"{exposure.source.id}__vesicles_per_cell"
        count = self.parameter("marrow_target_cells", self.cells, "cell", "cells that share what bone takes up")
        half_life = self.parameter("cargo_half_life", self.priors["cargo_half_life"], "day")
        half = self.parameter("V50", self.priors["V50"], "particle/cell")
        hill = self.parameter("hill", self.priors["hill"])
        uptake = total([Sym(symbol) for symbol in exposure.uptake])
        loss = Call("div", (Call("mul", (Call("ln", (Num(2.0),)), Sym(name))), Sym(half_life)))
        rate = Call("sub", (Call("div", (uptake, Sym(count))), loss))
        label = f"{exposure.source.label} inside a marrow cell"
        self.states[name] = State(name, Num(0.0), rate, "particle/cell", label)
        action = f"{exposure.source.id}__saturation"
        label = "saturation of the cargo's action"
        self.rules.append(Rule(action, saturation(name, half, hill), "dimensionless", label))

    def chain(self, source: Source, edge: Edge) -> None:
        """The nodes of an edge, shared with other edges of the same cargo as far as their chains agree.

        The last node drives the process, or itself where a module carries its signal on.
        """
        strength = self.parameter(f"strength_{edge.id}", edge.strength, "dimensionless")
        action = f"{source.id}__saturation"
        last, sign = "", 0
        end, link_sign, parallel = edge.process, edge.link_sign, _chains(source, edge)
        for length, step in enumerate(edge.chain, start=1):
            drive = doubling(action, step.sign)
            if last:
                drive = powered(odds_ratio(last, "basal_node"), Num(float(step.sign * sign)))
            last, sign = self.node(source, edge, length, drive), step.sign
            if self.carries(edge.cell_target, step.node, edge.process):
                end, link_sign, parallel = step.node, 1, _passing(source, edge, step.node)
                break
        base = odds_ratio(last, "basal_node") if last else doubling(action, 1)
        gain = signed_share(strength, link_sign, parallel * _carrying(source, edge))
        self.drive(edge.cell_target, end, powered(base, gain), edge.id)

    def node(self, source: Source, edge: Edge, length: int, drive: Expr) -> str:
        """The state of the last of the first `length` nodes of a chain, made where no other edge has it.

        Nodes are one where source, cell, cargo and the whole way up to them agree, directions included. Names drop
        what a symbol cannot hold, so that two of them may read alike (`miR-12-5p`, `miR-125p`).
        """
        chain = edge.chain[:length]
        way = tuple((step.node, step.direction) for step in chain)
        key = (source.id, edge.cell_target, edge.cargo, None if edge.cargo else edge.id, way)
        if key not in self.nodes:
            path = "_".join(_plain(step.node) for step in chain)
            carrier = _plain(edge.cargo) if edge.cargo else edge.id
            name = free_name(f"{edge.cell_target}__{path}_by_{carrier}_of_{source.id}", self.node_names)
            basal = self.parameter("basal_node", self.priors["basal_node"])
            tau = self.parameter("tau_node", self.priors["tau_node"], "day")
            label = f"{chain[-1].node} in {edge.cell_target}, as moved by {edge.cargo or 'the vesicles'}"
            self.states[name] = node(name, drive, basal, tau, label)
            self.nodes[key] = name
        return self.nodes[key]

    def drive(self, cell: str, process: str, factor: Expr, edge: str) -> None:
        """One more factor of a process's drive."""
        self.drives[cell, process].append(factor)
        self.edges.append(edge)

    def network(self) -> Network:
        """Close the network: one logic ODE and one port value for each process."""
        activities = []
        for (cell, process), factors in self.drives.items():
            basal = self.parameter("basal_process", self.priors["basal_process"])
            tau = self.parameter("tau_process", self.priors["tau_process"], "day")
            name, port = f"{cell}__{process}_activity", f"{cell}__{process}"
            label = f"{process.replace('_', ' ')} of {cell}"
            self.states[name] = node(name, product(factors), basal, tau, f"{label}, activity")
            relative = Call("div", (Sym(name), Sym(basal)))
            self.rules.append(Rule(port, relative, "dimensionless", f"{label}, activity over basal activity"))
            activities.append((cell, process, port))
        model = OdeModel("network", tuple(self.states.values()), tuple(self.parameters.values()), tuple(self.rules))
        return Network(model, tuple(activities), tuple(self.edges), self.numbers, self.left_out)


# What is shared, and by how many, follows from the entry alone, so that leaving an edge out changes no other.


def _carrying(source: Source, edge: Edge) -> int:
    """How many cargos of the source move the process of this edge its way, and share the strength of the vesicles."""
    ending = (edge.port, edge.effect)
    return len({_bundle(other) for other in source.edges if (other.port, other.effect) == ending})


def _chains(source: Source, edge: Edge) -> int:
    """How many chains of this edge's cargo lead to its process, and share the strength of the cargo."""
    return sum((_bundle(other), other.port) == (_bundle(edge), edge.port) for other in source.edges)


def _passing(source: Source, edge: Edge, node: str) -> int:
    """How many chains of this edge's cargo pass a node of its cell, and share the strength of the cargo there."""
    mine = [other for other in source.edges if (_bundle(other), other.cell_target) == (_bundle(edge), edge.cell_target)]
    return sum(any(step.node == node for step in other.chain) for other in mine)


def _bundle(edge: Edge) -> str:
    """Edges of one cargo belong together; one without a named cargo stands for itself."""
    return edge.cargo or edge.id


def _plain(name: str) -> str:
    """A molecule's name as part of a symbol: `miR-690` -> `miR690`."""
    return re.sub(r"[^A-Za-z0-9]", "", name)
