"""What the catalogue as a whole must keep: names that exist, numbers that are backed, signs that agree.

Every breach becomes one `InputError` with the place of the value that is wrong; `problems` finds all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from bonesim.catalog.schema import (
    Block,
    Carrier,
    ChainNode,
    Context,
    Edge,
    Factor,
    Number,
    Reference,
    ReferenceId,
    ReferenceIds,
    Route,
    Source,
    Species,
    Vocabulary,
)
from bonesim.errors import InputError, closest, quoted
from bonesim.units import Unit
from bonesim.yamlio import Document

T = TypeVar("T", bound=Block, covariant=True)
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One file of the catalogue: its value, and where each part of it stands."""

    value: T
    document: Document

    def error(self, path: Path, problem: str, remedy: str) -> InputError:
        """An error at the line of `path`, or of the nearest part around it that has a line."""
        return InputError(problem, place=self.document.place(path), remedy=remedy)


@dataclass(frozen=True)
class Entries:
    """Every file of the catalogue, read and valid by itself."""

    sources: tuple[Entry[Source], ...]
    contexts: tuple[Entry[Context], ...]
    factors: tuple[Entry[Factor], ...]
    species: tuple[Entry[Species], ...]
    routes: tuple[Entry[Route], ...]
    carriers: tuple[Entry[Carrier], ...]

    @property
    def all(self) -> tuple[Entry[Block], ...]:
        """Every file, section after section."""
        return (*self.sources, *self.contexts, *self.factors, *self.species, *self.routes, *self.carriers)


def problems(entries: Entries, words: Vocabulary, shared: Iterable[Reference]) -> Iterator[InputError]:
    """Everything that is wrong across the files, in the order of the files."""
    references: set[ReferenceId] = {reference.id for reference in shared}
    conditions = {
        "context": {*words.contexts, *(entry.value.id for entry in entries.contexts)},
        "carrier": {*words.carriers, *(entry.value.id for entry in entries.carriers)},
    }
    yield from _duplicate_ids(entries)
    for entry in entries.all:
        yield from number_problems(entry)
    for source in entries.sources:
        yield from _source_problems(source, words, references, conditions)
    for factor in entries.factors:
        yield from _factor_problems(factor, words, references)
    for context in entries.contexts:
        yield from _context_problems(context, entries)
    for species in entries.species:
        yield from _age_problems(species)
    for route in entries.routes:
        yield from _name_problems(route, ("id",), "route", route.value.id, words.routes)
        yield from _route_problems(route)
    for carrier in entries.carriers:
        yield from _carrier_problems(carrier)


def reference_problems(entry: Entry[Block], path: Path, references: Iterable[Reference]) -> Iterator[InputError]:
    """References that say neither DOI nor PubMed number nor why, and ids given twice; `path` leads to the list."""
    seen: set[ReferenceId] = set()
    for i, reference in enumerate(references):
        if reference.id in seen:
            yield entry.error((*path, i, "id"), f"reference {reference.id} is given twice", "one entry for each paper")
        seen.add(reference.id)
        if not (reference.doi or reference.pmid or reference.unresolved):
            yield entry.error(
                (*path, i),
                f"reference {reference.id} can not be looked up",
                "a doi or pmid, or `unresolved:` with what is missing",
            )


def number_problems(entry: Entry[Block]) -> Iterator[InputError]:
    """Numbers outside their range, in no known unit, or without the source or reason that their class asks for."""
    for path, number in numbers(entry.value):
        yield from _unit_problems(entry, path, number)
        if number.prior is not None:
            continue
        if not number.low <= number.value <= number.high:
            yield entry.error(
                (*path, "value"),
                f"{number.value:g} lies outside its range {number.low:g} to {number.high:g}",
                "low <= value <= high",
            )
        if number.basis == "assumed" and not number.why:
            yield entry.error(path, "an assumed number must say why", "`why:` with the reason for value and range")
        if number.basis == "assumed" and number.low == number.high:
            yield entry.error(path, "an assumed number needs a range", "`low:` and `high:` that differ")
        if number.basis != "assumed" and not number.source:
            yield entry.error(path, f"a {number.basis} number needs a source", "`source:` with paper and DOI")


