"""Every method converges at the order it claims, also where the problem is stiff, and so does its interpolant."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model, solve

from bonesim.model.ode import OdeModel
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings

pytestmark = pytest.mark.usefixtures("backend")

GRADUATION = "floor((t - start)*steps/span)"
"""Turns over `steps` times in a course of length `span`, and a step ends wherever a condition of time turns over."""


def graduated(states: dict[str, tuple[str, str]], **parameters: float) -> OdeModel:
    """A problem that is solved by as many equal steps as its parameter `steps` says, if errors matter to none."""
    ruled = {"ruler": (0, GRADUATION)}
    return model({**states, **ruled}, {"steps": 1.0, "start": 0.0, "span": 1.0, **parameters})


def equal_steps(
    ode: OdeModel, times: list[float] | np.ndarray, method: str, steps: np.ndarray, **rows: float
) -> np.ndarray:
    """(time, state, member): one member for each number of steps; but for the ruler, which shows how many there were.

    The first of them is taken in a few smaller ones, which grow by 6 from 1e-4 of the course, and errs less.
    """
    rows |= {"start": times[0], "span": times[-1] - times[0]}
    settings = Settings(atol=np.inf, method=method)  # accepts every step
    solution = solve(ode, times, steps=steps.astype(float), settings=settings, **rows)
    assert solution.ok
    at_most = 1 + int(np.ceil(np.log(1e4) / np.log(6)))
    assert np.all((solution.steps >= steps) & (solution.steps < steps + at_most))
    return solution.y[:, :-1]


def slope(steps: np.ndarray, errors: np.ndarray) -> float:
    """The order with which errors fall."""
    return float(-np.polyfit(np.log(steps), np.log(errors), 1)[0])


# A rotation by the angle sin(t): nonlinear, depends on time, and its length is a first integral.
ROTATION = graduated(
    {"x": ("cos(sin(start))", "cos(t)*z*(x*x + z*z)"), "z": ("-sin(sin(start))", "-cos(t)*x*(x*x + z*z)")}
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
        y = equal_steps(ROTATION, times, method, np.array([1]))
        errors.append(np.abs(y[1:-1, :, 0] - rotated(times[1:-1])).max())
    # One step of an extension of order q is off by h^(q + 1); more is no fault.
    assert -slope(sizes, np.array(errors)) > METHODS[method].dense_order + 1 - 0.2


PROTHERO_ROBINSON = graduated({"y": ("0", "-stiffness*(y - (10 - (10 + t)*exp(-t))) + (9 + t)*exp(-t)")}, stiffness=1.0)


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
        y = solve(ROTATION, [0.0, 0.4, 2.0, 10.0], "x", "z", span=10.0, settings=Settings(rtol=rtol, method=method)).y
        errors.append(np.abs(y[:, :, 0] - rotated(np.array([0.0, 0.4, 2.0, 10.0]))).max())
    # Error per step is controlled, and there are rtol^(-1/p) steps: between rtol^(1 - 1/p) and rtol.
    order = METHODS[method].order
    assert 1 - 1 / order - 0.15 < -slope(tolerances, np.array(errors)) < 1.15
    assert errors[0] < 100 * tolerances[0]
