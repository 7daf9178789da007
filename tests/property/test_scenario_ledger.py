"""Whatever the regimen, what is delivered is what was scheduled."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import bolus, question

from bonesim.run import run

DAYS = 6
TENTHS = st.integers(0, 10 * DAYS)


@st.composite
def doses(draw: st.DrawFn) -> tuple[str, float]:
    """One entry under `doses` that ends within the run, with what it gives in micrograms."""
    start = draw(TENTHS)
    left = 10 * DAYS - start
    over = draw(st.none() | st.integers(1, left)) if left else None
    room = left - (over or 0)
    every = draw(st.integers(1, room)) if room else 0
    count = draw(st.integers(1, min(5, 1 + room // every))) if every else 1
    ug = draw(st.sampled_from(["0.003", "10", "100", "750.5", "0"]))
    keys = {"start": f"{start / 10!r} day", "amount": f"{ug} ug"}
    if draw(st.booleans()):
        keys["amount"] = f"{float(ug) / 0.25!r} ug/kg"
    if over:
        keys["over"] = f"{over / 10!r} day"
    if count > 1:
        keys |= {"every": f"{every / 10!r} day", "count": str(count)}
    keys["source"] = draw(st.sampled_from(["macrophage_m1", "macrophage_m2"]))
    keys["route"] = draw(st.sampled_from(["intravenous", "local", "intra_articular", "subcutaneous"]))
    if keys["route"] != "intravenous" and not over and draw(st.booleans()):
        keys["carrier"] = draw(st.sampled_from(["beta_tcp", "cha_sf_gcs_dfpeg", "creka"]))
    return bolus(**keys), count * float(ug)


@settings(max_examples=15)
@given(
    regimen=st.lists(doses(), min_size=1, max_size=3),
    every=st.sampled_from(["0.1 day", "0.7 day", "1 day", "6 day"]),
    rtol=st.sampled_from(["1e-3", "1e-6", "1e-9"]),
    context=st.sampled_from(["[]", "[{id: ovx_osteoporosis, start: 1.3 day}]"]),
)
def test_delivered_is_scheduled(regimen: list[tuple[str, float]], every: str, rtol: str, context: str) -> None:
    scenario = question(
        *(text for text, _ in regimen), duration=f"{DAYS} day", record__every=every, solver__rtol=rtol, context=context
    )
    result = run(scenario, backend="numpy")
    assert (result["status"] == 0).all()
    lines = [line for line in json.loads(result.attrs["ledger"]) if line["arm"] == "dosed"]
    ug = {"ug": 1.0, "ug/kg": 0.25}
    given_ = sum(line["scheduled"] * ug[line["unit"]] for line in lines)
    assert given_ == pytest.approx(sum(amount for _, amount in regimen), rel=1e-12)
    for line in lines:
        assert line["delivered"] == pytest.approx(line["scheduled"], rel=1e-9)
        assert line["released"] + line["retained"] == pytest.approx(line["delivered"], rel=1e-12)
