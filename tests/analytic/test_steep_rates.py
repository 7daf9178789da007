"""Rates whose slope is infinite at 0, where they begin: powers below 1 of a state or of time, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from equations import by_backend, event, model, solve

from bonesim.solve.settings import Settings

RTOL = 1e-8
TIMES = np.linspace(0.0, 5.0, 11)
DOSE_AT = 2.6
BACKENDS = pytest.mark.parametrize("backend", ["numpy", "llvm"])


@BACKENDS
@pytest.mark.parametrize("n", [0.1, 0.5, 0.8, 1.5])
@pytest.mark.parametrize("rate", ["t**n", "C**n", "(C*C)**(n/2)"])
def test_a_power_of_time_or_of_a_state_that_begins_at_zero(rate: str, n: float, backend: str) -> None:
    ode = model({"x": (0, rate), "C": (0, "1")}, {"n": n})
    with by_backend(backend):
        solution = solve(ode, TIMES, "x", settings=Settings(rtol=RTOL))
    assert solution.ok, solution.cause
    exact = TIMES ** (n + 1) / (n + 1)
    np.testing.assert_allclose(solution.y[:, 0, 0], exact, rtol=0, atol=100 * RTOL * exact[-1])


@BACKENDS
def test_a_square_root_that_brakes_itself(backend: str) -> None:
    ode = model({"x": (0, "1 - sqrt(x)")})
    with by_backend(backend):
        solution = solve(ode, TIMES, settings=Settings(rtol=RTOL))
    root = np.sqrt(solution.y[:, 0, 0])
    np.testing.assert_allclose(-2 * (root + np.log1p(-root)), TIMES, rtol=0, atol=1e-5)


@BACKENDS
def test_an_effect_of_a_drug_of_which_there_is_none_before_its_dose(backend: str) -> None:
    ode = model({"C": (0, "0"), "E": (0, "C**h/(1 + C**h)")}, {"h": 0.8}, events=[event(DOSE_AT, C="C + 3")])
    with by_backend(backend):
        solution = solve(ode, TIMES, "E", settings=Settings(rtol=RTOL))
    exact = np.maximum(TIMES - DOSE_AT, 0.0) * 3**0.8 / (1 + 3**0.8)
    np.testing.assert_allclose(solution.y[:, 0, 0], exact, rtol=1e-12)
