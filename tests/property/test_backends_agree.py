"""The compiled back end does what the plain one does, whatever the model, the method and the number of lanes."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.resources import scenario_files
from bonesim.run import run
from bonesim.scenario.load import load_scenario
from bonesim.simulate import build_kernels, load_model, members, simulate
from bonesim.solve.integrate import integrate
from bonesim.solve.methods.rosenbrock import METHODS
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status

KICKS = {
    "lemaire2004": {"OCa": 2e-3},
    "pivonka2008": {"OCa": 2e-3},
    "bone_volume": {"bone_volume_fraction": 0.1},
    "komarova2003": {"OCa": 12.0},
    "peterson_riggs2010": {"teri_depot": 100.0},
}
"""What moves each model away from rest; calcium stays above its renal threshold."""

CLOSE = 1e-10
"""Of the largest value: rounding, some hundred steps of it; a formula that differs shows at once."""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("model", KICKS)
def test_library_models(model: str, method: str) -> None:
    assert apart(model, KICKS[model], method) <= CLOSE


@pytest.mark.parametrize("method", METHODS)
def test_a_kink_that_is_met_by_refused_steps(method: str) -> None:
    """A whole dose of teriparatide takes calcium below its renal threshold and back: a kink, at 0.03 and 2.06 hours.

    What rounding does to an error estimate, 1e-5 of it, decides how far beyond the kink a step reaches that is refused,
    and grows from refusal to refusal until whole steps differ. Both courses are as good as each other: each is within
    rtol of the solution (0.03 to 0.6 of it, measured against rtol 1e-12), and so they are within twice that.
    """
    rtol = 1e-8
    assert apart("peterson_riggs2010", {"teri_depot": 4856.96}, method, rtol) <= 2 * rtol


def apart(model: str, kick: dict[str, float], method: str, rtol: float = 1e-6) -> float:
    """The largest difference between both back ends, over the largest value of a state."""
    loaded = load_model(model)
    plain, compiled = (
        simulate(loaded, np.linspace(0, 200, 21), initial=kick, method=method, rtol=rtol, backend=backend)
        for backend in ("numpy", "llvm")
    )
    shares = []
    for state in loaded.states:
        gap, size = np.abs(plain[state.id] - compiled[state.id]).max(), np.abs(plain[state.id]).max()
        shares.append(float(gap / size) if gap else 0.0)
    return max(shares)


INFUSED = {
    "doses[0].over": "2 hour",  # into plasma, three times as long as what is quick there
    "doses[0].route": "intravenous",
}


@pytest.mark.parametrize("changes", [{}, INFUSED], ids=["boluses", "infusions"])
def test_a_whole_scenario(changes: dict[str, str]) -> None:
    scenario = load_scenario(next(file for file in scenario_files() if file.stem == "ovx_m2"), changes)
    plain, compiled = run(scenario, backend="numpy"), run(scenario, backend="llvm")
    for name in plain.data_vars:
        if plain[name].attrs.get("units"):
            size = np.abs(plain[name].values).max()
            assert np.abs(plain[name].values - compiled[name].values).max() <= CLOSE * size, name


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 9, 33])
def test_a_member_has_the_same_bits_beside_any_number_of_others(count: int) -> None:
    model = load_model("pivonka2008")
    kernels = build_kernels(model, [state.id for state in model.states], "llvm")
    values = np.linspace(500.0, 3000.0, 33)
    together = integrate(kernels, members(kernels, model, [0.0, 50.0], {"I_PTH": values}))
    some = integrate(kernels, members(kernels, model, [0.0, 50.0], {"I_PTH": values[-count:]}))
    np.testing.assert_array_equal(together.y[:, :, -count:], some.y)


def test_a_poisoned_lane_fails_alone() -> None:
    model = load_model("pivonka2008")
    kernels = build_kernels(model, ["OCa"], "llvm")
    healthy = members(kernels, model, [0.0, 50.0], {"I_PTH": np.full(9, 1000.0)})
    sick = members(kernels, model, [0.0, 50.0], {"I_PTH": np.full(9, 1000.0)})
    sick.parameters[:, 4] = np.nan
    expected, found = integrate(kernels, healthy), integrate(kernels, sick)
    assert found.status.tolist() == [Status.NOT_FINITE_AT_START if lane == 4 else Status.OK for lane in range(9)]
    np.testing.assert_array_equal(np.delete(found.y, 4, axis=2), np.delete(expected.y, 4, axis=2))


def test_kernels_of_one_method_are_not_used_for_another() -> None:
    from bonesim.errors import InternalError

    model = load_model("bone_volume")
    kernels = build_kernels(model, ["CTX"], "llvm", "rodas4")
    with pytest.raises(InternalError, match=r"^the kernels step by rodas4, not by rodas5p$"):
        integrate(kernels, members(kernels, model, [0.0, 1.0], {}), Settings(method="rodas5p"))


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
def test_threads_change_no_bit_and_no_cause(backend: str) -> None:
    model = load_model("pivonka2008")
    kernels = build_kernels(model, ["OCa"], backend)
    batch = members(kernels, model, [0.0, 50.0], {"I_PTH": np.linspace(0.0, 3000.0, 70)})
    batch.parameters[:, 66] = np.nan
    alone, shared = (integrate(kernels, batch, lanes=16, threads=threads) for threads in (1, 3))
    np.testing.assert_array_equal(alone.y, shared.y)
    np.testing.assert_array_equal(alone.steps, shared.steps)
    assert list(shared.cause) == [66]
    assert shared.cause == alone.cause
