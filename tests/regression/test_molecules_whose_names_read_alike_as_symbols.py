"""`miR-12-5p` and `miR-125p` became one symbol, so that the second cargo moved nothing or the wrong way."""

from __future__ import annotations

import pytest
from signals import at_rest, edge, ids, log_odds, network, source, uptake_for


def test_two_cargo_whose_symbols_read_alike_act_each_for_itself() -> None:
    entry = source(edge("a", "A+", cargo="miR-12-5p"), edge("b", "A-", cargo="miR-125p", effect=-1))
    compiled = network(entry)
    nodes = ids([state.id for state in compiled.model.states], "_by_")
    assert nodes == ["BMSC__A_by_miR125p_of_cell_exo", "BMSC__A_by_miR125p_of_cell_exo_"]
    values = at_rest(compiled, uptake_cell_exo=uptake_for(2.0))
    assert [values[node] > values["basal_node"] for node in nodes] == [True, False]
    assert log_odds(values) == pytest.approx(0.0, abs=1e-12)


def test_nodes_whose_symbols_read_alike_are_kept_apart() -> None:
    entry = source(edge("a", "CD4+"), edge("b", "CD-4-", ending="BMSC.apoptosis"))
    values = at_rest(network(entry), uptake_cell_exo=uptake_for(2.0))
    assert log_odds(values) == pytest.approx(0.3, rel=1e-12)
    assert log_odds(values, "BMSC__apoptosis") == pytest.approx(0.3, rel=1e-12)
