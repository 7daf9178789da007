"""Entries as the JSON documents that `bonesim sources`, `contexts` and `carriers` print with `ID --json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bonesim.catalog.schema import (
    Cargo,
    Carrier,
    ChainNode,
    Context,
    Edge,
    Injury,
    Number,
    Reference,
    ReferenceId,
    Release,
    Source,
)


def source_to_json(source: Source, references: Mapping[ReferenceId, Reference]) -> dict[str, Any]:
    """One source with its cargo, its edges and the papers that it cites among `references`, JSON values only."""
    return {
        "id": source.id,
        "label": source.label,
        "category": source.category,
        "effect_stated": source.effect_stated,
        "cargo": [_cargo(cargo) for cargo in source.cargo],
        "edges": [_edge(edge) for edge in source.edges],
        "parent_state": source.parent_state,
        "aliases": list(source.aliases),
        "notes": list(source.notes),
        "open_questions": list(source.open_questions),
        "references": [references[id_].model_dump(mode="json") for id_ in source.cited],
    }


def context_to_json(context: Context) -> dict[str, Any]:
    """One context with causes, injuries, the data it is held against and free parameters, JSON values only."""
    return {
        "id": context.id,
        "label": context.label,
        "kind": context.kind,
        "start": context.start,
        "about": context.about,
        "species": list(context.species),
        "sex": context.sex,
        "causes": [
            {"factor": cause.factor, "level": number_to_json(cause.level), "half_time": number_to_json(cause.half_time)}
            for cause in context.causes
        ],
        "injuries": [_injury(injury) for injury in context.injuries],
        "modules": list(context.modules),
        "validation": [row.model_dump(mode="json") for row in context.validation],
        "free_parameters": [row.model_dump(mode="json") for row in context.free_parameters],
        "limits": list(context.limits),
    }


def carrier_to_json(carrier: Carrier) -> dict[str, Any]:
    """One carrier with its release, retention and targeting, null where it has none; JSON values only."""
    release = carrier.release
    return {
        "id": carrier.id,
        "label": carrier.label,
        "kind": carrier.kind,
        "about": carrier.about,
        "release": release and {"form": release.form, **_numbers(release, ("burst", "half_life", "duration"))},
        **_numbers(carrier, ("retention", "targeting")),
        "limits": list(carrier.limits),
    }


def _numbers(block: Carrier | Release, names: Iterable[str]) -> dict[str, Any]:
    """Numbers by name, null where there is none."""
    found = {name: getattr(block, name) for name in names}
    return {name: number and number_to_json(number) for name, number in found.items()}


def number_to_json(number: Number) -> dict[str, Any]:
    """A number with unit, range, class, source and reason."""
    fields = ("value", "unit", "low", "high", "basis", "source", "why")
    return {field: getattr(number, field) for field in fields}


def _injury(injury: Injury) -> dict[str, Any]:
    amount = injury.amount if isinstance(injury.amount, float) else number_to_json(injury.amount)
    return {"module": injury.module, "port": injury.port, "amount": amount}


def _cargo(cargo: Cargo) -> dict[str, Any]:
    return {"name": cargo.name, "kind": cargo.kind, "aliases": list(cargo.aliases), "refs": list(cargo.refs)}


def _edge(edge: Edge) -> dict[str, Any]:
    carrier = edge.conditions.carrier
    return {
        "id": edge.id,
        "cargo": edge.cargo,
        "chain": [_node(node) for node in edge.chain],
        "cell_target": edge.cell_target,
        "process": edge.process,
        "effect": edge.effect,
        "context": edge.context,
        **({"conditions": {"carrier": carrier}} if carrier else {}),
        "evidence": edge.evidence,
        "mechanism": edge.mechanism,
        "refs": list(edge.refs),
        "strength": _strength(edge.strength),
        "note": edge.note,
    }


def _node(node: ChainNode) -> dict[str, Any]:
    return {"node": node.node, "aliases": list(node.aliases), "direction": node.direction}


def _strength(strength: Number) -> dict[str, Any]:
    fields = ["value", "low", "high", "basis", "why"]
    if strength.basis != "assumed":
        fields.append("source")
    return {field: getattr(strength, field) for field in fields}
