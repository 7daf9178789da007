"""Every published value of every card, through our own reader and solver."""

from __future__ import annotations

import pytest

from bonesim.compose.card import Published, load_card
from bonesim.experiment import reproduced
from bonesim.resources import model_ids

ROWS = [
    pytest.param(model_id, row, id=f"{model_id}: {row.quantity}, {row.at}")
    for model_id in model_ids()
    for row in load_card(model_id).published
]


def test_every_module_has_published_values() -> None:
    assert [model_id for model_id in model_ids() if not load_card(model_id).published] == []


@pytest.mark.parametrize(("model_id", "row"), ROWS)
def test_published_value_is_met(model_id: str, row: Published) -> None:
    assert reproduced(model_id, row) == pytest.approx(row.value, rel=row.tolerance, abs=row.absolute)
