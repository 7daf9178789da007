"""Entries as the JSON documents that `bonesim sources ID --json` and `bonesim contexts ID --json` print."""

from __future__ import annotations

from typing import Any

from bonesim.catalog.schema import Cargo, ChainNode, Context, Edge, Injury, Number, Source


def source_to_json(source: Source) -> dict[str, Any]:
    """One source with its cargo and edges, JSON values only."""
    return {
        "id": source.id,
        "label": source.label,
        "category": source.category,
        "effect_stated": source.effect_stated,
        "cargo": [_cargo(cargo) for cargo in source.cargo],
        "edges": [_edge(edge) for edge in source.edges],
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
    }


def _node(node: ChainNode) -> dict[str, Any]:
    return {"node": node.node, "aliases": list(node.aliases), "direction": node.direction}


def _strength(strength: Number) -> dict[str, Any]:
    fields = ["value", "low", "high", "basis", "why"]
    if strength.basis != "assumed":
        fields.append("source")
    return {field: getattr(strength, field) for field in fields}
