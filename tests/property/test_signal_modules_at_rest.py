"""Whatever their ranges allow, signal modules start at a stable rest, drive nothing there, and come back to it."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from bonesim.compose.card import load_card
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate
from bonesim.solve.status import Status
from bonesim.steady import steady_state

MEMBERS = 60
LONG = 1000.0
"""Days; the slowest rate of these modules is 0.02 1/day, so e^-20 of a disturbance is left."""


def drawn(module: str) -> dict[str, np.ndarray]:
    """Each parameter of a module, evenly in its logarithm between the ends of its range."""
    random = np.random.default_rng(7)
    notes = load_card(module).symbols
    return {
        one.id: np.exp(random.uniform(np.log(low), np.log(high), MEMBERS))
        for one in read_library_model(module).parameters
        if (low := notes[one.id].low) and (high := notes[one.id].high)
    }


def states(module: str) -> list[str]:
    return [state.id for state in read_library_model(module).states]


def start(module: str, values: dict[str, np.ndarray]) -> xr.Dataset:
    """States of each member at the start."""
    return simulate(read_library_model(module), [0.0, 1e-9], parameters=values, backend="numpy").isel(time=0)


MODULES = pytest.mark.parametrize("module", model_ids("signal"))


@MODULES
def test_the_start_is_a_stable_rest(module: str) -> None:
    values = drawn(module)
    rest = steady_state(read_library_model(module), parameters=values, rtol=1e-10)
    healthy = start(module, values)
    assert rest["stable"].all()
    for name in states(module):
        # What is 0 in health comes to rest within rounding of 0.
        np.testing.assert_allclose(rest[name], healthy[name], rtol=1e-9, atol=1e-18, err_msg=name)


@MODULES
def test_every_drive_is_1_in_health(module: str) -> None:
    drives = [port.symbol for port in load_card(module).ports if port.drives and port.symbol]
    run = simulate(
        read_library_model(module), [0.0, 30.0, 300.0], drives, parameters=drawn(module), rtol=1e-9, backend="numpy"
    )
    for name in drives:
        np.testing.assert_allclose(run[name], 1.0, rtol=1e-9, err_msg=name)


@MODULES
@pytest.mark.parametrize("factor", [0.01, 3.0])
def test_it_comes_back_from_afar_and_no_state_is_ever_negative(module: str, factor: float) -> None:
    values = drawn(module)
    healthy = start(module, values)
    moved = {name: factor * healthy[name].values for name in states(module)}
    times = [0.0, 0.01, 0.1, 1.0, 10.0, 100.0, LONG]
    run = simulate(read_library_model(module), times, parameters=values, initial=moved, rtol=1e-8, backend="numpy")
    assert (run["status"] == Status.OK).all()
    for name in states(module):
        assert (run[name] >= 0).all()
        np.testing.assert_allclose(run[name].isel(time=-1), healthy[name], rtol=1e-6, err_msg=name)
