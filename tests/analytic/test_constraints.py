"""States that constraints determine: closed forms, the same problem without them, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from equations import Formula, Happening, batch_of, event, kernels_of, model, solve, when
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from scipy.special import lambertw

from bonesim.codegen.constraints import pivots
from bonesim.errors import InputError, SimulationError
from bonesim.failure import explain_failure
from bonesim.model.document import from_document, to_document
from bonesim.model.ode import OdeModel
from bonesim.sbml.read import read_sbml
from bonesim.sbml.write import write_sbml
from bonesim.simulate import simulate
from bonesim.solve.integrate import integrate
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status
from bonesim.steady import steady_state

pytestmark = pytest.mark.usefixtures("backend")

TIGHT = Settings(rtol=1e-9, atol=1e-12)


def constrained(
    states: Mapping[str, tuple[Formula, Formula]],
    *algebraic: str,
    parameters: Mapping[str, float | str] | None = None,
    events: list[Happening] | None = None,
) -> OdeModel:
    """A model in which some states are determined by constraints."""
    plain = model(states, parameters, events=events or [])
    return replace(plain, states=tuple(replace(one, algebraic=one.id in algebraic) for one in plain.states))


ROBERTSON: dict[str, tuple[Formula, Formula]] = {
    "a": (1, "-0.04*a + 1e4*b*c"),
    "b": (0, "0.04*a - 1e4*b*c - 3e7*b*b"),
    "c": (0, "3e7*b*b"),
}


def test_robertson_with_a_total_is_robertson_with_three_rates() -> None:
    times = [0, 0.4, 4, 40, 400, 4e3, 4e4]
    rates = solve(model(ROBERTSON), times, settings=TIGHT).y[:, :, 0]
    with_total = constrained(ROBERTSON | {"c": (0.7, "a + b + c - 1")}, "c")
    total = solve(with_total, times, settings=TIGHT).y[:, :, 0]
    np.testing.assert_allclose(total, rates, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(total.sum(axis=1), 1, rtol=1e-12)


def test_an_enzyme_at_its_quasi_steady_state() -> None:
    """Substrate by Lambert's W, Schnell & Mendoza 1997, doi:10.1006/jtbi.1997.0425."""
    parameters: dict[str, float | str] = {"on": 1e6, "off": 3e5, "k": 2e5, "enzyme": 1e-5}
    binding = "on*(enzyme - complex)*s - (off + k)*complex"
    ode = constrained({"s": (3, "-k*complex"), "complex": (0, binding)}, "complex", parameters=parameters)
    times = np.linspace(0, 3, 13)
    s, bound = solve(ode, times, settings=TIGHT).y[:, :, 0].T
    half, fastest = 0.5, 2.0
    exact = half * lambertw(3 / half * np.exp((3 - fastest * times) / half)).real
    np.testing.assert_allclose(s, exact, rtol=1e-7)
    np.testing.assert_allclose(bound, 1e-5 * exact / (half + exact), rtol=1e-7)


SWAPPED: dict[str, tuple[Formula, Formula]] = {"x": (1, "-z"), "z": (5, "w*w - x - 1"), "w": (0.5, "z - 2*x")}


def test_constraints_may_stand_in_any_order_and_doses_may_break_them() -> None:
    ode = constrained(SWAPPED, "z", "w", events=[event(0.5, x="x + 1")])
    t = np.array([0, 0.25, 0.5, 0.5, 1.0])
    solution = solve(ode, t, settings=TIGHT)
    x = np.exp(-2 * t) + np.where(np.arange(5) > 2, np.exp(-2 * (t - 0.5)), 0)
    np.testing.assert_allclose(solution.y[:, :, 0], np.stack([x, 2 * x, np.sqrt(1 + x)], axis=1), rtol=1e-7)


def test_a_constraint_may_hold_a_condition_and_an_event_may_wait_for_its_state() -> None:
    """x falls by 1 a day to 1/2, then by 2 a day; at 1/10 it is set back to 1."""
    states: dict[str, tuple[Formula, Formula]] = {"x": (1, "-z"), "z": (9, "z - piecewise(1, x > 0.5, 2)")}
    ode = constrained(states, "z", events=[when("z - 20*x > 0", x="1")])
    t = np.array([0, 0.25, 0.49, 0.51, 0.69, 0.71, 1.0])
    solution = solve(ode, t, settings=TIGHT)
    x = np.where(t < 0.5, 1 - t, np.where(t < 0.7, 0.5 - 2 * (t - 0.5), 1 - (t - 0.7)))
    np.testing.assert_allclose(solution.y[:, 0, 0], x, rtol=1e-8)
    np.testing.assert_allclose(solution.y[:, 1, 0], np.where((t > 0.5) & (t < 0.7), 2, 1), rtol=1e-12)


