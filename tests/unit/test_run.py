"""Running a scenario: arms, rest, the ledger, and the sign of what the two macrophages do."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from questions import OVX, bolus, question
from signals import source

from bonesim.catalog import load_catalog
from bonesim.errors import InternalError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import State
from bonesim.resources import data_root
from bonesim.run import run
from bonesim.scenario.load import known_names
from bonesim.scenario.problem import Problem
from bonesim.scenario.resolve import resolve
from bonesim.scenario.schema import Scenario
from bonesim.solve.status import Status

SCENARIOS = data_root() / "scenarios"
FIRST_DOSE = 28.0
AGREEMENT = 1e-4
"""Between arms that differ in step sizes alone: rtol 1e-6 over a hundred steps."""


@pytest.fixture(scope="module", params=["numpy", "llvm"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def m2(backend: str) -> xr.Dataset:
    return run(SCENARIOS / "ovx_m2.yaml", backend=backend)


@pytest.fixture(scope="module")
def m1(backend: str) -> xr.Dataset:
    return run(SCENARIOS / "ovx_m1.yaml", backend=backend)


def run_changed(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, change: Callable[[Problem], Problem]
) -> xr.Dataset:
    """Run a scenario whose problem was tampered with."""
    monkeypatch.setattr("bonesim.scenario.arms.resolve", lambda *asked: change(resolve(*asked)))
    return run(scenario, backend="numpy")


def against_vehicle(result: xr.Dataset, name: str = "bone_volume_fraction") -> np.ndarray:
    return (result[name].sel(arm="dosed") - result[name].sel(arm="vehicle")).values


def test_a_result_has_a_dosed_and_a_vehicle_arm_over_time(m2: xr.Dataset) -> None:
    assert list(m2["arm"].values) == ["dosed", "vehicle"]
    assert m2["bone_volume_fraction"].dims == ("arm", "time")
    assert (m2["time"].values == np.arange(169.0)).all()
    assert (m2["status"].values == 0).all()
    assert set(m2["status"].dims) == {"arm"}


def test_both_arms_are_one_until_the_first_dose(m2: xr.Dataset) -> None:
    before = m2["time"].values < FIRST_DOSE
    assert (against_vehicle(m2)[before] == 0.0).all()


def test_m2_vesicles_keep_more_bone_than_the_vehicle_from_some_days_on(m2: xr.Dataset) -> None:
    after = m2["time"].values >= FIRST_DOSE + 7
    assert (against_vehicle(m2)[after] > 0).all()
    assert against_vehicle(m2).max() > 0.001


def test_m1_vesicles_lose_more_bone_than_the_vehicle_from_some_days_on(m1: xr.Dataset) -> None:
    after = m1["time"].values >= FIRST_DOSE + 7
    assert (against_vehicle(m1)[after] < 0).all()
    assert against_vehicle(m1).min() < -0.003


@pytest.mark.parametrize(("source_id", "sign"), [("macrophage_m2", 1), ("macrophage_m1", -1)])
@pytest.mark.parametrize(("core", "context"), [("lemaire2004", OVX), ("pivonka2008", "[]")])
def test_the_sign_of_the_effect_rests_neither_on_the_core_nor_on_the_disease(
    core: str, context: str, source_id: str, sign: int
) -> None:
    given = bolus(source_id, route="local", start="7 day", every="1 week", count="2")
    scenario = question(given, model__core=core, context=context, duration="5 week", record__every="1 day")
    result = run(scenario, backend="numpy")
    after = result["time"].values >= 14
    assert (sign * against_vehicle(result)[after] > 0).all()


def test_vehicle_arms_do_not_depend_on_what_the_other_arm_gets(m1: xr.Dataset, m2: xr.Dataset) -> None:
    one, two = (result["bone_volume_fraction"].sel(arm="vehicle").values for result in (m1, m2))
    assert one == pytest.approx(two, rel=AGREEMENT)


def test_the_vehicle_holds_no_vesicles_at_any_time(m2: xr.Dataset) -> None:
    exposure = [name for name in m2.data_vars if m2[name].attrs.get("role") == "exposure" and "time" in m2[name].dims]
    assert len(exposure) == 9
    assert all((m2[name].sel(arm="vehicle") == 0).all() for name in exposure)


def test_the_ledger_is_written_for_both_arms(m2: xr.Dataset) -> None:
    dosed, vehicle = json.loads(m2.attrs["ledger"])
    assert (dosed["arm"], dosed["unit"], dosed["scheduled"]) == ("dosed", "ug", 800.0)
    assert dosed["delivered"] == pytest.approx(800.0, rel=1e-9)
    assert (vehicle["arm"], vehicle["scheduled"], vehicle["delivered"]) == ("vehicle", 0.0, 0.0)


@pytest.mark.parametrize(("count", "delivered"), [(7, "700"), (9, "900")])
def test_a_dose_that_is_lost_or_given_twice_stops_the_run(
    count: int, delivered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tampered(problem: Problem) -> Problem:
        events = tuple(replace(one, count=count) if one.count > 1 else one for one in problem.model.events)
        return replace(problem, model=problem.model.with_(events=events))

    scenario = question(bolus(every="12 h", count="8"), duration="5 day")
    with pytest.raises(InternalError) as caught:
        run_changed(scenario, monkeypatch, tampered)
    message = str(caught.value)
    assert message.startswith("dose ledger of macrophage_m2_intravenous, arm dosed: 800 ug scheduled, ")
    assert float(message.split()[-2]) == pytest.approx(float(delivered), rel=1e-9)


def test_a_loss_of_one_particle_in_a_hundred_million_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def tampered(problem: Problem) -> Problem:
        values = {name: (dosed * (1 - 1e-8), vehicle) for name, (dosed, vehicle) in problem.arm_values.items()}
        return replace(problem, arm_values=values)

    with pytest.raises(InternalError, match="dose ledger of macrophage_m2_intravenous, arm dosed: 100 ug scheduled"):
        run_changed(question(bolus()), monkeypatch, tampered)


def test_a_model_that_does_not_start_at_rest_stops_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def tampered(problem: Problem) -> Problem:
        states = tuple(
            replace(state, initial=Num(0.3)) if state.id == "bone__bone_volume_fraction" else state
            for state in problem.model.states
        )
        return replace(problem, model=problem.model.with_(states=states))

    with pytest.raises(InternalError) as caught:
        run_changed(question(), monkeypatch, tampered)
    assert str(caught.value) == "the healthy model does not start at rest: bone__bone_volume_fraction moves"


def counting(problem: Problem, *more: State) -> Problem:
    """The problem with a state that only adds up, and more of them."""
    formed = State("formed", Num(1.0), Num(1e-3), "dimensionless")
    return replace(problem, model=problem.model.with_(states=(*problem.model.states, formed, *more)))


def test_a_state_that_only_adds_up_what_flows_may_move(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (run_changed(question(), monkeypatch, counting)["status"] == Status.OK).all()


def test_it_may_not_move_where_something_follows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    follower = State("follower", Num(1.0), Call("sub", (Sym("formed"), Sym("follower"))), "dimensionless")
    with pytest.raises(InternalError, match="the healthy model does not start at rest: formed moves"):
        run_changed(question(), monkeypatch, lambda problem: counting(problem, follower))


@pytest.mark.parametrize("core", ["pivonka2008", "lemaire2004", "joerg2022"])
def test_health_without_doses_stays_as_it_is_for_years(core: str) -> None:
    asked = {"duration": "10 year", "record__every": "1 month", "outputs": "[bone_volume_fraction, OBa, OCa]"}
    result = run(question(model__core=core, **asked), backend="numpy")
    for name in ("bone_volume_fraction", "OBa", "OCa", "OBp"):
        values = result[name].values
        assert np.abs(values / values[:, :1] - 1).max() < 1e-9


def test_without_doses_both_arms_are_the_same_numbers() -> None:
    result = run(question(context=OVX), backend="numpy")
    assert result.sizes["arm"] == 2
    assert (against_vehicle(result) == 0.0).all()
    assert result["bone_volume_fraction"].values[0, -1] < result["bone_volume_fraction"].values[0, 0]
    assert json.loads(result.attrs["ledger"]) == []


def test_a_source_without_stated_effects_is_given_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = load_catalog()
    catalog = replace(shipped, sources={**shipped.sources, "silent": source(id_="silent")})
    known = replace(known_names(), sources=tuple(catalog.sources))
    monkeypatch.setattr("bonesim.scenario.arms.load_catalog", lambda: catalog)
    result = run(question(bolus("silent"), context=OVX, known=known), backend="numpy")
    dosed, vehicle = result["bone_volume_fraction"].values
    assert dosed == pytest.approx(vehicle, rel=AGREEMENT)
    assert json.loads(result.attrs["ledger"])[0]["delivered"] == pytest.approx(100.0, rel=1e-9)


def test_a_dose_of_nothing_is_the_vehicle() -> None:
    result = run(question(bolus(amount="0 ug"), context=OVX), backend="numpy")
    assert (against_vehicle(result) == 0.0).all()
    assert json.loads(result.attrs["ledger"])[0]["delivered"] == 0.0


def test_doses_at_the_very_start_and_on_the_last_day_are_given() -> None:
    result = run(question(bolus(start="0 day", every="4 day", count="2")), backend="numpy")
    assert json.loads(result.attrs["ledger"])[0]["delivered"] == pytest.approx(200.0, rel=1e-9)


def test_provenance_carries_the_class_of_every_number_and_what_was_left_out(m2: xr.Dataset) -> None:
    provenance = json.loads(m2.attrs["provenance"])
    assert provenance["numbers"]["V50"]["basis"] == "assumed"
    assert provenance["edges_left_out"]["m2_loc103691165_osteogenesis"] == "acts in context fracture only"


def test_a_user_may_ask_for_processes_and_levels() -> None:
    asked = "[BMSC.osteogenic_differentiation, oestrogen.level, bone_volume_fraction]"
    result = run(question(bolus(), context=OVX, outputs=asked), backend="numpy")
    process = result["BMSC.osteogenic_differentiation"]
    assert (process.sel(arm="vehicle") == 1.0).all()
    assert float(process.sel(arm="dosed")[-1]) > 1.0
    assert float(result["oestrogen.level"].sel(arm="dosed")[0]) == 1.0
    # 0.355 + 0.645/2^4 after four half-times of a day, at the default rtol of 1e-6
    assert float(result["oestrogen.level"].sel(arm="vehicle")[-1]) == pytest.approx(0.355 + 0.645 / 16, rel=1e-5)


def test_a_tighter_tolerance_changes_little() -> None:
    loose = run(question(bolus(), context=OVX, solver__rtol="1e-4"), backend="numpy")["bone_volume_fraction"].values
    tight = run(question(bolus(), context=OVX, solver__rtol="1e-8"), backend="numpy")["bone_volume_fraction"].values
    assert loose == pytest.approx(tight, rel=1e-3)


def test_an_arm_that_fails_is_nan_with_its_cause_and_the_ledger_leaves_it_out(backend: str) -> None:
    result = run(question(bolus(), context=OVX, solver__max_steps="40"), backend=backend)
    assert int(result["status"].sel(arm="dosed")) != 0
    assert np.isnan(result["bone_volume_fraction"].sel(arm="dosed").values[-1])
    assert "stopped at t = " in str(result["cause"].sel(arm="dosed").item())
    assert int(result["status"].sel(arm="vehicle")) == 0
    assert [line["arm"] for line in json.loads(result.attrs["ledger"])] == ["vehicle"]
