"""A rule that is a bare number stood in generated code as Python's own, and a division by it raised an exception."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import OdeModel, Rule, State
from bonesim.simulate import simulate
from bonesim.solve.status import Status


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_the_member_ends_with_a_status(backend: str) -> None:
    rate = Call("div", (Num(1.0), Sym("r")))
    model = OdeModel("zero", (State("x", Num(0.0), rate),), rules=(Rule("r", Num(0.0)),))
    result = simulate(model, [0.0, 1.0], initial={"x": [0.0]}, backend=backend)
    assert result["status"].values.tolist() == [Status.NOT_FINITE_AT_START]
    assert np.isnan(result["x"].values[:, 1:]).all()
