"""With `hold=["Ca_urine"]` peterson_riggs2010 rested, it was said, at 2.7e13 mmol of deep calcium, far from its 24900.

What bone gives does not depend on what it holds, so that its stores drift for ever. Beside what they had become the
drift was within the tolerance, and Newton's method went where rounding ties them to states that stand still.
"""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.errors import SimulationError
from bonesim.simulate import load_model, simulate
from bonesim.solve.status import Status
from bonesim.steady import steady_state

MODEL = load_model("peterson_riggs2010")
RATES = 0.0291666666666667 * np.linspace(0.7, 1.4, 12)
DRIFT = r"found no rest: no_rest \(Ca_deep drifts without end: .* an hour at .*, far from 2.49e\+04 where it began\); "


def test_its_stores_drift_and_the_cause_names_them() -> None:
    rest = steady_state(MODEL, ["Ca_deep"], parameters={"k_OC": RATES}, hold=["Ca_urine"])
    assert (rest["status"] == Status.NO_REST).all()
    assert np.isnan(rest["Ca_deep"]).all()
    for cause in rest["cause"].values:
        assert cause.startswith("found no rest: no_rest (Ca_deep drifts without end: ")
    with pytest.raises(SimulationError, match=f"^the model {DRIFT}"):
        steady_state(MODEL, hold=["Ca_urine"])


def test_nothing_comes_to_rest_before_a_simulation() -> None:
    with pytest.raises(SimulationError, match=f"^the simulation {DRIFT}"):
        simulate(MODEL, [0.0, 1.0], ["Ca_deep"], hold=["Ca_urine"], equilibrate=True)


def test_with_the_store_held_the_others_rest() -> None:
    rest = steady_state(MODEL, parameters={"k_OC": RATES}, hold=["Ca_urine", "Ca_deep"])
    assert (rest["status"] == Status.OK).all()
    # Not moved by rounding either, though they have no rate: GFR and oestrogen are laws by themselves.
    assert (rest["GFR"] == rest["GFR"][0]).all()
    assert (rest["oestrogen"] == 1.0).all()


def test_a_running_total_that_nothing_reads_is_the_one_that_is_named() -> None:
    with pytest.raises(SimulationError, match=r"no_rest \(Ca_urine still moves: .*, and no rate reads it: hold it\); "):
        steady_state(MODEL)