def test_constraints_of_which_a_part_is_singular_are_eliminated_in_an_order_that_goes_on() -> None:
    """In the written order the second pivot is 0. Beside the closed form."""
    written = {"x": (0, "x + y + z - 1"), "y": (0, "x + y - s"), "z": (0, "y + z - k*s")}
    ode = constrained({"s": (1, "-s"), **written}, "x", "y", "z", parameters={"k": 2})
    times = np.linspace(0, 2, 5)
    s, *found = solve(ode, times, settings=TIGHT).y[:, :, 0].T
    np.testing.assert_allclose(s, np.exp(-times), rtol=1e-7)
    np.testing.assert_allclose(found, [1 - 2 * s, 3 * s - 1, 1 - s], rtol=1e-9, atol=1e-9)


@given(size=st.integers(1, 7), density=st.floats(0.2, 1), seed=st.integers(0, 10_000))
def test_pivots_in_their_order_and_place_are_far_from_zero(size: int, density: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = np.where(rng.random((size, size)) < density, rng.integers(-2, 3, (size, size)), 0).astype(float)
    assume(abs(np.linalg.det(matrix)) > 0.5)
    sparse = {row: {int(at): float(matrix[row, at]) for at in np.flatnonzero(matrix[row])} for row in range(size)}
    chosen = pivots(sparse)
    left = matrix[list(chosen.values())][:, list(chosen)]
    for place in range(size):
        assert abs(left[place, place]) >= 0.09 * np.abs(left[place:, place]).max()
        left[place + 1 :] -= np.outer(left[place + 1 :, place] / left[place, place], left[place])


@pytest.mark.parametrize("guess", [1.2, -40.0, 1e6])
def test_a_first_guess_need_not_be_near(guess: float) -> None:
    ode = constrained({"x": (10, "-x"), "z": (guess, "z*z*z + z - x")}, "z")
    y = solve(ode, [0.0, 2.0], settings=TIGHT).y[:, :, 0]
    np.testing.assert_allclose(y[:, 1] ** 3 + y[:, 1], 10 * np.exp([0, -2.0]), rtol=1e-7)
    assert y[0, 1] == pytest.approx(2, rel=1e-12)


@pytest.mark.parametrize(
    ("states", "algebraic", "culprit"),
    [
        ({"x": (1, "-z"), "z": (0.2, "z*z + x")}, ("z",), "from z"),
        ({"x": (1, "-z"), "z": (0.2, "z + w - x"), "w": (0, "2*z + 2*w - 2*x")}, ("z", "w"), "from z"),
    ],
    ids=["without a solution", "that say the same"],
)
def test_constraints_that_cannot_be_solved_end_the_member(
    states: dict[str, tuple[Formula, Formula]], algebraic: tuple[str, ...], culprit: str
) -> None:
    solution = solve(constrained(states, *algebraic), [0.0, 1.0])
    assert solution.status.tolist() == [Status.NO_CONSISTENT_START]
    assert solution.cause[0].startswith(f"stopped at t = 0 day: no_consistent_start ({culprit}); the constraints")


def test_what_is_no_number_is_not_blamed_on_the_constraints() -> None:
    solution = solve(constrained({"x": (1, "-z"), "z": (0, "z - 1/(x - 1)")}, "z"), [0.0, 1.0])
    assert solution.status.tolist() == [Status.NOT_FINITE_AT_START]


def test_constraints_that_determine_no_state_are_refused() -> None:
    ode = constrained({"x": (1, "-z"), "z": (0, "x - 1")}, "z")
    with pytest.raises(InputError) as raised:
        kernels_of(ode)
    assert str(raised.value) == (
        "the constraints leave 'z' undetermined: "
        "that written at 'z' contains no algebraic state that the others spare\n"
        "  try: let each constraint contain an algebraic state of its own (an index of 1)"
    )


def test_an_event_cannot_set_what_constraints_determine() -> None:
    ode = constrained(SWAPPED, "z", "w", events=[event(1, w="3")])
    with pytest.raises(InputError, match="event 'event_w' sets 'w', which the constraints determine"):
        kernels_of(ode)


@pytest.mark.parametrize("method", METHODS)
def test_methods_keep_their_order(method: str) -> None:
    """x = 1/(1 + t) and z = x^2, in equal steps: one begins wherever the condition on time turns over."""
    states: dict[str, tuple[Formula, Formula]] = {
        "x": (1, "-z - 0*floor(t*steps/2)"),
        "z": (1, "z*(1 + t) - x + 0*z*z"),
        "ruler": (0, "floor(t*steps/2)"),
    }
    steps = np.array([16.0, 32.0, 64.0])
    ode = constrained(states, "z", parameters={"steps": 1.0})
    y = solve(ode, [0.0, 2.0], settings=Settings(atol=np.inf, method=method), steps=steps).y[-1]
    errors = np.abs(y[0] - 1 / 3)
    assert -np.polyfit(np.log(steps), np.log(errors), 1)[0] > METHODS[method].order - 0.4


DOSED = constrained(
    {"x": ("start", "-z"), "z": (0, "w*w - x - 1 - start"), "w": (0.5, "z*z*z + z - 2*x")},
    "z",
    "w",
    parameters={"start": 1.0, "dose": 1.0},
    events=[event(0.5, x="x + dose")],
)


@given(st.lists(st.tuples(st.floats(0.01, 50), st.floats(0, 20)), min_size=2, max_size=9), st.integers(1, 4))
@examples(max_examples=10)
def test_a_member_has_the_same_bits_alone_and_in_company(rows: list[tuple[float, float]], lanes: int) -> None:
    start, dose = np.array(rows).T
    start[0] = -3.0  # no real w: fails, and disturbs nobody
    kernels = kernels_of(DOSED)
    together = integrate(kernels, batch_of(kernels, DOSED, [0.0, 1.0, 2.0], start=start, dose=dose), lanes=lanes)
    assert together.status.tolist() == [Status.NO_CONSISTENT_START] + [Status.OK] * (len(rows) - 1)
    for member in range(len(rows)):
        one = batch_of(kernels, DOSED, [0.0, 1.0, 2.0], start=start[[member]], dose=dose[[member]])
        alone = integrate(kernels, one)
        for field in ("y", "end", "steps", "status"):
            np.testing.assert_array_equal(getattr(together, field)[..., member], getattr(alone, field)[..., 0])
        assert together.cause.get(member) == alone.cause.get(0)


def test_constraints_are_part_of_what_a_model_says() -> None:
    plain, marked = model(SWAPPED), constrained(SWAPPED, "z", "w")
    assert plain.content_hash != marked.content_hash
    assert constrained(SWAPPED).content_hash == plain.content_hash
    assert "algebraic" not in repr(plain)


MARKED = constrained(SWAPPED, "z", "w")


@pytest.mark.parametrize(
    ("what", "ask"),
    [
        ("a steady state", lambda: steady_state(MARKED)),
        ("a steady state", lambda: simulate(MARKED, [0, 1], equilibrate=True)),
        ("a sensitivity", lambda: simulate(MARKED, [0, 1], sensitivities=["x"])),
    ],
    ids=["rest", "rest before a simulation", "sensitivity"],
)
def test_what_knows_no_constraints_says_so(what: str, ask: Callable[[], object]) -> None:
    with pytest.raises(InputError) as raised:
        ask()
    assert str(raised.value) == (
        f"{what} knows no constraints, and these determine 'z', 'w'\n"
        "  try: write it as a rule where it can be written so, or leave this out"
    )


def test_the_broken_constraint_is_named() -> None:
    ode = constrained({"x": (1, "-z"), "z": (0.2, "z*z + x")}, "z")
    with pytest.raises(SimulationError) as raised:
        simulate(ode, [0, 1])
    failure = explain_failure(ode, raised.value.result)
    assert "the constraint written at 'z'" in str(failure)
    assert "z^2 + x" in str(failure) or "z*z + x" in str(failure)


def test_constraints_survive_as_plain_data() -> None:
    assert from_document(to_document(MARKED)) == MARKED
    assert from_document(to_document(MARKED)).content_hash == MARKED.content_hash


@pytest.mark.parametrize("ode", [MARKED, DOSED], ids=["swapped", "dosed"])
def test_constraints_are_algebraic_rules_in_sbml_and_read_back_as_they_were(ode: OdeModel) -> None:
    text = write_sbml(ode)
    assert text.count("<algebraicRule ") == 2
    assert text.count("<rateRule ") == 1
    again = read_sbml(text, file="again.xml")
    assert (again.states, again.rules, again.events) == (ode.states, ode.rules, ode.events)
    assert [state.algebraic for state in again.states] == [state.algebraic for state in ode.states]
    assert write_sbml(again) == text


@pytest.mark.parametrize(("initially", "happened"), [(True, 0), (False, 1)])
def test_a_first_guess_sets_off_no_event(initially: bool, happened: int) -> None:
    """The guess of z is below the threshold, z itself above it from the start on, also after x has been set."""
    jump = when("z - 5 > 0", initially=initially, n="n + 1")
    states: dict[str, tuple[Formula, Formula]] = {"x": (2, 1), "z": (1, "z*z*z - 1000*x"), "n": (0, 0)}
    solution = solve(constrained(states, "z", events=[jump, event(1, x="1")]), [0.0, 0.5, 2.0])
    np.testing.assert_allclose(solution.y[:, 1, 0], np.cbrt([2000, 2500, 2000]), rtol=1e-6)
    assert solution.y[:, 2, 0].tolist() == [happened] * 3
