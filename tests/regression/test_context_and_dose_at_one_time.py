"""`0.3 h` was 0.0125 day for a dose and 0.012499999999999999 day for a context: two stops an ulp apart."""

from __future__ import annotations

import pytest
from questions import bolus, question

from bonesim.model.ode import Parameter
from bonesim.scenario.resolve import resolve


@pytest.mark.parametrize("time", ["0.3 h", "0.7 h", "26.2 h", "1 day"])
def test_times_written_alike_are_the_same_time(time: str) -> None:
    model = resolve(question(bolus(start=time), context=f"[{{id: ovx_osteoporosis, start: {time}}}]")).model
    dose, context = (
        model.by_id[name] for name in ("macrophage_m2_intravenous__dose0_start", "ovx_osteoporosis__start")
    )
    assert isinstance(dose, Parameter)
    assert isinstance(context, Parameter)
    assert dose.value == context.value