UNITS = {
    "particles_per_ug": "particle/ug",
    "copies_per_vesicle": "item/particle",
    "surface_copies_per_vesicle": "item/particle",
    "strength": "dimensionless",
    "gain": "dimensionless",
    "level": "dimensionless",
    "half_time": "day",
    "lasts": "day",
    "mass": "g",
    "age": "day",
    "marrow_targets": "cell",
    "joint_targets": "cell",
    "disc_targets": "cell",
    "marrow_fluid": "mL",
    "endogenous_secretion": "1/day",
    "uptake_reserve": "dimensionless",
    "affinity": "dimensionless",
    "functional_fraction": "dimensionless",
    "particles_per_cell": "particle/cell",
    "purity": "dimensionless",
    "spread": "dimensionless",
    "lot_spread": "dimensionless",
    "burst": "dimensionless",
    "half_life": "day",
    "duration": "day",
    "retention": "dimensionless",
    "targeting": "dimensionless",
    "carrier_burst": "dimensionless",
    "gel_half_life": "day",
    "scaffold_duration": "day",
    "site_retention": "dimensionless",
    "bone_targeting": "dimensionless",
    "V50": "particle/cell",
    "hill": "dimensionless",
    "cargo_half_life": "day",
    "tau_node": "day",
    "tau_process": "day",
    "basal_node": "dimensionless",
    "basal_process": "dimensionless",
}
"""What the number of each name is converted to; parameters of modules are converted to the units of their files."""


def _unit_problems(entry: Entry[Block], path: Path, number: Number) -> Iterator[InputError]:
    """A unit that is none, or not of the dimension that its place asks for; told where the number was written."""
    wanted = UNITS.get(str(path[-1]))
    place = path if number.prior is not None else (*path, "unit")
    try:
        unit = Unit.parse(number.unit)
        if wanted is not None:
            unit.conversion_to(Unit.parse(wanted))
    except InputError as error:
        remedy = f"a unit such as {wanted!r}" if wanted else "a unit such as 'day'"
        yield entry.error(place, error.problem, error.remedy or remedy)


def numbers(value: object, path: Path = ()) -> Iterator[tuple[Path, Number]]:
    """Every `Number` inside a block, with the path that leads to it."""
    if isinstance(value, Number):
        yield path, value
    elif isinstance(value, Block):
        for name in type(value).model_fields:
            yield from numbers(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from numbers(part, (*path, key))
    elif isinstance(value, tuple):
        for i, part in enumerate(value):
            yield from numbers(part, (*path, i))


def _duplicate_ids(entries: Entries) -> Iterator[InputError]:
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.sources)
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.contexts)
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.factors)
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.species)
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.routes)
    yield from _repeated((entry, ("id",), entry.value.id) for entry in entries.carriers)
    edges: list[tuple[Entry[Block], Path, str]] = []
    for source in entries.sources:
        edges += [(source, ("edges", i, "id"), edge.id) for i, edge in enumerate(source.value.edges)]
    for factor in entries.factors:
        edges += [(factor, ("edges", i, "id"), edge.id) for i, edge in enumerate(factor.value.edges)]
    yield from _repeated(edges)


def _repeated(ids: Iterable[tuple[Entry[Block], Path, str]]) -> Iterator[InputError]:
    taken: dict[str, str | None] = {}
    for entry, path, id_ in ids:
        if id_ in taken:
            yield entry.error(path, f"the id {quoted(id_)} is taken by {taken[id_]}", "an id of its own")
        taken.setdefault(id_, entry.document.file)


