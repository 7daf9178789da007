"""Edges of one cargo shared a node by its name alone: the second edge followed the first one's direction, and its
effect came out with the wrong sign."""

from __future__ import annotations

import pytest
from signals import at_rest, edge, log_odds, network, source, uptake_for


def test_each_direction_of_a_node_is_a_state_of_its_own() -> None:
    entry = source(edge("a", "A+ B+", context="ovx"), edge("b", "A- C+", context="fracture", ending="BMSC.apoptosis"))
    both = network(entry, contexts=frozenset({"ovx", "fracture"}))
    values = at_rest(both, uptake_cell_exo=uptake_for(2.0))
    assert log_odds(values) == pytest.approx(0.3, rel=1e-12)
    assert log_odds(values, "BMSC__apoptosis") == pytest.approx(0.3, rel=1e-12)
