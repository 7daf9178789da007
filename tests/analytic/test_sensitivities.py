"""Sensitivities against closed forms, and against differences of far more accurate solutions.

Closed forms are differentiated by a complex step: Im f(p + ih)/h is df/dp to the last bits, since nothing is
subtracted (Squire & Trapp, doi:10.1137/S003614459631241X).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from equations import event, model

from bonesim.model.ode import OdeModel
from bonesim.simulate import Values, load_model, simulate

RTOL = 1e-9
CLOSE = 1e-7
"""A hundred times the tolerance of a step; a course adds up some tens of them, and none of these models amplifies."""

TIMES = np.array([0.0, 0.5, 1.4, 2.7, 3.6, 5.1, 6.3, 9.0, 14.0])
"""None of them the time of an event, where the derivative by that time does not exist."""

Exact = Callable[..., np.ndarray]


def sensitivities(
    ode: OdeModel, names: Sequence[str], output: str, times: np.ndarray = TIMES, **options: Values
) -> np.ndarray:
    """(parameter, [member,] time) as `simulate` gives them."""
    result = simulate(ode, times, [output], sensitivities=names, rtol=RTOL, backend="numpy", **options)  # type: ignore[arg-type]
    return np.asarray(result[f"{output}_sensitivity"])


def by_complex_step(exact: Exact, values: dict[str, float], name: str, times: np.ndarray = TIMES) -> np.ndarray:
    return np.array([exact(t, **(values | {name: values[name] + 1e-30j})).imag / 1e-30 for t in times])


def check(ode: OdeModel, exact: Exact, values: dict[str, float], output: str, initial: dict[str, str]) -> None:
    """All sensitivities of an output; `initial` says which value of the closed form is which state's initial value."""
    found = sensitivities(ode, [initial.get(name, name) for name in values], output)
    for row, name in zip(found, values, strict=True):
        wanted = by_complex_step(exact, values, name)
        np.testing.assert_allclose(row, wanted, rtol=CLOSE, atol=CLOSE * np.abs(wanted).max(), err_msg=name)


def test_one_compartment_with_repeated_doses() -> None:
    values = {"k": 0.4, "dose": 5.0, "start": 1.0, "every": 2.0, "c0": 3.0}
    ode = model({"c": (3, "-k*c")}, values, events=[event("start", every="every", count=4, c="c + dose")])

    def exact(t: float, k: complex, dose: complex, start: complex, every: complex, c0: complex) -> complex:
        given = [start + turn * every for turn in range(4)]
        return c0 * np.exp(-k * t) + sum(dose * np.exp(-k * (t - at)) for at in given if at.real < t)

    check(ode, exact, values, "c", {"c0": "c"})


def test_two_compartments_with_a_dose() -> None:
    values = {"ka": 1.3, "k": 0.4, "dose": 5.0, "start": 1.0, "share": 0.8}
    states = {"depot": (0, "-ka*depot"), "c": (0, "ka*depot - k*c")}
    ode = model(states, values, events=[event("start", depot="depot + dose*share")])

    def exact(t: float, ka: complex, k: complex, dose: complex, start: complex, share: complex) -> complex:
        since = t - start
        bateman = ka / (ka - k) * (np.exp(-k * since) - np.exp(-ka * since))
        return 0j if since.real < 0 else dose * share * bateman

    check(ode, exact, values, "c", {})


def test_an_infusion_switched_on_and_off_at_times_that_are_parameters() -> None:
    values = {"k": 0.4, "rate": 2.0, "start": 1.0, "over": 3.0}
    events = [event("start", now="rate"), event("start + over", now="0")]
    ode = model({"c": (0, "now - k*c")}, values | {"now": 0.0}, {"loss": "k*c"}, events)

    def exact(t: float, k: complex, rate: complex, start: complex, over: complex) -> complex:
        on, off = t - start, t - start - over
        return (
            sum(sign * rate * (1 - np.exp(-k * since)) for sign, since in ((1, on), (-1, off)) if since.real > 0) + 0j
        )

    check(ode, exact, values, "loss", {})


def test_an_event_that_rests_on_states_and_changes_other_rates() -> None:
    values = {"k": 0.4, "m": 0.2, "at": 2.0, "c0": 3.0}
    ode = model(
        {"c": (3, "-k*c"), "z": (1, "m*c*gain")}, values | {"gain": 1.0}, events=[event("at", c="c*c", gain="2 + c")]
    )

    def exact(t: float, k: complex, m: complex, at: complex, c0: complex) -> complex:
        first = min(t, at, key=lambda time: time.real)
        z = 1 + m * c0 / k * (1 - np.exp(-k * first))
        before = c0 * np.exp(-k * at)
        return z if t < at.real else z + m * (2 + before) * before**2 / k * (1 - np.exp(-k * (t - at)))

    check(ode, exact, values, "z", {"c0": "c"})


