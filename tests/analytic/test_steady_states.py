"""Steady states: closed forms, long simulations, conserved totals, unstable rests, several rests, none."""

from __future__ import annotations

import numpy as np
import pytest
from equations import Formula, batch_of, kernels_of, model

from bonesim.model.ode import OdeModel
from bonesim.simulate import load_model, simulate
from bonesim.solve.rest import Rest, Stability
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status
from bonesim.solve.steady import TOGETHER, find_rest, relax
from bonesim.steady import steady_state

SETTINGS = Settings(rtol=1e-10)
CLOSE = 1e-9
"""Ten times the tolerance: at rest Newton's next correction is within it."""


def rest_of(ode: OdeModel, guess: list[float] | None = None, **values: list[float] | float) -> Rest:
    kernels = kernels_of(ode)
    batch = batch_of(kernels, ode, [0.0, 1.0], **values)
    start = None if guess is None else np.repeat(np.array(guess)[:, None], batch.members, axis=1)
    return find_rest(kernels, batch, SETTINGS, start)


def relaxed(ode: OdeModel, **values: list[float] | float) -> Rest:
    kernels = kernels_of(ode)
    return relax(kernels, batch_of(kernels, ode, [0.0, 1.0], **values), SETTINGS)


TURNOVER = model({"x": (1, "a - k*x"), "z": (0, "k*x - m*z**2")}, {"a": 2, "k": 0.5, "m": 3})


def test_production_over_loss() -> None:
    k = np.array([0.01, 0.5, 40.0])
    for rest in (rest_of(TURNOVER, k=k), relaxed(TURNOVER, k=k)):
        np.testing.assert_allclose(rest.y, [2 / k, np.full(3, np.sqrt(2 / 3))], rtol=CLOSE)
        # The Jacobian is triangular: -k and -2 m z.
        np.testing.assert_allclose(rest.character.growth, -np.minimum(k, 6 * np.sqrt(2 / 3)), rtol=CLOSE)
        assert (rest.character.stability == Stability.STABLE).all()
        assert (rest.residual <= 1).all()


def test_what_dies_out_ends_at_zero_and_never_below() -> None:
    rest = rest_of(model({"x": (1, "-k*x"), "y": (3, "-k*x*y - y**2/(1 + y)")}, {"k": 0.7}))
    assert (rest.y >= 0).all()
    # A state at rest at 0 is below its absolute tolerance, a thousandth of rtol times its size.
    assert (rest.y[:, 0] <= 1e-3 * SETTINGS.rtol * np.array([1, 3])).all()


BINDING = model(
    {name: (0, f"{sign}(k*A*B - r*C)") for name, sign in (("A", "-"), ("B", "-"), ("C", ""))}, {"k": 1, "r": 1}
)


@pytest.mark.parametrize("search", [rest_of, relaxed])
@pytest.mark.parametrize("k", [1e-3, 1.0, 1e3])
def test_conserved_totals_are_those_of_the_initial_values(search: object, k: float) -> None:
    a, b = 2.0, 0.5
    rest = search(BINDING, A=a, B=b, C=0.0, k=k)  # type: ignore[operator]
    # C is the smaller root of C^2 - (a + b + 1/k) C + a b = 0, written so that nothing cancels.
    total = a + b + 1 / k
    c = 2 * a * b / (total + np.sqrt(total**2 - 4 * a * b))
    np.testing.assert_allclose(rest.y[:, 0], [a - c, b - c, c], rtol=CLOSE)
    assert rest.character.conserved[0] == 2
    assert rest.character.stability[0] == Stability.NEUTRAL
    # What is left decays with the slope of k A B - r C along the way from A and B to C.
    assert rest.character.growth[0] == pytest.approx(-(k * (a + b - 2 * c) + 1), rel=CLOSE)


def test_a_guess_does_not_bring_totals_of_its_own() -> None:
    rest = rest_of(BINDING, guess=[5.0, 5.0, 5.0], A=2.0, B=0.5, C=0.0)
    np.testing.assert_allclose(rest.y, rest_of(BINDING, A=2.0, B=0.5, C=0.0).y, rtol=CLOSE)


def test_a_state_without_rate_keeps_its_value() -> None:
    rest = rest_of(model({"x": (1, "c - x"), "c": (3, 0)}))
    assert rest.y[:, 0].tolist() == [3.0, 3.0]
    assert rest.character.conserved[0] == 1


LOGISTIC = model({"x": ("x0", "x*(1 - x)")}, {"x0": 0.5})


def test_an_unstable_rest_is_reported_so() -> None:
    rest = rest_of(LOGISTIC, guess=[1e-3])
    assert abs(rest.y[0, 0]) < 1e-12
    assert rest.character.growth[0] == pytest.approx(1.0, rel=1e-9)
    assert rest.character.stability[0] == Stability.UNSTABLE


def test_members_that_relax_do_not_stop_at_an_unstable_rest_unless_they_begin_there() -> None:
    rest = relaxed(LOGISTIC, x0=[1e-9, 1e-3, 0.4, 7.0, 0.0])
    np.testing.assert_allclose(rest.y[0], [1, 1, 1, 1, 0], rtol=CLOSE)
    both_sides = relaxed(model({"x": ("x0", "x - x**3")}, {"x0": 1}), x0=[1e-6, -1e-6])
    np.testing.assert_allclose(both_sides.y[0], [1, -1], rtol=CLOSE)


SWITCH = model({"u": (1, "4/(1 + v**3) - u"), "v": (1, "4/(1 + u**3) - v")})


