"""A member's numbers are its own: the same bits alone, in company, permuted, and whatever fails beside it."""

from __future__ import annotations

import numpy as np
import pytest
from equations import batch_of, event, kernels_of, model
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.solve.step import _apply, invert_shifted
from bonesim.system import Batch

# Every kind of operation that could mix or depend on position: library functions, powers, a dense Jacobian, events
# with expressions, repeated doses at times of a member's own, rules and constants.
MODEL = model(
    {
        "x": (0.3, "k*(hill - x) + 0.1*(1 + sin(t))"),
        "y": ("1 + k", "x**1.7 - ln(1 + y) - y*z*z"),
        "z": (0.0, "growth*z*z + tanh(x) - z/(1 + drive) - cos(y)*0.01"),
        "w": (1.0, "-stiff*(w - x*y)"),
    },
    {"k": 0.5, "n": 2.0, "stiff": 100.0, "growth": 0.0, "first": 0.7, "drive": "exp(-k)"},
    {"level": "k**n/(1 + k**n)", "hill": "y**n/(level**n + y**n)"},
    [
        event("first", every="0.9", count=3, z="z + exp(-k*t)*ln(2 + x)", k="k*1.1"),
        event("first", x="x + sin(k)"),
    ],
)
TIMES = [0.0, 0.7, 1.0, 2.9, 3.0]
KERNELS = kernels_of(MODEL, "x", "y", "z", "w", "hill")
POISONS = {
    "parameter NaN": ("k", np.nan),
    "parameter infinite": ("stiff", np.inf),
    "initial value NaN": ("w", np.nan),
    "time of an event NaN": ("first", np.nan),
    "blows up": ("growth", 50.0),
}

members = st.lists(
    st.tuples(st.floats(0.1, 2.0), st.floats(1.0, 4.0), st.floats(1.0, 1e5), st.floats(-0.5, 3.5)),
    min_size=2,
    max_size=11,
)


def batch(rows: list[tuple[float, float, float, float]] | np.ndarray, **more: list[float]) -> Batch:
    k, n, stiff, first = np.array(rows).T
    return batch_of(KERNELS, MODEL, TIMES, **({"k": k, "n": n, "stiff": stiff, "first": first} | more))


def run(problem: Batch, lanes: int = 256) -> Solution:
    return integrate(KERNELS, problem, Settings(rtol=1e-4, max_steps=5000), lanes=lanes)


def part(problem: Batch, chosen: list[int] | np.ndarray) -> Batch:
    return Batch(problem.parameters[:, chosen].copy(), problem.initial[:, chosen].copy(), problem.t_out)


def assert_same(one: Solution, chosen: list[int] | np.ndarray, other: Solution) -> None:
    """Members `chosen` of one solution are the other solution, bit for bit."""
    for name in ("y", "end", "status", "stop_time", "steps", "rejected"):
        np.testing.assert_array_equal(getattr(one, name)[..., chosen], getattr(other, name), err_msg=name)
    assert [one.cause.get(int(member)) for member in chosen] == [other.cause.get(i) for i in range(len(chosen))]


@given(rows=members, lanes=st.integers(1, 12), data=st.data())
@settings(max_examples=20)
def test_alone_or_in_company_in_any_order_and_width(
    rows: list[tuple[float, float, float, float]], lanes: int, data: st.DataObject
) -> None:
    problem = batch(rows)
    together = run(problem)
    assert together.ok
    order = data.draw(st.permutations(range(len(rows))))
    assert_same(together, order, run(part(problem, order), lanes))
    alone = data.draw(st.sampled_from(range(len(rows))))
    assert_same(together, [alone], run(part(problem, [alone])))


def test_a_full_house_of_lanes() -> None:
    rng = np.random.default_rng(0)
    rows = [tuple(row) for row in rng.uniform([0.1, 1, 1, -0.5], [2, 4, 1e4, 3.5], (300, 4))]
    problem = batch(rows)
    wide = run(problem)
    assert_same(wide, np.arange(300), run(problem, lanes=7))
    for member in (0, 255, 256, 299):
        assert_same(wide, [member], run(part(problem, [member])))


