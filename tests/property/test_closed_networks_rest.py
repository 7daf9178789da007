"""Every closed network of first-order exchanges rests at its stationary distribution, with its total."""

from __future__ import annotations

import numpy as np
from equations import batch_of, kernels_of, model
from hypothesis import given, settings
from hypothesis import strategies as st

from bonesim.solve.rest import Stability
from bonesim.solve.settings import Settings
from bonesim.solve.steady import find_rest, relax

RTOL = 1e-10


@st.composite
def exchanges(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Rates (to, from) of a ring with further links, so that everything reaches everything, and initial amounts."""
    size = draw(st.integers(2, 5))
    rate = st.floats(-2, 2).map(lambda exponent: 10.0**exponent)
    rates = np.zeros((size, size))
    for place in range(size):
        rates[(place + 1) % size, place] = draw(rate)
    for to, origin in draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)), max_size=4)):
        if to != origin:
            rates[to, origin] = draw(rate)
    amounts = np.array([draw(st.sampled_from([0.0, 0.1, 1.0, 50.0])) for _ in range(size)])
    amounts[0] += 1.0
    return rates, amounts


@settings(max_examples=40)
@given(exchanges())
def test_a_closed_network_rests_at_its_stationary_distribution(case: tuple[np.ndarray, np.ndarray]) -> None:
    rates, amounts = case
    size = len(amounts)
    inflows = [[f"{float(rates[to, o])!r}*x{o}" for o in range(size) if rates[to, o]] for to in range(size)]
    states = {
        f"x{to}": (float(amounts[to]), f"{' + '.join(inflows[to])} - {float(rates[:, to].sum())!r}*x{to}")
        for to in range(size)
    }
    ode = model(states)
    generator = rates - np.diag(rates.sum(axis=0))
    # The null vector from the generator with one equation replaced by the total.
    closed = np.vstack([generator[1:], np.ones(size)])
    wanted = np.linalg.solve(closed, np.append(np.zeros(size - 1), amounts.sum()))
    # Rounding is magnified by the spread of the rates, four orders here.
    slack = 10 * RTOL + 1e-16 * np.linalg.cond(closed)
    kernels = kernels_of(ode)
    for search in (find_rest, relax):
        rest = search(kernels, batch_of(kernels, ode, [0.0, 1.0]), Settings(rtol=RTOL))
        np.testing.assert_allclose(rest.y[:, 0], wanted, rtol=slack)
        assert rest.character.conserved[0] == 1
        assert rest.character.stability[0] == Stability.NEUTRAL
        slowest = np.sort(np.linalg.eigvals(generator).real)[-2]
        np.testing.assert_allclose(rest.character.growth[0], slowest, rtol=1e-6)