def _source_problems(
    entry: Entry[Source], words: Vocabulary, shared: set[ReferenceId], conditions: Mapping[str, set[str]]
) -> Iterator[InputError]:
    source = entry.value
    references = shared | {reference.id for reference in source.references}
    yield from reference_problems(entry, ("references",), source.references)
    for i, reference in enumerate(source.references):
        if reference.id in shared:
            yield entry.error(
                ("references", i, "id"), f"reference {reference.id} is in references.yaml already", "leave it out here"
            )
    yield from _name_problems(entry, ("category",), "category", source.category, words.categories)
    yield from _reference_problems(entry, ("refs",), source.refs, references)
    for i, cargo in enumerate(source.cargo):
        yield from _name_problems(entry, ("cargo", i, "kind"), "kind of cargo", cargo.kind, words.cargo_kinds)
        yield from _reference_problems(entry, ("cargo", i, "refs"), cargo.refs, references)
        if cargo.port and not cargo.copies_per_vesicle:
            problem = f"{quoted(cargo.name)} acts by its number of molecules, which is not given"
            yield entry.error(("cargo", i, "port"), problem, "`copies_per_vesicle:` with its range")
    for cell in source.tropism:
        yield from _name_problems(entry, ("tropism", cell), "cell target", cell, words.cell_targets)
    if source.edges and not source.effect_stated:
        yield entry.error(
            ("effect_stated",), "the source has edges but no stated effect", "effect_stated: true, or no edges"
        )
    for i, edge in enumerate(source.edges):
        path = ("edges", i)
        yield from _ending_problems(entry, path, edge.cell_target, edge.process, words)
        yield from _reference_problems(entry, (*path, "refs"), edge.refs, references)
        yield from _edge_problems(entry, path, edge, words, conditions)
    yield from _sign_problems(entry)


def _edge_problems(
    entry: Entry[Source], path: Path, edge: Edge, words: Vocabulary, conditions: Mapping[str, set[str]]
) -> Iterator[InputError]:
    names = [cargo.name for cargo in entry.value.cargo]
    if edge.cargo is not None and edge.cargo not in names:
        yield entry.error(
            (*path, "cargo"), f"{quoted(edge.cargo)} is not among the cargo of this source", closest(edge.cargo, names)
        )
    if edge.context is not None:
        yield from _name_problems(entry, (*path, "context"), "context", edge.context, conditions["context"])
    if edge.conditions.carrier is not None:
        carrier = (*path, "conditions", "carrier")
        yield from _name_problems(entry, carrier, "carrier", edge.conditions.carrier, conditions["carrier"])
    yield from _name_problems(entry, (*path, "evidence"), "grade of evidence", edge.evidence, words.evidence)
    if edge.mechanism == "stated" and not edge.chain:
        yield entry.error(
            (*path, "chain"), "a stated mechanism needs at least one node", "the nodes, or `mechanism: unknown`"
        )
    for j, node in enumerate(edge.chain):
        yield from _spelling_problems(entry, (*path, "chain", j, "node"), node, words)


def _spelling_problems(entry: Entry[Source], path: Path, node: ChainNode, words: Vocabulary) -> Iterator[InputError]:
    for name, aliases in words.nodes.items():
        if node.node in aliases:
            yield entry.error(
                path, f"{quoted(node.node)} is an alias", f"'{name}', with '{node.node}' among its aliases"
            )


def _sign_problems(entry: Entry[Source]) -> Iterator[InputError]:
    """A node that pushes one process of one cell both ways, under the same conditions."""
    signs: dict[tuple[str | None, ...], int] = {}
    for i, edge in enumerate(entry.value.edges):
        if not edge.chain:
            continue
        last = edge.chain[-1].node
        key = (last, edge.cell_target, edge.process, edge.context, edge.conditions.carrier)
        if signs.setdefault(key, edge.link_sign) != edge.link_sign:
            yield entry.error(
                ("edges", i, "effect"),
                f"{last} would both raise and lower {edge.port} in this source",
                "the direction of the last node, the effect, or a context that tells the two apart",
            )


def _ending_problems(
    entry: Entry[Block], path: Path, cell: str, process: str, words: Vocabulary
) -> Iterator[InputError]:
    """An edge must end in a process of a cell: both known, and the process not computed."""
    endings = [name for name, row in words.processes.items() if not row.computed]
    yield from _name_problems(entry, (*path, "cell_target"), "cell target", cell, words.cell_targets)
    if process in words.processes and words.processes[process].computed:
        yield entry.error(
            (*path, "process"),
            f"{quoted(process)} is an outcome that is computed; no edge may end there",
            "the process of a cell that leads to it, e.g. 'osteogenic_differentiation' or 'resorption_activity'",
        )
    else:
        yield from _name_problems(entry, (*path, "process"), "process", process, endings)


