"""Both back ends go through a course alike: the same steps, the same refusals, the same end and the same words for it.

They differ by rounding alone: the compiled one fuses products into sums, and solves where the other may invert. That
decides a comparison (`norm <= 1`, a turn before or behind a sample) in few members of many, and then both courses are
as good as each other.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
from equations import batch_of, by_backend, event, kernels_of, model, when

from bonesim.model.ode import OdeModel
from bonesim.solve.integrate import integrate
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status

MEMBERS = 60
RTOL = 1e-6
CLOSE = 1e-9
"""Of a quantity's largest value. A step rounds some 1e-16 times the condition of its matrix; what it changes in the
next step size, 1e-13 of it, changes the result by that share of the tolerance, 1e-6. Where a comparison falls
otherwise, both courses are within the tolerance; such members are few, and compared by that."""
ALIKE = 0.9
"""The share of members that take the very same number of steps."""

STIFF = model({"x": ("a", "v"), "v": (0, "mu*(1 - x*x)*v - x + exp(-mu*(t/5)**2)*sin(t)")}, {"a": 2.0, "mu": 10.0})
DOSED = model(
    {"depot": (0, "-ka*depot"), "c": (0, "ka*depot - vmax*c/(km + c)"), "e": (1, "k*(1 - e*c**1.3/(1 + c**1.3))")},
    {"ka": 5.0, "vmax": 3.0, "km": 0.5, "k": 1.0, "dose": 1.0, "gap": 1.7},
    events=[event(0.5, every="gap", count=4, depot="depot + dose"), event(3, k="k/2")],
)
SWITCHED = model(
    {"x": ("a", "v"), "v": (0, "piecewise(1, x < 1, -2) - 0.1*v + piecewise(b, t >= 2 and t < 2.01, 0)")},
    {"a": 0.1, "b": 20.0, "hits": 0.0},
    events=[when("x > 1.5", v="-v", hits="hits + 1"), when("hits >= 9", terminal=True)],
)


def spread(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, MEMBERS)


COURSES = {
    "stiff, not autonomous": (STIFF, {"mu": 10 ** spread(0, 3), "a": spread(1, 2)}),
    "dosed": (DOSED, {"ka": 10 ** spread(-1, 3), "gap": spread(1.1, 2.9), "dose": 10 ** spread(-2, 2)}),
    "with conditions": (SWITCHED, {"a": spread(0.1, 0.9), "b": spread(0, 100)}),
}


def both(
    ode: OdeModel, times: np.ndarray | list[float], settings: Settings, **rows: object
) -> tuple[Solution, Solution]:
    """The solutions by NumPy and by LLVM."""
    solutions = []
    for backend in ("numpy", "llvm"):
        with by_backend(backend):
            kernels = kernels_of(ode, method=settings.method)
        solutions.append(integrate(kernels, batch_of(kernels, ode, times, **rows), settings, threads=1))
    return solutions[0], solutions[1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("ode", "rows"), COURSES.values(), ids=COURSES)
def test_steps_outputs_and_ends(ode: OdeModel, rows: dict[str, np.ndarray], method: str) -> None:
    plain, compiled = both(ode, np.linspace(0.0, 8.0, 23), Settings(rtol=RTOL, method=method), **rows)
    np.testing.assert_array_equal(plain.status, compiled.status)
    same = (plain.steps == compiled.steps) & (plain.rejected == compiled.rejected)
    assert same.mean() >= ALIKE
    # outputs may all lie where a dose has decayed: absolute tolerances tell the size that it had
    size = np.maximum(np.nanmax(np.abs(plain.y), axis=0), plain.atol / (1e-3 * RTOL))
    apart = np.abs(plain.y - compiled.y) / size
    assert np.array_equal(np.isnan(plain.y), np.isnan(compiled.y))
    assert np.nanmax(apart[:, :, same]) < CLOSE
    assert np.nanmax(apart) < 1e-3
    np.testing.assert_allclose(compiled.stop_time, plain.stop_time, rtol=CLOSE)


FAILURES = {
    Status.STEP_TOO_SMALL: (model({"y": ("a", "y*y"), "z": (1, "-z")}, {"a": 1.0}), {"a": [1.0, 2.0, 0.3, 0.01]}),
    Status.TOO_MANY_STEPS: (STIFF, {"mu": [1e3, 1e2, 3e3, 10.0]}),
    Status.NOT_FINITE_AT_START: (
        model({"y": ("a", "1/y"), "z": (1, "-z")}, {"a": 1.0}, events=[event(2, y="y - a")]),
        {"y": [0.0, 1.0, np.nan, np.inf]},
    ),
    Status.ENDED_BY_EVENT: (
        model({"x": (0, "slope*exp(-x)")}, {"slope": 1.0}, events=[when("x*x >= 2", terminal=True, x="x + 1")]),
        {"slope": [1.0, 0.01, 4.0, -1.0]},
    ),
    Status.EVENTS_WITHOUT_END: (
        model({"x": (1, "slope")}, {"slope": 1.0}, events=[when("x > 1.5", x=0), when("x < 0.5", x=2)]),
        {"slope": [1.0, 0.0, 0.3, -2.0]},
    ),
}
NUMBERS = re.compile(r"(?<=step )[^;]+(?=; error)|(?<=error )[^ ]+(?= x tolerance)")


@pytest.mark.parametrize(("status", "case"), FAILURES.items(), ids=[status.word for status in FAILURES])
def test_failures_have_the_same_time_and_cause(status: Status, case: tuple[OdeModel, dict[str, list[float]]]) -> None:
    ode, rows = case
    settings = Settings(rtol=RTOL, max_steps=60 if status == Status.TOO_MANY_STEPS else 20_000)
    plain, compiled = both(ode, [0.0, 0.1, 5.0, 40.0], settings, **rows)
    assert status in plain.status
    np.testing.assert_array_equal(plain.status, compiled.status)
    # A pole is met where rounding brings the last of some dozens of ever smaller steps. Errors far below the tolerance
    # are differences of stages that agree in most digits, and the next step has the digits that are left.
    digits = 1e-7 if status == Status.TOO_MANY_STEPS else 1e-9
    np.testing.assert_allclose(compiled.stop_time, plain.stop_time, rtol=digits)
    assert sorted(plain.cause) == sorted(compiled.cause)
    for member, text in plain.cause.items():
        assert NUMBERS.sub("#", compiled.cause[member]) == NUMBERS.sub("#", text)
    np.testing.assert_array_equal(np.isnan(plain.y), np.isnan(compiled.y))


UNKNOWN = {
    "from the start": (model({"y": ("a", "-1")}, {"a": 1.0}), [0.0, 1.0, 5.0], {"a": [np.inf, 1.0, np.nan]}),
    "at the only time": (model({"y": ("a", "1/y")}, {"a": 1.0}), [0.0], {"a": [0.0, 1.0, 0.0]}),
    "by an event": (
        model({"y": ("a", "-1")}, {"a": 1.0}, events=[event(2, y="1/(y - a + 2)")]),
        [0.0, 1.0, 2.2, 5.0],
        {"a": [1.0, 2.0, np.inf]},
    ),
    "by an event at the end": (
        model({"y": ("a", "1/y")}, {"a": 1.0, "f": 1.0}, events=[event(5, y="y*f")]),
        [0.0, 1.0, 5.0],
        {"a": [1.0, 1.0, 2.0], "f": [0.0, 1.0, 0.0]},
    ),
}


@pytest.mark.parametrize(("ode", "times", "rows"), UNKNOWN.values(), ids=UNKNOWN)
def test_no_step_is_taken_from_what_is_no_number(
    ode: OdeModel, times: list[float], rows: dict[str, list[float]]
) -> None:
    plain, compiled = both(ode, times, Settings(rtol=RTOL), **rows)
    assert Status.NOT_FINITE_AT_START in plain.status
    for one in (plain, compiled):
        failed = one.status == Status.NOT_FINITE_AT_START
        assert np.isnan(one.y[-1, :, failed]).all()
        assert np.isfinite(one.y[:, :, ~failed]).all()
    for what in ("status", "stop_time", "steps", "rejected"):
        np.testing.assert_array_equal(getattr(compiled, what), getattr(plain, what), err_msg=what)
    assert compiled.cause == plain.cause


def test_powers_side_by_side_of_what_is_all_but_0() -> None:
    """x^0.3 from x^1.3 and 1/x, which is infinite where x is too small to be a normal number."""
    ode = model({"x": ("a", "0*x"), "z": (1, "x**1.3 + x**0.3 - z")}, {"a": 1.0})
    rows = {"a": [1e-310, 3e-309, 5e-324, 1e-300, 0.0, 1e-5]}
    plain, compiled = both(ode, [0.0, 1.0], Settings(rtol=RTOL), **rows)
    assert not plain.status.any()
    np.testing.assert_allclose(compiled.y, plain.y, rtol=1e-12)
    decays = model({"x": ("a", "-x*(1 + x**0.3) - x**1.3")}, {"a": 1.0})
    for one in both(decays, [0.0, 1000.0], Settings(rtol=RTOL), a=[1.0, 2.0, 3.0]):
        assert not one.status.any()


def test_a_member_that_slides_without_end_names_the_condition_in_both() -> None:
    ode = model({"x": (1, "piecewise(-k, x > 0, k)")}, {"k": 1.0})
    causes = [
        solution.cause[0].partition(";")[0] for solution in both(ode, [0.0, 1e4], Settings(rtol=RTOL, max_steps=500))
    ]
    assert causes[0].partition(": ")[2] == causes[1].partition(": ")[2]
    assert causes[0].endswith("too_many_steps ('x > 0' turns over again and again)")
