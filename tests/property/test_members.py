"""A member's numbers are its own: the same bits alone, in company, permuted, and whatever fails beside it."""

from __future__ import annotations

import numpy as np
import pytest
from equations import batch_of, event, kernels_of, model, when
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bonesim.model.ode import OdeModel
from bonesim.solve.integrate import integrate
from bonesim.solve.linear import apply, invert_shifted
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.system import Batch

# Every kind of operation that could mix or depend on position: library functions, powers, a dense Jacobian, events
# with expressions, repeated doses at times of a member's own, rules and constants.
STATES = {
    "x": (0.3, "k*(hill - x) + 0.1*(1 + sin(t))"),
    "y": ("1 + k", "x**1.7 - ln(1 + y) - y*z*z"),
    "z": (0.0, "growth*z*z + tanh(x) - z/(1 + drive) - cos(y)*0.01"),
    "w": (1.0, "-stiff*(w - x*y)"),
}
PARAMETERS = {"k": 0.5, "n": 2.0, "stiff": 100.0, "growth": 0.0, "first": 0.7, "drive": "exp(-k)"}
RULES = {"level": "k**n/(1 + k**n)", "hill": "y**n/(level**n + y**n)"}
DOSES = [
    event("first", every="0.9", count=3, z="z + exp(-k*t)*ln(2 + x)", k="k*1.1"),
    event("first", x="x + sin(k)"),
]
# And every kind that has a time or a place of a member's own: windows, a staircase, a jump of the rates, events of
# states that set states and parameters, one that ends the member.
SWITCHED = {
    "v": ("k", "piecewise(1, s < n, -2) + piecewise(5, t >= first and t < first + 0.01, 0) + 0.1*floor(t/k)"),
    "s": (0.1, "v"),
}
TURNS = [
    when("s > 1.5*n", v="-0.5*v", hits="hits + 1"),
    when("x > 0.6 and t > first", w="w + 1", stiff="stiff/2"),
    when("hits >= 2", terminal=True),
]
MODELS = {
    "doses": model(STATES, PARAMETERS, RULES, DOSES),
    "conditions": model(STATES | SWITCHED, PARAMETERS | {"hits": 0.0}, RULES, DOSES + TURNS),
}
TIMES = [0.0, 0.7, 1.0, 1.0, 2.9, 3.0]
SETTINGS = Settings(rtol=1e-4, max_steps=2000)
POISONS = {
    "parameter NaN": ("k", np.nan),
    "parameter infinite": ("stiff", np.inf),
    "initial value NaN": ("w", np.nan),
    "initial value infinite": ("y", np.inf),
    "time of an event NaN": ("first", np.nan),
    "blows up": ("growth", 50.0),
}
Rows = list[tuple[float, float, float, float]]

# A time that differs from 0 by less than any step can is no time of a dose.
times_of_doses = st.one_of(st.sampled_from(TIMES), st.floats(1e-9, 3.5), st.floats(-0.5, -1e-9))
members = st.lists(
    st.tuples(st.floats(0.1, 2.0), st.floats(1.0, 4.0), st.floats(1.0, 1e5), times_of_doses),
    min_size=2,
    max_size=11,
)
each_model = pytest.mark.parametrize("ode", MODELS.values(), ids=MODELS)
pytestmark = pytest.mark.usefixtures("backend")

OBSERVED = ("x", "y", "z", "w", "hill")


def batch(ode: OdeModel, rows: Rows | np.ndarray, **more: list[float]) -> Batch:
    k, n, stiff, first = np.array(rows).T
    values = {"k": k, "n": n, "stiff": stiff, "first": first} | more
    return batch_of(kernels_of(ode, *OBSERVED), ode, TIMES, **values)


def run(ode: OdeModel, problem: Batch, lanes: int = 256, threads: int = 1, dtype: type = np.float64) -> Solution:
    return integrate(kernels_of(ode, *OBSERVED), problem, SETTINGS, lanes=lanes, threads=threads, dtype=dtype)