def _factor_problems(entry: Entry[Factor], words: Vocabulary, references: set[ReferenceId]) -> Iterator[InputError]:
    if entry.value.edges and entry.value.healthy != 1:
        yield entry.error(
            ("healthy",),
            "a mediator with edges is not 1 in health",
            "`healthy: 1`, or no edges and a module with an in-port that is called like the mediator",
        )
    for i, edge in enumerate(entry.value.edges):
        yield from _ending_problems(entry, ("edges", i), edge.cell_target, edge.process, words)
        yield from _reference_problems(entry, ("edges", i, "refs"), edge.refs, references)


def _context_problems(entry: Entry[Context], entries: Entries) -> Iterator[InputError]:
    factors = {factor.value.id: factor.value for factor in entries.factors}
    species = [one.value.id for one in entries.species]
    for i, cause in enumerate(entry.value.causes):
        yield from _name_problems(entry, ("causes", i, "factor"), "factor", cause.factor, factors)
        if cause.factor in factors and factors[cause.factor].edges and cause.level.low <= 0:
            problem = f"the level of {cause.factor} may come to {cause.level.low:g}, and has no power there"
            yield entry.error(("causes", i, "level"), problem, "a range above 0")
    yield from _injury_problems(entry)
    for i, name in enumerate(entry.value.species):
        yield from _name_problems(entry, ("species", i), "species", name, species)


def _injury_problems(entry: Entry[Context]) -> Iterator[InputError]:
    """Injuries to modules that the context does not bring along, and two at one port."""
    seen: set[tuple[str, str]] = set()
    for i, injury in enumerate(entry.value.injuries):
        yield from _name_problems(entry, ("injuries", i, "module"), "module", injury.module, entry.value.modules)
        if (injury.module, injury.port) in seen:
            problem = f"port {quoted(injury.port)} of {injury.module} is given twice"
            yield entry.error(("injuries", i, "port"), problem, "one amount for each port")
        seen.add((injury.module, injury.port))


def _age_problems(entry: Entry[Species]) -> Iterator[InputError]:
    ages = entry.value.ages
    if ages is None:
        return
    if ages.low.to("day") >= ages.high.to("day"):
        yield entry.error(("ages", "high"), f"'{ages.high}' is not above '{ages.low}'", "low < high")
    if ages.basis == "assumed" and not ages.why:
        yield entry.error(("ages",), "an assumed range must say why", "`why:` with the reason for the range")
    if ages.basis != "assumed" and not ages.source:
        yield entry.error(("ages",), f"a {ages.basis} range needs a source", "`source:` with paper and DOI")


def _route_problems(entry: Entry[Route]) -> Iterator[InputError]:
    """A route has kinetics, or says why vesicles do not go by it."""
    route = entry.value
    if (route.module is None) == (not route.refused):
        remedy = "a module of kinetics, or `refused:` with the reason"
        yield entry.error(("module",), "vesicles must either be carried or refused", remedy)


def _carrier_problems(entry: Entry[Carrier]) -> Iterator[InputError]:
    """A carrier changes something, and its release has the number that its form asks for and no other."""
    carrier, release = entry.value, entry.value.release
    if not (release or carrier.retention or carrier.targeting):
        remedy = "`release:`, `retention:` or `targeting:`"
        yield entry.error(("id",), f"the carrier {quoted(carrier.id)} changes nothing", remedy)
    if release:
        wanted, other = ("half_life", "duration") if release.form == "first_order" else ("duration", "half_life")
        if getattr(release, wanted) is None or getattr(release, other) is not None:
            yield entry.error(("release", "form"), f"a release of form {release.form} needs its {wanted} alone", wanted)


def _name_problems(entry: Entry[Block], path: Path, kind: str, name: str, known: Iterable[str]) -> Iterator[InputError]:
    names = list(known)
    if name not in names:
        yield entry.error(path, f"unknown {kind} {quoted(name)}", closest(name, names))


def _reference_problems(
    entry: Entry[Block], path: Path, refs: ReferenceIds, known: set[ReferenceId]
) -> Iterator[InputError]:
    for i, ref in enumerate(refs):
        if ref not in known:
            yield entry.error(
                (*path, i),
                f"reference {ref} is not known",
                "an entry with this id under `references:` of this file, or in references.yaml",
            )