@pytest.mark.parametrize(("name", "value"), POISONS.values(), ids=POISONS)
@given(rows=members, lanes=st.integers(1, 12), data=st.data())
@example(rows=[(0.5, 2.0, 10.0, 1.0)] * 9, lanes=3, data=None)
@settings(max_examples=5)
def test_a_poisoned_member_fails_alone(
    name: str, value: float, rows: list[tuple[float, float, float, float]], lanes: int, data: st.DataObject | None
) -> None:
    victim = data.draw(st.sampled_from(range(len(rows)))) if data else 4
    column = {"k": 0, "n": 1, "stiff": 2, "first": 3}
    if name in column:
        poisoned = np.array(rows)
        poisoned[victim, column[name]] = value
        problem = batch(poisoned)
    else:
        default = {"growth": 0.0, "w": 1.0}[name]
        problem = batch(rows, **{name: [value if i == victim else default for i in range(len(rows))]})
    solution = run(problem, lanes)
    healthy = [i for i in range(len(rows)) if i != victim]
    assert_same(solution, healthy, run(part(problem, healthy)))
    assert (solution.status[healthy] == Status.OK).all()
    assert set(solution.cause) == {victim}
    assert solution.cause[victim].startswith(f"stopped at t = {solution.stop_time[victim]:.6g} day: ")
    assert Status(solution.status[victim]).word in solution.cause[victim]
    assert np.isnan(solution.y[np.array(TIMES) > solution.stop_time[victim], :, victim]).all()
    assert np.isfinite(solution.y[np.array(TIMES) < solution.stop_time[victim], :, victim]).all()


def test_how_each_poison_is_named() -> None:
    causes = {}
    for label, (name, value) in POISONS.items():
        solution = integrate(
            KERNELS, batch_of(KERNELS, MODEL, TIMES, **{name: [value]}), Settings(rtol=1e-4, max_steps=5000)
        )
        causes[label] = solution.cause[0].partition(";")[0].partition(" (step")[0]
    assert causes.pop("blows up").endswith("day: step_too_small")
    assert causes == {
        "parameter NaN": "stopped at t = 0 day: not_finite_at_start (from x)",
        "parameter infinite": "stopped at t = 0 day: not_finite_at_start (from w)",
        "initial value NaN": "stopped at t = 0 day: not_finite_at_start (from w)",
        "time of an event NaN": "stopped at t = 0 day: not_finite_at_start (the time of an event)",
    }


@given(st.integers(1, 12), st.integers(2, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_linear_algebra_of_a_lane_ignores_the_others(n: int, lanes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    jacobian, rhs = rng.standard_normal((lanes, n, n)), rng.standard_normal((n, lanes))
    shift = rng.uniform(5.0, 1e6, lanes)
    inverse = invert_shifted(jacobian, shift)
    solved = _apply(inverse, rhs)
    for lane in range(lanes):
        alone = invert_shifted(jacobian[lane : lane + 1].copy(), shift[lane : lane + 1])
        np.testing.assert_array_equal(alone[0], inverse[lane])
        np.testing.assert_array_equal(_apply(alone, rhs[:, lane : lane + 1].copy())[:, 0], solved[:, lane])


def test_a_singular_matrix_leaves_the_other_lanes_their_bits() -> None:
    rng = np.random.default_rng(1)
    jacobian, shift = rng.standard_normal((5, 3, 3)), np.full(5, 8.0)
    reference = invert_shifted(jacobian, shift)
    jacobian[2] = 8.0 * np.eye(3)
    inverse = invert_shifted(jacobian, shift)
    assert np.isnan(inverse[2]).all()
    others = [0, 1, 3, 4]
    np.testing.assert_array_equal(inverse[others], reference[others])
    np.testing.assert_allclose(inverse[0] @ (8.0 * np.eye(3) - jacobian[0]), np.eye(3), atol=1e-14)
