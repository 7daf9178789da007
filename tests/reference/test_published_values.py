"""Every published value of every card, through our own reader and solver."""

from __future__ import annotations

import pytest

from bonesim.compose.card import load_card
from bonesim.experiment import reproduced
from bonesim.resources import model_ids


def test_every_module_has_published_values() -> None:
    assert [model_id for model_id in model_ids() if not load_card(model_id).published] == []


@pytest.mark.parametrize("model_id", model_ids())
def test_published_values_are_met(model_id: str) -> None:
    rows = load_card(model_id).published
    for row, ours in zip(rows, reproduced(model_id, rows), strict=True):
        expected = pytest.approx(row.value, rel=row.tolerance, abs=row.absolute)
        assert ours == expected, f"{row.quantity}: {row.symbol}, {row.at}"
