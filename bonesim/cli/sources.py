"""`bonesim sources`: the vesicle sources of the catalogue, and the evidence behind each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from bonesim.cli.console import Page, print_json
from bonesim.cli.evidence import edge_text, number_text, reference_rows

if TYPE_CHECKING:
    from bonesim.catalog import Catalog, Edge, Source


@click.command(
    "sources", short_help="List vesicle sources, or show one.", epilog="\b\nExample:\n  bonesim sources macrophage_m2"
)
@click.argument("source", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: one source, or a list of all.")
def command(source: str | None, as_json: bool) -> None:
    """List vesicle sources, or show one: cargo, effects, strengths, references.

    Effects are written `cargo -> node -| process (cell)`: `->` raises, `-|` lowers, and the last word says what becomes
    of the process.
    """
    from bonesim.catalog import load_catalog, source_to_json

    catalog = load_catalog()
    if source is not None:
        found = catalog.source(source)
        if as_json:
            print_json(source_to_json(found, catalog.references))
        else:
            _show(found, catalog)
    elif as_json:
        print_json([source_to_json(one, catalog.references) for one in catalog.sources.values()])
    else:
        rows = [(one.id, one.label, str(len(one.cargo)), _effects(one)) for one in catalog.sources.values()]
        Page().table(["id", "source", "cargo", "effects"], rows)


def _effects(source: Source) -> str:
    return str(len(source.edges)) if source.effect_stated else "none stated"


def _show(source: Source, catalog: Catalog) -> None:
    page = Page()
    page.title(f"{source.id}: {source.label}")
    page.pairs(_facts(source), indent=2)
    page.heading("cargo" if source.cargo else "no cargo is named")
    page.pairs(((cargo.name, f"{cargo.kind} {_refs(cargo.refs)}") for cargo in source.cargo), indent=2)
    page.heading("effects" if source.edges else "no effect is stated")
    for edge in source.edges:
        page.text(f"{edge_text(edge)} {_refs(edge.refs)}")
        page.text(_strength(edge), indent=6)
        if edge.note:
            page.text(edge.note, indent=6)
    for heading, texts in (("notes", source.notes), ("open questions", source.open_questions)):
        if texts:
            page.heading(heading)
            page.bullets(texts)
    page.heading("references")
    page.pairs(reference_rows(source.cited, catalog.references), indent=2)


def _facts(source: Source) -> Iterator[tuple[str, str]]:
    yield "category", source.category.replace("_", " ")
    yield "parent cell", source.parent_state
    if source.aliases:
        yield "also called", ", ".join(source.aliases)
    for field, number in (*source.lot, *source.tropism.items()):
        if number is not None:
            name = f"affinity, {field}" if field in source.tropism else field.replace("_", " ")
            yield name, f"{number_text(number)}: {number.why or number.source}"


def _strength(edge: Edge) -> str:
    """Strength with its class, and what must hold for the edge to act."""
    unknown = ", mechanism unknown" if edge.mechanism == "unknown" else ""
    parts = [f"{edge.id}: strength {number_text(edge.strength)}", f"{edge.evidence.replace('_', ' ')}{unknown}"]
    if edge.context:
        parts.append(f"only in {edge.context}")
    if edge.conditions.carrier:
        parts.append(f"only with carrier {edge.conditions.carrier}")
    return "; ".join(parts)


def _refs(refs: tuple[object, ...]) -> str:
    return f"[{', '.join(map(str, refs))}]" if refs else ""
