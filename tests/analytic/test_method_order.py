"""Every method converges at the order it claims, also where the problem is stiff, and so does its interpolant."""

from __future__ import annotations

import numpy as np
import pytest
from equations import batch_of, kernels_of, model, solve

from bonesim.model.ode import OdeModel
from bonesim.solve.driver import Lanes
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution


class EqualSteps(Lanes):
    """The batch loop with as many equal steps as the first parameter of a member says."""

    def _take_step(self) -> None:
        self.h = (self.t_end - self.batch.t_out[0]) / self.batch.parameters[0, self.member]
        super()._take_step()


def equal_steps(ode: OdeModel, times: object, method: str, steps: np.ndarray, **rows: float) -> np.ndarray:
    """(time, state, member): one member for each number of steps."""
    kernels = kernels_of(ode)
    batch = batch_of(kernels, ode, times, steps=steps.astype(float), **rows)
    atol = np.full(batch.initial.shape, np.inf)  # accepts every step
    solution = Solution.empty(batch.t_out, len(ode.states), atol)
    EqualSteps(kernels, batch, Settings(method=method), solution, width=batch.members).run()
    assert solution.ok
    np.testing.assert_array_equal(solution.steps, steps)
    return solution.y


def slope(steps: np.ndarray, errors: np.ndarray) -> float:
    """The order with which errors fall."""
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


# A rotation by the angle sin(t): nonlinear, depends on time, and its length is a first integral.
ROTATION = model(
    {"x": ("cos(sin(start))", "cos(t)*z*(x*x + z*z)"), "z": ("-sin(sin(start))", "-cos(t)*x*(x*x + z*z)")},
    {"steps": 1.0, "start": 0.0},
)


def rotated(t: np.ndarray) -> np.ndarray:
    """(time, state) of `ROTATION`."""
    return np.stack([np.cos(np.sin(t)), -np.sin(np.sin(t))], axis=-1)


@pytest.mark.parametrize("method", METHODS)
def test_order_on_a_nonlinear_problem_that_depends_on_time(method: str) -> None:
    steps = np.array([32, 64, 128])
    y = equal_steps(ROTATION, [0.0, 1.5], method, steps)
    errors = np.abs(y[-1] - rotated(np.array(1.5))[:, None]).max(axis=0)
    assert slope(steps, errors) == pytest.approx(METHODS[method].order, abs=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_interpolant_within_one_step(method: str) -> None:
    sizes = 0.5 / 2.0 ** np.arange(1, 5)
    errors = []
    for size in sizes:
        times = 0.7 + size * np.array([0.0, 0.31, 0.62, 0.83, 1.0])
        y = equal_steps(ROTATION, times, method, np.array([1]), start=0.7)
        errors.append(np.abs(y[1:-1, :, 0] - rotated(times[1:-1])).max())
    # One step of an extension of order q is off by h^(q + 1); more is no fault.
    assert -slope(sizes, np.array(errors)) > METHODS[method].dense_order + 1 - 0.2


PROTHERO_ROBINSON = model(
    {"y": (0.0, "-stiffness*(y - (10 - (10 + t)*exp(-t))) + (9 + t)*exp(-t)")}, {"steps": 1.0, "stiffness": 1.0}
)


@pytest.mark.parametrize(
    ("method", "order", "fewest"),
    # Plain order conditions say nothing here: with h times stiffness large, the error is that of quadrature by the
    # stages over the stiffness. The methods with a P meet further conditions (doi:10.1007/s10543-023-00967-x).
    [("rodas4", 1.0, 64), ("rodas4p", 3.0, 8), ("rodas5p", 3.0, 8)],
)
def test_order_where_stiffness_reduces_it(method: str, order: float, fewest: int) -> None:
    steps = fewest * np.array([1, 2, 4, 8])
    y = equal_steps(PROTHERO_ROBINSON, [0.0, 2.0], method, steps, stiffness=1e5)
    errors = np.abs(y[-1, 0] - (10 - 12 * np.exp(-2.0)))
    assert errors.max() < 1e-5 / fewest  # the stiff part is followed, not resolved: errors of order h/stiffness
    assert slope(steps, errors) == pytest.approx(order, abs=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_full_order_returns_where_the_problem_is_not_stiff(method: str) -> None:
    steps = np.array([32, 64, 128, 256])
    y = equal_steps(PROTHERO_ROBINSON, [0.0, 2.0], method, steps, stiffness=2.0)
    errors = np.abs(y[-1, 0] - (10 - 12 * np.exp(-2.0)))
    assert slope(steps, errors) == pytest.approx(METHODS[method].order, abs=0.2)


@pytest.mark.parametrize("method", METHODS)
def test_a_tighter_tolerance_gives_an_error_smaller_in_proportion(method: str) -> None:
    tolerances = np.array([1e-5, 1e-7, 1e-9])
    errors = []
    for rtol in tolerances:
        y = solve(ROTATION, [0.0, 0.4, 2.0, 10.0], settings=Settings(rtol=rtol, method=method)).y
        errors.append(np.abs(y[:, :, 0] - rotated(np.array([0.0, 0.4, 2.0, 10.0]))).max())
    # Error per step is controlled, and there are rtol^(-1/p) steps: between rtol^(1 - 1/p) and rtol.
    order = METHODS[method].order
    assert 1 - 1 / order - 0.15 < -slope(tolerances, np.array(errors)) < 1.15
    assert errors[0] < 100 * tolerances[0]