def test_initial_assignments_are_followed() -> None:
    values = {"k": 0.4, "a": 2.0}
    ode = model({"c": ("b*k", "-j*c")}, values | {"b": "a*a + k", "j": "k/2"}, {"out": "c*j + b"})

    def exact(t: float, k: complex, a: complex) -> complex:
        b = a * a + k
        return b * k * np.exp(-k / 2 * t) * k / 2 + b

    check(ode, exact, values, "out", {})


def test_an_initial_value_that_is_given_rests_on_nothing() -> None:
    ode = model({"c": ("2*k", "-k*c"), "z": ("c", "0")}, {"k": 0.4})
    by_k, by_c = sensitivities(ode, ["k", "c"], "c", initial={"c": 3.0})
    np.testing.assert_allclose(by_k, -3 * TIMES * np.exp(-0.4 * TIMES), rtol=CLOSE, atol=CLOSE)
    np.testing.assert_allclose(by_c, np.exp(-0.4 * TIMES), rtol=CLOSE)
    # What the model computes from the initial value of c has followed what the model says of it, and keeps that.
    np.testing.assert_allclose(sensitivities(ode, ["k", "c"], "z", initial={"c": 3.0})[:, -1], [2, 0])


def test_a_kink_and_a_jump_at_a_fixed_time_are_gone_through() -> None:
    values = {"k": 0.4, "r": 2.0, "c0": 3.0}
    rate = "piecewise(r, t < 2, 0) - k*max(c, 1)"
    ode = model({"c": (3, rate)}, values)

    def exact(t: float, k: complex, r: complex, c0: complex) -> complex:
        at_two = c0 * np.exp(-k * min(t, 2.0)) + r / k * (1 - np.exp(-k * min(t, 2.0)))
        kink = 2 + np.log(at_two) / k
        if t < 2:
            return at_two
        return at_two * np.exp(-k * (t - 2)) if t < kink.real else 1 - k * (t - kink)

    check(ode, exact, values, "c", {"c0": "c"})


def test_members_of_a_batch_have_their_own() -> None:
    ode, k = model({"c": (3, "-k*c")}, {"k": 0.4}), np.array([0.1, 0.4, 2.0])
    found = sensitivities(ode, ["k"], "c", parameters={"k": k})
    wanted = -3 * TIMES * np.exp(-np.outer(k, TIMES))
    np.testing.assert_allclose(found[0], wanted, rtol=CLOSE, atol=CLOSE * 3)
    alone = sensitivities(ode, ["k"], "c", parameters={"k": 0.4})
    np.testing.assert_array_equal(alone[0], found[0, 1])


def differences(ode: OdeModel, name: str, output: str, times: np.ndarray, given: dict[str, float]) -> np.ndarray:
    """d(output)/d(parameter) by central differences of solutions at rtol 1e-13, extrapolated twice.

    Steps of 4, 2 and 1 percent leave a truncation error of about (0.01)^6, and about 1e-12/0.01 of the error of the
    solutions, whose steps are nearly the same.
    """
    value = given.get(name, next(p.value for p in ode.parameters if p.id == name))
    steps = np.array([0.04, 0.02, 0.01]) * value
    values = np.concatenate([value + steps, value - steps])
    result = simulate(ode, times, [output], parameters=given | {name: values}, rtol=1e-13, backend="numpy")
    up, down = np.asarray(result[output])[:3], np.asarray(result[output])[3:]
    table = (up - down) / (2 * steps[:, None])
    finer = (4 * table[1:] - table[:-1]) / 3
    extrapolated: np.ndarray = (16 * finer[1] - finer[0]) / 15
    return extrapolated


@pytest.mark.parametrize("name", ["k_B", "D_C", "k3", "C_s", "I_R"])
@pytest.mark.parametrize("output", ["OBa", "RANKL"])
def test_lemaire_agrees_with_differences(name: str, output: str) -> None:
    ode, times = load_model("lemaire2004"), np.linspace(0, 140, 15)
    given = {"I_R": 1e-4, "I_L": 100.0}
    found = sensitivities(ode, [name], output, times, parameters=given)[0]
    wanted = differences(ode, name, output, times, given)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())


def test_from_a_rest_they_are_those_of_the_rest() -> None:
    values = {"a": 2.0, "k": 0.5}
    ode = model({"x": (1, "a - k*x"), "A": (3, "-k*A + B"), "B": (1, "k*A - B")}, values)
    for output, exact, names in (
        ("x", lambda t, a, k: a / k, ["a", "k", "x"]),
        ("A", lambda t, a, k: 4 / (1 + k), ["a", "k", "A"]),
    ):
        found = sensitivities(ode, names, output, equilibrate=True)
        for row, name in zip(found, names[:2], strict=False):
            np.testing.assert_allclose(row, by_complex_step(exact, values, name), rtol=CLOSE, atol=1e-12)
        # The rest forgets where it came from, but for the total of A and B.
        np.testing.assert_allclose(found[2], 0.0 if output == "x" else 1 / 1.5, rtol=CLOSE, atol=1e-9)
