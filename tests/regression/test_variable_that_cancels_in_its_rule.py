"""An algebraic rule in which a variable cancelled inside a product or a function defined the variable by itself."""

from __future__ import annotations

import pytest
from chemistry import read
from equations import formula

from bonesim.model.ode import Rule


@pytest.mark.parametrize(
    ("residual", "expected"),
    [("z - 2*(z + s - z)", "2*s"), ("z - exp(z + s - z)", "exp(s)")],
    ids=["product", "function"],
)
def test_the_solution_is_without_the_variable(residual: str, expected: str) -> None:
    found = read("s = 1; s' = -s; var z;", zero=[residual]).by_id["z"]
    assert isinstance(found, Rule)
    assert found.expr == formula(expected)
