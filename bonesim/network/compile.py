"""Compile the edges that a scenario can reach into one part of the flat model."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bonesim.catalog.schema import Cargo, Edge, Factor, Number, Source
from bonesim.model.expr import Call, Expr, Num, Sym, free_name, product, total
from bonesim.model.ode import OdeModel, Parameter, Rule, State
from bonesim.network.logic import doubling, node, odds_ratio, powered, saturation, signed_share
from bonesim.network.uptake import COUNTS, INTO_CELLS, VESICLE_PROCESSES, Copies, Exposure, Property

FREE_ENTRY = "free_cargo_entry"
"""Prior and parameter: the share of cargo given without vesicles that enters cells whole."""

Wanted = Callable[[str, str], bool]  # (cell, process) -> whether the scenario can use it
Carries = Callable[[str, str, str], bool]  # (cell, node, process) -> whether a module leads from node to process
SiteOf = Callable[[str, str | None], str]  # (cell, context) -> where vesicles reach it


def in_bone(cell: str, context: str | None) -> str:
    """Where every cell lives that a scenario does not place elsewhere."""
    return "bone"


@dataclass(frozen=True)
class Network:
    """The compiled part: its equations, the activities it offers as (cell, process, symbol), and what was left out.

    properties : factors on the kinetics of each source
    given : parameters that are 1 where a source is given, and 0 in the vehicle arm
    copies : copies of cargo in cells, of every cargo that acts there and of which it is known how many a vesicle holds
    uncounted : (cell, cargo) of the others
    """

    model: OdeModel
    activities: tuple[tuple[str, str, str], ...]
    edges: tuple[str, ...]
    numbers: Mapping[str, Number]
    left_out: Mapping[str, str] = field(default_factory=dict)
    properties: tuple[Property, ...] = ()
    given: tuple[str, ...] = ()
    copies: tuple[Copies, ...] = ()
    uncounted: tuple[tuple[str, str], ...] = ()


def compile_network(
    exposures: Sequence[Exposure],
    factors: Mapping[str, Factor],
    *,
    priors: Mapping[str, Number],
    cells: Mapping[str, Number],
    wanted: Wanted,
    carries: Carries = lambda cell, node, process: False,
    contexts: frozenset[str] = frozenset(),
    carriers: frozenset[str] = frozenset(),
    site_of: SiteOf = in_bone,
    lineage: Callable[[str], str] = str,
    outside: Container[tuple[str, str | None]] = frozenset(),
) -> Network:
    """The signal network of one scenario.

    Parameters
    ----------
    exposures : one for each source that is dosed
    factors : mediators whose level changes, by the flat symbol of their level (1 in health)
    priors : `V50`, `hill`, `cargo_half_life`, `tau_node`, `tau_process`, `basal_node`, `basal_process`, `affinity`,
        `functional_fraction`, `copies_per_vesicle`
    cells : how many cells share the vesicles that a site takes up, for each site that is reached
    wanted : whether a process of a cell acts on anything in this scenario; what does not is pruned
    carries : whether a module leads from a node of a cell to a process of it; a chain then ends at its first such node
    contexts : those that hold; an edge that asks for another does not act
    carriers : those that count as given with all vesicles; beside them an edge acts for what is given in its carrier
    site_of : where a cell is reached, in the context of the edge
    outside : (source, cargo) of what acts outside cells, through a module, and not by its edges
    lineage : the pool of cells that a cell belongs to, within which effects of a source on one process are one effect

    Returns
    -------
    Network
        Per process `CELL__PROCESS` (activity over basal activity, 1 in health) as a rule, and alike `CELL__NODE` per
        node at which a module takes over.
    """
    build = _Build(priors, cells, carries, carriers, site_of, lineage, outside)
    for exposure in exposures:
        acting = build.acting(exposure, wanted, contexts)
        for edge in acting:
            if edge.process in VESICLE_PROCESSES:
                build.property(exposure.source, edge)
        for edge in acting:
            if edge.process not in VESICLE_PROCESSES:
                build.chain(exposure, edge)
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

    def __init__(
        self,
        priors: Mapping[str, Number],
        cells: Mapping[str, Number],
        carries: Carries,
        carriers: frozenset[str],
        site_of: SiteOf,
        lineage: Callable[[str], str],
        outside: Container[tuple[str, str | None]],
    ) -> None:
        self.priors, self.cells, self.carries = priors, cells, carries
        self.carriers, self.site_of, self.lineage, self.outside = carriers, site_of, lineage, outside
        self.states: dict[str, State] = {}
        self.nodes: dict[tuple[object, ...], str] = {}
        self.node_names: set[str] = set()
        self.parameters: dict[str, Parameter] = {}
        self.numbers: dict[str, Number] = {}
        self.rules: dict[str, Rule] = {}
        self.properties: list[Property] = []
        self.copies: dict[tuple[str, str], list[Expr]] = defaultdict(list)
        self.uncounted: set[tuple[str, str]] = set()
        self.drives: dict[tuple[str, str], list[Expr]] = defaultdict(list)
        self.edges: list[str] = []
        self.left_out: dict[str, str] = {}

    def acting(self, exposure: Exposure, wanted: Wanted, contexts: frozenset[str]) -> list[Edge]:
        """The edges of a source that act in this scenario; the reason is kept for the others."""
        kept = []
        for edge in exposure.source.edges:
            if reason := self.reason(exposure, edge, wanted, contexts):
                self.left_out[edge.id] = reason
            else:
                kept.append(edge)
        return kept

    def reason(self, exposure: Exposure, edge: Edge, wanted: Wanted, contexts: frozenset[str]) -> str:
        """Why an edge does not act; empty where it does."""
        site = self.site_of(edge.cell_target, edge.context)
        if exposure.free and edge.process in VESICLE_PROCESSES:
            return "is a property of vesicles, and the cargo is given without"
        if (exposure.source.id, edge.cargo) in self.outside:
            return f"{edge.cargo} acts outside cells here, through a module, by its number of molecules"
        if edge.context is not None and edge.context not in contexts:
            return f"acts in context {edge.context} only"
        if edge.conditions.carrier not in (None, *exposure.carriers, *self.carriers):
            return f"acts with carrier {edge.conditions.carrier} only"
        if edge.process in exposure.takes and site == "bone":
            return ""
        if edge.process != INTO_CELLS and not wanted(edge.cell_target, edge.process):
            return _no_port(edge.cell_target, edge.process)
        if site not in exposure.sites:
            return f"its vesicles do not reach the {site}, given as they are"
        return ""

    def held(self, edge: Edge) -> str | None:
        """The carrier without which an edge does not act; None where all vesicles count."""
        carrier = edge.conditions.carrier
        return None if carrier in self.carriers else carrier

    def parameter(self, name: str, number: Number, unit: str | None = None, label: str = "") -> str:
        """A parameter of the network from a catalogue number, converted to `unit`."""
        unit = unit or number.unit
        self.parameters.setdefault(name, Parameter(name, number.quantity.to(unit), unit, label=label or name))
        self.numbers.setdefault(name, number)
        return name

    def load(self, exposure: Exposure, site: str, carrier: str | None) -> str:
        """Vesicles inside a usual cell of a site: dV/dt = uptake / cells - ln 2 / half-life * V."""
        name = f"{exposure.source.id}__vesicles_per_cell{_where(site, carrier)}"
        if name not in self.states:
            count = self.parameter(COUNTS[site], self.cells[site], "cell", f"cells that share what {site} takes up")
            half_life = self.parameter("cargo_half_life", self.priors["cargo_half_life"], "day")
            uptake = total([Sym(symbol) for symbol in exposure.at(site, carrier)])
            if exposure.free:
                uptake = Call("mul", (Sym(self.parameter(FREE_ENTRY, self.priors[FREE_ENTRY])), uptake))
            loss = Call("div", (Call("mul", (Call("ln", (Num(2.0),)), Sym(name))), Sym(half_life)))
            rate = Call("sub", (Call("div", (uptake, Sym(count))), loss))
            label = f"{exposure.source.label} inside a cell of the {'marrow' if site == 'bone' else site}"
            self.states[name] = State(name, Num(0.0), rate, "particle/cell", label)
        return name

    def vesicles(self, exposure: Exposure, cell: str, site: str, carrier: str | None) -> str:
        """Vesicles inside one kind of cell whose cargo can act: its affinity times those of a usual cell."""
        source = exposure.source
        name = f"{cell}__vesicles_of_{source.id}{_where(site, carrier)}"
        if name not in self.rules:
            own = source.tropism.get(cell)
            affinity = f"affinity_{cell}_of_{source.id}" if own else f"affinity_{cell}"
            factors: list[Expr] = [
                Sym(self.parameter(affinity, own or self.priors["affinity"])),
                Sym(self.parameter("functional_fraction", self.priors["functional_fraction"])),
                *(Sym(one.symbol) for one in self.properties if one.enters(source.id, cell, carrier)),
                Sym(self.load(exposure, site, carrier)),
            ]
            label = f"{source.label} inside {cell} that can act"
            self.rules[name] = Rule(name, product(factors), "particle/cell", label)
        return name

    def action(self, exposure: Exposure, edge: Edge) -> str:
        """How far the action of a source's cargo in the cell of an edge is saturated."""
        site, carrier = self.site_of(edge.cell_target, edge.context), self.held(edge)
        load = self.vesicles(exposure, edge.cell_target, site, carrier)
        name = f"{edge.cell_target}__saturation_by_{exposure.source.id}{_where(site, carrier)}"
        half = self.parameter("V50", self.priors["V50"], "particle/cell")
        hill = self.parameter("hill", self.priors["hill"])
        label = f"saturation of the cargo's action in {edge.cell_target}"
        self.rules.setdefault(name, Rule(name, saturation(load, half, hill), "dimensionless", label))
        for cargo in exposure.source.cargo:
            if cargo.name == edge.cargo:
                self.count(exposure, cargo, edge.cell_target, site)
        return name

    def count(self, exposure: Exposure, cargo: Cargo, cell: str, site: str) -> None:
        """Copies of a cargo in a cell, where it is known how many a vesicle holds."""
        own, name = cargo.copies_per_vesicle, "copies_per_vesicle"
        if own:
            name = f"copies_of_{_plain(cargo.name)}_of_{exposure.source.id}"
        elif cargo.kind != "miRNA":
            self.uncounted.add((cell, cargo.name))
            return
        each = self.parameter(name, own or self.priors["copies_per_vesicle"], "item/particle")
        copies = Call("mul", (Sym(each), Sym(self.vesicles(exposure, cell, site, None))))
        if copies not in self.copies[cell, cargo.name]:
            self.copies[cell, cargo.name].append(copies)

    def property(self, source: Source, edge: Edge) -> None:
        """A factor 2^(effect strength) on the kinetics of a source, 1 where none of it is given."""
        strength = self.parameter(f"strength_{edge.id}", edge.strength, "dimensionless")
        given = f"{source.id}__given"
        self.parameters.setdefault(given, Parameter(given, 1.0, "dimensionless", label=f"{source.label} are given"))
        share = signed_share(strength, edge.effect, _chains(source, edge) * _carrying(source, edge, self.lineage))
        power = Call("mul", (Sym(given), share))
        name = f"{edge.id}__factor"
        label = f"factor on {edge.process} of {source.label}"
        self.rules[name] = Rule(name, Call("pow", (Num(2.0), power)), "dimensionless", label)
        self.properties.append(Property(source.id, edge.cell_target, edge.process, self.held(edge), name))
        self.edges.append(edge.id)

    def chain(self, exposure: Exposure, edge: Edge) -> None:
        """The nodes of an edge, shared with other edges of the same cargo as far as their chains agree.

        The last node drives the process, or itself where a module carries its signal on.
        """
        source = exposure.source
        strength = self.parameter(f"strength_{edge.id}", edge.strength, "dimensionless")
        action = self.action(exposure, edge)
        last, sign = "", 0
        end, link_sign, parallel = edge.process, edge.link_sign, _chains(source, edge)
        for length, step in enumerate(edge.chain, start=1):
            drive = doubling(action, step.sign)
            if last:
                drive = powered(odds_ratio(last, "basal_node"), Num(float(step.sign * sign)))
            last, sign = self.node(source, edge, length, drive, action), step.sign
            if self.carries(edge.cell_target, step.node, edge.process):
                end, link_sign, parallel = step.node, 1, _passing(source, edge, step.node)
                break
        base = odds_ratio(last, "basal_node") if last else doubling(action, 1)
        gain = signed_share(strength, link_sign, parallel * _carrying(source, edge, self.lineage))
        self.drive(edge.cell_target, end, powered(base, gain), edge.id)

    def node(self, source: Source, edge: Edge, length: int, drive: Expr, action: str) -> str:
        """The state of the last of the first `length` nodes of a chain, made where no other edge has it.

        Nodes are one where load, cell, cargo and the whole way up to them agree, directions included. Names drop
        what a symbol cannot hold, so that two of them may read alike (`miR-12-5p`, `miR-125p`).
        """
        chain = edge.chain[:length]
        way = tuple((step.node, step.direction) for step in chain)
        key = (source.id, action, edge.cell_target, edge.cargo, None if edge.cargo else edge.id, way)
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
            self.rules[port] = Rule(port, relative, "dimensionless", f"{label}, activity over basal activity")
            activities.append((cell, process, port))
        self.tell_properties()
        copies = tuple(self.tell_copies())
        states, parameters, rules = self.states.values(), self.parameters.values(), self.rules.values()
        return Network(
            OdeModel("network", tuple(states), tuple(parameters), tuple(rules)),
            tuple(activities),
            tuple(self.edges),
            self.numbers,
            self.left_out,
            tuple(self.properties),
            tuple(name for name in self.parameters if name.endswith("__given")),
            copies,
            tuple(sorted(self.uncounted - self.copies.keys())),
        )

    def tell_properties(self) -> None:
        """`CELL__ev_targeting` and the like: all factors of the scenario's sources for that cell."""
        for cell, process in dict.fromkeys((one.cell, one.process) for one in self.properties):
            mine = (one for one in self.properties if (one.cell, one.process) == (cell, process))
            factors: list[Expr] = [Sym(one.symbol) for one in mine]
            name = f"{cell}__{process}"
            label = f"{process.replace('_', ' ')} of {cell}, over that of usual vesicles"
            self.rules[name] = Rule(name, product(factors), "dimensionless", label)

    def tell_copies(self) -> Iterator[Copies]:
        """One rule for each cargo and cell, over all sources."""
        for (cell, cargo), parts in self.copies.items():
            name = free_name(f"{cell}__{_plain(cargo)}_copies", self.node_names)
            self.rules[name] = Rule(name, total(parts), "item/cell", f"copies of {cargo} in {cell}")
            yield Copies(cell, cargo, name)


def _where(site: str, carrier: str | None) -> str:
    """How a name tells apart what is not at bone and not of all vesicles."""
    return ("" if site == "bone" else f"_at_{site}") + (f"_with_{carrier}" if carrier else "")


# What is shared, and by how many, follows from the entry alone, so that leaving an edge out changes no other.


def _carrying(source: Source, edge: Edge, lineage: Callable[[str], str]) -> int:
    """How many ways of the source move the process of this edge's pool of cells alike, and share its strength.

    A way is a cargo in a cell: what was seen in two cells of one pool is not two effects on the pool.
    """

    def ending(one: Edge) -> tuple[str, str, int]:
        return lineage(one.cell_target), one.process, one.effect

    alike = [other for other in source.edges if ending(other) == ending(edge)]
    return len({(_bundle(other), other.cell_target) for other in alike})


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
