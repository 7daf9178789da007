"""Whether both branches of a condition meet was tried near 1 alone: a jump that shows near the model's own numbers
passed for a kink, steps went over it, and sensitivities across it were wrong instead of refused."""

from __future__ import annotations

import numpy as np
import pytest
from equations import formula, model, solve

from bonesim.errors import UnsupportedModelError
from bonesim.model.ode import OdeModel
from bonesim.model.smooth import kinks
from bonesim.simulate import simulate

START = 150.0
LARGE = 1e4
"""What y begins with, so that error control alone would let a step go over the jump."""

JUMPS = {
    "nothing turns near 1": "piecewise(max(x - 100, 0), x > start, 0)",
    "both meet near 1": "piecewise(x + max(start - 100, 0), x > start, x)",
}
GAINED = {
    "nothing turns near 1": lambda t: np.where(t > START, (t - 100) ** 2 / 2 - 50**2 / 2, 0),
    "both meet near 1": lambda t: t**2 / 2 + 50 * np.maximum(t - START, 0),
}


def of(rate: str) -> OdeModel:
    return model({"x": (0, "1"), "y": (LARGE, rate)}, {"start": START})


@pytest.mark.parametrize("case", JUMPS)
def test_a_step_ends_at_the_jump(backend: str, case: str) -> None:
    times = np.linspace(0.0, 300.0, 31)
    found = solve(of(JUMPS[case]), times, "y").y[:, 0, 0]
    exact = LARGE + GAINED[case](times)
    # rates that are straight lines: the method makes no error, and the jump is met but for the last bits of the time
    assert np.abs(found - exact).max() <= 1e-12 * exact.max()


@pytest.mark.parametrize("case", JUMPS)
def test_sensitivities_across_it_are_refused(case: str) -> None:
    with pytest.raises(UnsupportedModelError, match="which jumps at a condition: x > start"):
        simulate(of(JUMPS[case]), [0.0, 300.0], sensitivities=["start"])


@pytest.mark.parametrize("number", [1.0, START])
def test_branches_that_meet_stay_a_kink(number: float) -> None:
    ode = model({"x": (number, "1")}, {"start": number}, {"over": "piecewise(x - start, x > start, 0)"})
    assert kinks(ode) == {formula("x > start")}
