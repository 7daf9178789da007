"""Every directed effect that the catalogue states, against what a profile computes, over draws of all numbers."""

from __future__ import annotations

from collections import defaultdict

import pytest

from bonesim.catalog import load_catalog
from bonesim.profile import profile

MEMBERS = 100
HOLDS_IN = 0.9

CATALOG = load_catalog()
ASKED = [
    (source.id, context)
    for source in CATALOG.sources.values()
    for context in sorted({edge.context for edge in source.edges}, key=str)
]


@pytest.mark.parametrize(("source", "context"), ASKED)
def test_each_stated_effect_is_computed_with_its_sign(source: str, context: str | None) -> None:
    stated = defaultdict(set)
    for edge in CATALOG.sources[source].edges:
        if edge.context in (None, context):
            stated[edge.port].add(edge.effect)
    found = profile(source, context, members=MEMBERS)
    for port, effects in stated.items():
        assert len(effects) == 1, f"{port} is stated both ways"
        assert found["processes"][port] * effects.pop() > 0, port
        assert found["agreement"]["processes"][port] >= HOLDS_IN, port


@pytest.mark.parametrize("source", [source.id for source in CATALOG.sources.values() if source.edges])
def test_without_any_cargo_nothing_is_left_of_a_source(source: str) -> None:
    edges = CATALOG.sources[source].edges
    found = profile(source, without=[edge.id for edge in edges])
    assert set(found["processes"].values()) == {0.0}
    assert set(found["outcomes"].values()) == {0.0}