def many(count: int) -> np.ndarray:
    """(member, column) members of all kinds."""
    return np.random.default_rng(0).uniform([0.1, 1, 1, -0.5], [2, 4, 1e4, 3.5], (count, 4))


def part(problem: Batch, chosen: list[int] | np.ndarray) -> Batch:
    return Batch(problem.parameters[:, chosen].copy(), problem.initial[:, chosen].copy(), problem.t_out)


def assert_same(one: Solution, chosen: list[int] | np.ndarray, other: Solution) -> None:
    """Members `chosen` of one solution are the other solution, bit for bit."""
    for name in ("y", "end", "status", "stop_time", "steps", "rejected"):
        np.testing.assert_array_equal(getattr(one, name)[..., chosen], getattr(other, name), err_msg=name)
    assert [one.cause.get(int(member)) for member in chosen] == [other.cause.get(i) for i in range(len(chosen))]


@each_model
@given(rows=members, lanes=st.integers(1, 12), data=st.data())
@settings(max_examples=10)
def test_alone_or_in_company_in_any_order_and_width(ode: OdeModel, rows: Rows, lanes: int, data: st.DataObject) -> None:
    problem = batch(ode, rows)
    together = run(ode, problem)
    assert together.ok
    order = data.draw(st.permutations(range(len(rows))))
    assert_same(together, order, run(ode, part(problem, order), lanes))
    alone = data.draw(st.sampled_from(range(len(rows))))
    assert_same(together, [alone], run(ode, part(problem, [alone])))


@each_model
def test_a_full_house_of_lanes(ode: OdeModel) -> None:
    problem = batch(ode, many(300))
    wide = run(ode, problem)
    assert_same(wide, np.arange(300), run(ode, problem, lanes=7))
    for member in (0, 255, 256, 299):
        assert_same(wide, [member], run(ode, part(problem, [member])))


@each_model
@pytest.mark.parametrize("threads", [2, 3])
def test_threads_change_no_bit(ode: OdeModel, threads: int) -> None:
    problem = batch(ode, many(61))
    assert_same(run(ode, problem), np.arange(61), run(ode, problem, lanes=16, threads=threads))


@each_model
def test_single_precision_is_double_precision_rounded_once(ode: OdeModel) -> None:
    problem = batch(ode, many(11))
    double, single = run(ode, problem), run(ode, problem, dtype=np.float32)
    assert single.y.dtype == np.float32
    np.testing.assert_array_equal(single.y, double.y.astype(np.float32))
    for name in ("end", "status", "stop_time", "steps"):
        np.testing.assert_array_equal(getattr(single, name), getattr(double, name), err_msg=name)


def poisoned(ode: OdeModel, rows: Rows, victim: int, name: str, value: float) -> Batch:
    """A batch of which one member has this value."""
    columns = {"k": 0, "n": 1, "stiff": 2, "first": 3}
    if name in columns:
        table = np.array(rows)
        table[victim, columns[name]] = value
        return batch(ode, table)
    if name == "growth":
        return batch(ode, rows, growth=[value if i == victim else 0.0 for i in range(len(rows))])
    problem = batch(ode, rows)
    problem.initial[[state.id for state in ode.states].index(name), victim] = value
    return problem


@each_model
@pytest.mark.parametrize(("name", "value"), POISONS.values(), ids=POISONS)
@given(rows=members, lanes=st.integers(1, 12), data=st.data())
@example(rows=[(0.5, 2.0, 10.0, 1.0)] * 9, lanes=3, data=None)
@settings(max_examples=3)
def test_a_poisoned_member_fails_alone(
    ode: OdeModel, name: str, value: float, rows: Rows, lanes: int, data: st.DataObject | None
) -> None:
    victim = data.draw(st.sampled_from(range(len(rows)))) if data else 4
    problem = poisoned(ode, rows, victim, name, value)
    solution = run(ode, problem, lanes)
    healthy = [i for i in range(len(rows)) if i != victim]
    assert_same(solution, healthy, run(ode, part(problem, healthy)))
    assert all(Status(code).arrived for code in solution.status[healthy])
    status, stop = Status(solution.status[victim]), solution.stop_time[victim]
    assert not status.arrived
    assert solution.cause[victim].startswith(f"stopped at t = {stop:.6g} day: {status.word} (")
    late, early = np.array(TIMES) > stop, np.array(TIMES) < stop
    assert np.isnan(solution.y[late, :, victim]).all()
    assert np.isfinite(solution.y[early, :, victim]).all()