def test_of_two_stable_rests_the_guess_decides() -> None:
    high, low = rest_of(SWITCH, guess=[3.0, 0.2]), rest_of(SWITCH, guess=[0.2, 3.0])
    np.testing.assert_allclose(high.y, low.y[::-1], rtol=CLOSE)
    assert high.y[0, 0] > 3.9 > 0.1 > high.y[1, 0]
    for rest in (high, low):
        u, v = rest.y[:, 0]
        assert abs(4 / (1 + v**3) - u) + abs(4 / (1 + u**3) - v) < 1e-8
        assert rest.character.stability[0] == Stability.STABLE
    middle = rest_of(SWITCH, guess=[1.2, 1.3])
    assert middle.character.stability[0] == Stability.UNSTABLE


@pytest.mark.parametrize("u0", [0.2, 0.9, 1.1, 3.0])
def test_members_relax_to_the_rest_that_they_come_to_in_time(u0: float) -> None:
    end = simulate(SWITCH, [0.0, 60.0], initial={"u": u0}, rtol=1e-11, backend="numpy")
    rest = relaxed(SWITCH, u=u0)
    np.testing.assert_allclose(rest.y[:, 0], [end["u"][-1], end["v"][-1]], rtol=1e-8)


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({"x": (1, 1)}, "x still moves: 1 a day at"),
        ({"x": (1, "-x"), "sum": (0, "x*x")}, "rests lie on a line, and which one is reached depends on the way there"),
    ],
)
def test_a_model_without_a_rest_fails_with_its_cause(states: dict[str, tuple[Formula, Formula]], reason: str) -> None:
    for rest in (rest_of(model(states)), relaxed(model(states))):
        assert rest.status[0] == Status.NO_REST
        assert rest.cause[0].startswith(f"found no rest: no_rest ({reason}")
        assert np.isnan(rest.y).all()
        assert rest.character.stability[0] == Stability.UNKNOWN


def test_an_oscillator_has_an_unstable_rest_to_which_nothing_relaxes() -> None:
    oscillator = model({"x": (1, "y"), "y": (0, "(1 - x**2)*y - x")})
    rest = rest_of(oscillator)
    # At 0 the eigenvalues are those of y'' - y' + y = 0.
    assert rest.character.growth[0] == pytest.approx(0.5, rel=1e-9)
    assert relaxed(oscillator).cause[0].startswith("found no rest: no_rest (the rest that was found is unstable")


def test_a_member_without_numbers_does_not_touch_its_neighbours() -> None:
    k = np.array([0.01, 0.3, 5.0, 40.0])
    poisoned = np.insert(k, 2, np.nan)
    for search in (rest_of, relaxed):
        alone, beside = search(TURNOVER, k=k), search(TURNOVER, k=poisoned)
        np.testing.assert_array_equal(np.delete(beside.y, 2, axis=1), alone.y)
        np.testing.assert_array_equal(np.delete(beside.residual, 2), alone.residual)
        assert beside.status.tolist() == [0, 0, Status.NOT_FINITE_AT_START, 0, 0]
        assert np.isnan(beside.y[:, 2]).all()


def test_a_member_alone_has_the_bits_it_has_in_a_batch() -> None:
    k = np.geomspace(1e-3, 1e3, TOGETHER + 13)
    batch = rest_of(BINDING, A=2.0, B=0.5, C=0.0, k=k)
    assert (batch.status == Status.OK).all()
    for member in (0, 5, TOGETHER, TOGETHER + 12):
        alone = rest_of(BINDING, A=2.0, B=0.5, C=0.0, k=float(k[member]))
        np.testing.assert_array_equal(alone.y[:, 0], batch.y[:, member])


@pytest.mark.parametrize("model_id", ["lemaire2004", "pivonka2008"])
def test_published_models_rest_where_they_start(model_id: str) -> None:
    ode = load_model(model_id)
    rest = steady_state(ode)
    start = simulate(ode, [0.0, 1.0], backend="numpy")
    for state in ode.states:
        # The files give their steady states with 15 digits; rates cancel to about 1e-14 of their terms.
        assert float(rest[state.id]) == pytest.approx(float(start[state.id][0]), rel=1e-12)
    assert bool(rest["stable"])


PERTURBED = {
    "lemaire2004": {"k_B": [0.1, 0.189, 0.4], "I_L": [0.0, 500.0, 50.0], "D_R": [2e-3, 7e-4, 3e-4]},
    "pivonka2008": {"A_OBa": [0.1, 0.189, 0.4], "I_PTH": [0.0, 200.0, 20.0], "D_OBu": [2e-3, 7e-4, 3e-4]},
}


@pytest.mark.parametrize("model_id", PERTURBED)
def test_perturbed_members_rest_where_long_simulations_end(model_id: str) -> None:
    rest = steady_state(model_id, parameters=PERTURBED[model_id])
    # After forty times the slowest decay e^-40 of the way is left.
    end = 40 / -float(rest["growth_rate"].max())
    course = simulate(model_id, [0.0, end], parameters=PERTURBED[model_id], rtol=1e-11, backend="numpy")
    for state in load_model(model_id).states:
        np.testing.assert_allclose(rest[state.id], course[state.id][:, -1], rtol=1e-8)


@pytest.mark.parametrize("model_id", PERTURBED)
def test_from_far_away_models_relax_to_the_same_rest(model_id: str) -> None:
    ode = load_model(model_id)
    far = {state.id: [1e-7, 1e-2] for state in ode.states}
    rest = relaxed(ode, **far)
    near = steady_state(ode)
    for row, state in enumerate(ode.states):
        np.testing.assert_allclose(rest.y[row], float(near[state.id]), rtol=CLOSE)
