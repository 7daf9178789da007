"""`max(x, f(t))`, where x is made of numbers alone and is no number, was f(t)."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model, solve

pytestmark = pytest.mark.usefixtures("backend")


@pytest.mark.parametrize("larger", ["max(asin(2), sin(t))", "max(sin(t), asin(2))", "min(ln(-1), t)"])
def test_no_number_stays_none(larger: str) -> None:
    assert np.isnan(solve(model({"x": (0, 1)}, {}, {"r": larger}), [0.3, 0.5, 1.0], "r").y).all()