@each_model
def test_how_each_poison_is_named(ode: OdeModel) -> None:
    causes = {}
    for label, (name, value) in POISONS.items():
        solution = run(ode, poisoned(ode, [(0.5, 2.0, 100.0, 0.7)], 0, name, value))
        causes[label] = solution.cause[0].partition(";")[0].partition(" (step")[0]
    assert causes.pop("blows up").endswith("day: step_too_small")
    assert causes == {
        "parameter NaN": "stopped at t = 0 day: not_finite_at_start (from x)",
        "parameter infinite": "stopped at t = 0 day: not_finite_at_start (from w)",
        "initial value NaN": "stopped at t = 0 day: not_finite_at_start (from w)",
        "initial value infinite": "stopped at t = 0 day: not_finite_at_start (from x)",
        "time of an event NaN": "stopped at t = 0 day: not_finite_at_start (the time of an event)",
    }


FRAGILE = model(
    {"a": (1, "1/gap - a"), "b": (1, "exp(heat*t)*b - b")},
    {"gap": 1.0, "heat": 0.0, "dose": 0.0},
    events=[event(0.5, a="a + dose")],
)
ACCIDENTS = {
    "division by zero": {"gap": 0.0},
    "overflow on the way": {"heat": 2e3},
    "an event sets NaN": {"dose": np.nan},
    "an event sets infinity": {"dose": np.inf},
}


@pytest.mark.parametrize("accident", ACCIDENTS.values(), ids=ACCIDENTS)
@pytest.mark.parametrize("count", [1, 3, 9, 21])
def test_an_accident_in_some_lanes_leaves_all_others_their_bits(accident: dict[str, float], count: int) -> None:
    """Fewer members than lanes and more; every third has the accident."""
    heat = np.linspace(0.0, 1.0, count)
    rows = {name: np.full(count, value) for name, value in {"gap": 1.0, "heat": 0.0, "dose": 1.0}.items()}
    rows["heat"] = heat
    kernels = kernels_of(FRAGILE)
    expected = integrate(kernels, batch_of(kernels, FRAGILE, [0.0, 0.4, 2.0], **rows), lanes=5)
    assert expected.ok
    hit = np.arange(count) % 3 == 0
    for name, value in accident.items():
        rows[name] = np.where(hit, value, rows[name])
    found = integrate(kernels, batch_of(kernels, FRAGILE, [0.0, 0.4, 2.0], **rows), lanes=5)
    assert sorted(found.cause) == np.flatnonzero(hit).tolist()
    assert np.isnan(found.y[-1][:, hit]).all()
    for name in ("y", "end", "steps", "rejected", "stop_time"):
        np.testing.assert_array_equal(getattr(found, name)[..., ~hit], getattr(expected, name)[..., ~hit], err_msg=name)


@given(st.integers(1, 12), st.integers(2, 9), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_linear_algebra_of_a_lane_ignores_the_others(n: int, lanes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    jacobian, rhs = rng.standard_normal((lanes, n, n)), rng.standard_normal((n, lanes))
    shift = rng.uniform(5.0, 1e6, lanes)
    inverse = invert_shifted(jacobian, shift)
    solved = apply(inverse, rhs)
    for lane in range(lanes):
        alone = invert_shifted(jacobian[lane : lane + 1].copy(), shift[lane : lane + 1])
        np.testing.assert_array_equal(alone[0], inverse[lane])
        np.testing.assert_array_equal(apply(alone, rhs[:, lane : lane + 1].copy())[:, 0], solved[:, lane])


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
