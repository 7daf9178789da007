"""Sweeps from scenario to store: every member is what `bonesim run` gives for it, and nothing is lost on the way."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from questions import REGIMENS, bolus, swept

import bonesim
from bonesim.errors import InputError, InternalError
from bonesim.run import solve
from bonesim.scenario.arms import Comparison
from bonesim.scenario.schema import Scenario
from bonesim.scenario.variants import Variants
from bonesim.solve.status import Status
from bonesim.sweep.chunk import SUMMARIES, Solver, summarised
from bonesim.sweep.manifest import MANIFEST
from bonesim.sweep.plan import Plan, plan
from bonesim.sweep.report import study_summary
from bonesim.sweep.store import StudyStore
from bonesim.sweep.study import run_plan

AGREEMENT = 1e-9
"""Of a member with the run of its scenario: the same steps, but for the last digit of an amount."""

AMOUNTS = {"doses[0].amount": "{low: 1 ug, high: 500 ug, scale: log}"}
HILL = {"hill": "[1, -0.5]"}
"""Below 1 the saturation has no slope at 0, where every run begins, and the solver cannot leave it."""


def small(vary: dict[str, str] = AMOUNTS, *, kind: str = "latin_hypercube", members: int = 7) -> Scenario:
    return swept((bolus(),), vary, kind=kind, members=members)


def in_chunks(scenario: Scenario, size: int) -> Plan:
    return replace(plan(scenario), chunk=size)


def manifest(store: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((store / MANIFEST).read_text())
    return found


@pytest.mark.parametrize("name", REGIMENS)
def test_a_member_is_the_run_of_its_scenario(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A run has no parameters by name, so it never meets a healthy state that one of them moves.
    monkeypatch.setattr(sys.modules["bonesim.run"], "check_rest", lambda kernels, batch, problem: None)
    scenario = swept(*REGIMENS[name], members=4)
    variants = Variants(scenario)
    study = bonesim.sweep(scenario, out=tmp_path / "s.zarr", dtype="float64")
    for member, row in enumerate(plan(scenario).matrix):
        alone = solve(Comparison.of(variants.problem(row)))
        summary = bonesim.summary(alone)["outputs"]
        for output in scenario.outputs:
            assert study[output].values[member] == pytest.approx(alone[output].values, rel=AGREEMENT)
            told = summary[output]["arms"]["dosed"]
            for kind in SUMMARIES:
                one = float(study[f"{output}_{kind}"].sel(arm="dosed").values[member])
                same = pytest.approx(told[kind], rel=1e-6, abs=1e-6)  # differences of numbers that agree to 1e-9
                assert one == same or (told[kind] is None and np.isnan(one))


def test_scenarios_without_doses_can_be_swept(tmp_path: Path) -> None:
    study = bonesim.sweep(swept((), {"context[0].start": "[0 day, 1 day]"}, kind="grid"), out=tmp_path / "s.zarr")
    assert (study["OBa"].sel(arm="dosed").values == study["OBa"].sel(arm="vehicle").values).all()
    assert study["OBa"].values[0, 0, -1] != study["OBa"].values[1, 0, -1]


def test_what_agrees_in_every_number_is_solved_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = sys.modules["bonesim.sweep.chunk"]
    solved, integrate = [], chunk.integrate

    def counting(kernels, batch, *rest, **more):  # type: ignore[no-untyped-def]
        solved.append(batch.members)
        return integrate(kernels, batch, *rest, **more)

    monkeypatch.setattr(chunk, "integrate", counting)
    bonesim.sweep(small(members=9), out=tmp_path / "s.zarr")
    bonesim.sweep(small({"doses[0].start": "{low: 1 h, high: 2 day}"}, members=9), out=tmp_path / "t.zarr")
    assert solved == [9 + 1, 2 * 9]


def test_a_member_does_not_depend_on_its_chunk(tmp_path: Path) -> None:
    scenario = small({**AMOUNTS, "doses[0].count": "[1, 2]", "doses[0].every": "[6 h, 1 day]"}, members=10)
    run_plan(plan(scenario), tmp_path / "one.zarr", dtype="float64")
    run_plan(in_chunks(scenario, 3), tmp_path / "many.zarr", dtype="float64")
    one, many = (bonesim.read_study(tmp_path / name).load() for name in ("one.zarr", "many.zarr"))
    assert [part["stop"] for part in manifest(tmp_path / "many.zarr")["chunks"]] == [3, 6, 9, 10]  # type: ignore[attr-defined, index]
    xr.testing.assert_equal(one, many)


def test_a_store_says_all_to_xarray_alone(tmp_path: Path) -> None:
    scenario = small()
    bonesim.sweep(scenario, out=tmp_path / "s.zarr")
    study = xr.open_zarr(tmp_path / "s.zarr", chunks=None)
    assert dict(study.sizes) == {"member": 7, "arm": 2, "time": 9}
    assert study["OBa"].dtype == np.float32
    assert study["OBa"].attrs["units"] == "pM"
    assert study["doses[0].amount"].attrs == {"units": "ug", "long_name": "amount", "role": "varied", "scale": "log"}
    assert (study["doses[0].amount"].values == plan(scenario).matrix[:, 0]).all()
    assert study.attrs["state"] == "complete"
    assert (study.attrs["seed"], study.attrs["rtol"], study.attrs["title"]) == (3, 1e-6, scenario.title)
    assert json.loads(study.attrs["scenario"])["sweep"]["members"] == 7
    assert {"numpy", "zarr", "bonesim"} <= set(json.loads(study.attrs["versions"]))
    assert (study["status"].values == Status.OK).all()
    assert study["status"].attrs["flag_meanings"].split()[:2] == ["not_run", "ok"]


def test_a_grid_unstacks_to_its_axes(tmp_path: Path) -> None:
    vary = {"doses[0].amount": "[1 ug, 30 ug, 500 ug]", "doses[0].start": "[0 day, 1 day]"}
    study = bonesim.sweep(small(vary, kind="grid"), out=tmp_path / "s.zarr")
    grid = study[["OBa_final"]].set_index(member=list(vary)).unstack("member")
    assert grid["OBa_final"].sel({"doses[0].amount": 30.0, "doses[0].start": 1.0}).values == pytest.approx(
        study["OBa_final"].values[3]
    )


def test_a_failed_member_is_told_and_stops_no_other(tmp_path: Path) -> None:
    study = bonesim.sweep(small(HILL, kind="grid"), out=tmp_path / "s.zarr")
    assert (study["status"].values[0] == Status.OK).all()
    assert (study["status"].values[1] != Status.OK).all()
    assert np.isfinite(study["OBa"].values[0]).all()
    assert np.isnan(study["OBa"].values[1, :, -1]).all()
    assert np.isnan(study["OBa_largest_against_vehicle_percent"].values[1]).all()
    found = study_summary(study)
    (failed,) = found["failed"]
    assert (failed["member"], failed["values"], failed["arm"]) == (1, {"hill": "-0.5"}, "dosed")
    assert failed["cause"].startswith("stopped at t = ")
    assert found["status"] == {"ok": 1, "not_finite_at_start": 1}
    assert found["extremes"]["against_vehicle_percent"]["lowest"]["member"] == 0
    (chunk,) = manifest(tmp_path / "s.zarr")["chunks"]  # type: ignore[misc]
    assert chunk["failed"] == 1  # type: ignore[index]


def test_a_store_keeps_that_a_stated_range_was_left(tmp_path: Path) -> None:
    study = bonesim.sweep(small(HILL, kind="grid"), out=tmp_path / "s.zarr")
    (said,) = json.loads(study.attrs["design"])["notices"]
    assert said.startswith("hill takes -0.5 to 1, beyond the range stated for it, 1 to 2 (assumed: ")
    assert manifest(tmp_path / "s.zarr")["design"] == json.loads(study.attrs["design"])
    within = bonesim.sweep(small(members=2), out=tmp_path / "t.zarr")
    assert json.loads(within.attrs["design"])["notices"] == []


def test_a_parameter_of_the_core_may_move_the_healthy_state(tmp_path: Path) -> None:
    study = bonesim.sweep(small({"A_OBa": "[0.1 1/day, 0.189 1/day]"}, kind="grid"), out=tmp_path / "s.zarr")
    assert (study["status"].values == Status.OK).all()
    (chunk,) = manifest(tmp_path / "s.zarr")["chunks"]  # type: ignore[misc]
    assert chunk["restless"] == 1  # type: ignore[index]


@pytest.fixture
def stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The store of a sweep that was stopped in its second chunk of three."""

    def interrupted(self: Solver, chunk: slice) -> object:
        if chunk.start:
            raise KeyboardInterrupt
        return solve_chunk(self, chunk)

    solve_chunk = Solver.__call__
    with monkeypatch.context() as patch:
        patch.setattr(Solver, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_plan(in_chunks(small(), 3), tmp_path / "s.zarr")
    return tmp_path / "s.zarr"


def test_a_stopped_sweep_says_that_it_is_incomplete(stopped: Path) -> None:
    study = bonesim.read_study(stopped)
    assert study.attrs["state"] == manifest(stopped)["state"] == "incomplete"
    assert study["status"].values[:, 0].tolist() == [0, 0, 0, -1, -1, -1, -1]
    assert np.isnan(study["OBa"].values[3:]).all()
    assert study_summary(study)["status"] == {"not_run": 4, "ok": 3}
    assert study_summary(study)["failed"] == []


def test_a_stopped_sweep_goes_on_where_it_was(stopped: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run_plan(in_chunks(small(), 3), stopped, resume=True, progress=lambda *done: told.append(done))
    assert told == [(3, 7), (6, 7), (7, 7)]
    whole = bonesim.sweep(small(), out=tmp_path / "new.zarr", resume=True)
    again = bonesim.read_study(stopped)
    assert again.attrs["state"] == whole.attrs["state"] == "complete"
    xr.testing.assert_equal(again.load(), whole.load())


def test_only_the_same_sweep_goes_on(stopped: Path) -> None:
    with pytest.raises(InputError, match="belongs to another sweep: not the same scenario and design"):
        bonesim.sweep(small(members=8), out=stopped, resume=True)


def test_a_store_of_which_not_all_arrays_were_made_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(StudyStore, "_member_array", lambda *arguments: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            bonesim.sweep(small(members=3), out=tmp_path / "s.zarr")
    assert manifest(tmp_path / "s.zarr")["state"] == "incomplete"
    again = bonesim.sweep(small(members=3), out=tmp_path / "s.zarr", resume=True)
    other = bonesim.sweep(small(members=3), out=tmp_path / "t.zarr")
    xr.testing.assert_identical(again["OBa"].load(), other["OBa"].load())


def test_a_disk_that_fills_up_is_told_and_nothing_done_is_lost(stopped: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", lambda *paths: (_ for _ in ()).throw(full))
        with pytest.raises(InputError) as caught:
            run_plan(in_chunks(small(), 3), stopped, resume=True)
    assert str(caught.value) == (
        f"{stopped}: the store cannot be written: No space left on device\n"
        "  try: make room for it there; --resume then goes on with it"
    )
    assert bonesim.sweep(small(), out=stopped, resume=True).attrs["state"] == "complete"


def test_a_file_is_no_store_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / "s.zarr").write_text("mine")
    with pytest.raises(InputError, match="there is something else here, which is not overwritten"):
        bonesim.sweep(small(), out=tmp_path / "s.zarr", resume=True)


@pytest.mark.parametrize("resume", [False, True])
def test_what_lies_there_is_never_overwritten(resume: bool, tmp_path: Path) -> None:
    (tmp_path / "s.zarr").mkdir()
    (tmp_path / "s.zarr" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"there is no sweep here|there is something else here") as caught:
        bonesim.sweep(small(), out=tmp_path / "s.zarr", resume=resume)
    assert str(tmp_path / "s.zarr") in str(caught.value)
    assert [path.name for path in (tmp_path / "s.zarr").iterdir()] == ["mine.txt"]


def test_a_finished_sweep_is_not_begun_again(tmp_path: Path) -> None:
    bonesim.sweep(small(members=2), out=tmp_path / "s.zarr")
    with pytest.raises(InputError, match="there is a sweep already, 2 of 2 members done\n  try: --resume to go on"):
        bonesim.sweep(small(members=2), out=tmp_path / "s.zarr")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"executor": "dask"}, "executor: the executor 'dask' comes with a later version\n  try: local"),
        ({"executor": "slurm"}, "executor: unknown executor 'slurm'\n  try: local"),
        ({"dtype": "float16"}, "dtype: unknown dtype 'float16'\n  try: "),
    ],
)
def test_choices_that_there_are_not(choice: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        bonesim.sweep(small(), out=tmp_path / "s.zarr", **choice)  # type: ignore[arg-type]
    assert str(caught.value).startswith(said)


def test_a_name_can_not_stand_for_two_things(tmp_path: Path) -> None:
    scenario = small({"V50": "[1 particle/cell, 2 particle/cell]"}, kind="grid")
    scenario = scenario.model_copy(update={"outputs": ("OBa", "V50")})
    with pytest.raises(InputError, match="'V50' would stand for two things in the result"):
        bonesim.sweep(scenario, out=tmp_path / "s.zarr")
    assert not (tmp_path / "s.zarr").exists()


def test_a_lost_dose_is_never_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variations = Variants.variations

    def tampered(self: Variants, matrix: np.ndarray) -> object:
        return [
            replace(one, scheduled={group: 1.001 * amount for group, amount in one.scheduled.items()})
            for one in variations(self, matrix)
        ]

    monkeypatch.setattr(Variants, "variations", tampered)
    with pytest.raises(InternalError, match="dose ledger of macrophage_m2_intravenous, member 0: "):
        bonesim.sweep(small(), out=tmp_path / "s.zarr")
    assert manifest(tmp_path / "s.zarr")["state"] == "incomplete"


def test_summaries_by_hand() -> None:
    t = np.array([0.0, 1.0, 2.0])
    y = np.array([[1.0, 2.0], [5.0, 1.0], [3.0, np.nan]])
    vehicle = np.array([[1.0, 2.0], [4.0, 2.0], [2.0, 2.0]])
    found = summarised(t, y, vehicle)
    assert found["final"][0] == 3.0
    assert found["change_percent"][0] == 200.0
    assert found["against_vehicle_percent"][0] == 50.0
    assert (found["largest_against_vehicle_percent"][0], found["largest_against_vehicle_time"][0]) == (50.0, 2.0)
    assert all(np.isnan(found[kind][1]) for kind in SUMMARIES)
