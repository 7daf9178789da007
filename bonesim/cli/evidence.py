"""How evidence is written on pages: chains of an edge, numbers with their class and range, references."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bonesim.catalog.schema import Edge, Number, Reference, ReferenceId

ARROWS = {1: "->", -1: "-|"}


def edge_text(edge: Edge) -> str:
    """An edge on one line: `miR-155 -| BMP2 -> osteogenic differentiation (MSC) down`.

    `->` raises, `-|` lowers; the last word is what becomes of the process in the end.
    """
    steps = [edge.cargo or "vesicles"]
    before = 1
    for node in edge.chain:
        steps += [ARROWS[node.sign * before], node.node]
        before = node.sign
    process = edge.process.replace("_", " ")
    steps += [ARROWS[edge.link_sign], f"{process} ({edge.cell_target})", "up" if edge.effect > 0 else "down"]
    return " ".join(steps)


def number_text(number: Number) -> str:
    """A number with unit, range and class: `0.8 (0.3 to 1.5, assumed)`."""
    unit = "" if number.unit == "dimensionless" else f" {number.unit}"
    return f"{number.value:.6g}{unit} ({number.low:.6g} to {number.high:.6g}, {number.basis})"


def reference_rows(ids: Iterable[ReferenceId], references: Mapping[ReferenceId, Reference]) -> list[tuple[str, str]]:
    """Each reference once: its id, and authors, year, title, journal and DOI as far as they are known."""
    return [(str(id_), reference_text(references[id_])) for id_ in dict.fromkeys(ids)]


def reference_text(reference: Reference) -> str:
    """One reference in words."""
    year = str(reference.year) if reference.year else ""
    where = f"doi:{reference.doi}" if reference.doi else f"PMID {reference.pmid}" if reference.pmid else ""
    parts = [" ".join(filter(None, (reference.authors, year))), reference.title, reference.journal, where]
    sure = reference.confidence if reference.confidence not in (None, "certain") else None
    parts += [f"match {sure}" if sure else "", f"not resolved: {reference.unresolved}" if reference.unresolved else ""]
    return ". ".join(part.rstrip(".") for part in parts if part)
