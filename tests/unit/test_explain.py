"""Explanations of an effect: shares that add up, knock-outs, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.cli.main import main
from bonesim.errors import InputError
from bonesim.explain import explain
from bonesim.resources import data_root
from bonesim.run import run, solve
from bonesim.scenario.arms import Comparison
from bonesim.scenario.load import load_scenario
from bonesim.scenario.resolve import resolve

M2 = data_root() / "scenarios" / "ovx_m2.yaml"


@pytest.fixture(scope="module")
def m2() -> dict[str, Any]:
    return explain(M2)


def test_the_effect_is_that_of_the_run(m2: dict[str, Any]) -> None:
    course = run(M2)["bone_volume_fraction"]
    assert m2["effect"] == pytest.approx((course.sel(arm="dosed") - course.sel(arm="vehicle")).values, abs=1e-5)
    assert m2["largest_at"] == m2["time"][int(np.abs(m2["effect"]).argmax())]


@pytest.mark.parametrize("kind", ["cargo", "edges"])
def test_shapley_values_add_up_to_the_effect_at_every_time(m2: dict[str, Any], kind: str) -> None:
    total = np.sum([row["shapley"] for row in m2[kind]], axis=0)
    assert total == pytest.approx(np.array(m2["effect"]), abs=1e-6)
    assert sum(row["share"] for row in m2[kind]) == pytest.approx(1.0, abs=1e-3)


def test_the_largest_comes_first(m2: dict[str, Any]) -> None:
    shares = [abs(row["share"]) for row in m2["cargo"]]
    assert shares == sorted(shares, reverse=True)


def test_a_knock_out_is_what_an_arm_without_the_edge_lacks(m2: dict[str, Any]) -> None:
    row = m2["edges"][0]
    problem = resolve(load_scenario(M2))
    without = replace(problem, arm_values={**problem.arm_values, f"strength_{row['edge']}": (0.0, 0.0)})
    whole, rest = (
        solve(Comparison.of(one))["bone_volume_fraction"].sel(arm="dosed").values for one in (problem, without)
    )
    assert max(whole - rest) > 0.1 * max(m2["effect"])
    assert row["knock_out"] == pytest.approx(whole - rest, abs=1e-5)


def test_the_share_of_unknown_mechanisms_is_that_of_their_edges(m2: dict[str, Any]) -> None:
    unknown = [row["share"] for row in m2["edges"] if row["mechanism"] == "unknown"]
    assert len(unknown) == 2
    assert m2["unknown_mechanism_share"] == pytest.approx(sum(unknown), rel=1e-12)


def test_a_scenario_that_gives_nothing_cannot_be_explained() -> None:
    with pytest.raises(InputError, match=r"ovx_untreated.yaml:\d+: doses: nothing is given here that acts"):
        explain(data_root() / "scenarios" / "ovx_untreated.yaml")


def test_a_module_carries_what_it_drives_and_what_its_values_do() -> None:
    fracture = data_root() / "scenarios" / "fracture_m2_hydrogel.yaml"
    found = explain(fracture, "new_bone")
    row = next(one for one in found["modules"] if one["module"] == "angiogenesis")
    problem = resolve(load_scenario(fracture))
    off = dict.fromkeys(problem.switches["angiogenesis"], (0.0, 0.0))
    assert set(off) == {"angiogenesis__vessel_osteogenesis_drive_on", "angiogenesis__vessel_density_given_on"}
    without = replace(problem, arm_values={**problem.arm_values, **off})
    whole, rest = (solve(Comparison.of(one))["new_bone"] for one in (problem, without))
    effects = [(course.sel(arm="dosed") - course.sel(arm="vehicle")).values for course in (whole, rest)]
    assert max(abs(effects[0] - effects[1])) > 0.3 * max(abs(effects[0]))
    assert row["knock_out"] == pytest.approx(effects[0] - effects[1], abs=1e-5)


def test_an_output_that_is_0_in_the_vehicle_has_no_percent_there() -> None:
    found = explain(data_root() / "scenarios" / "defect_ucmsc_hydrogel.yaml", "new_bone")
    assert found["effect_percent"][0] is None
    assert found["effect_percent"][-1] == pytest.approx(100 * found["effect"][-1] / 0.2033, rel=1e-3)
    json.dumps(found, allow_nan=False)


def test_an_unknown_output_is_told_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"output: the model has no quantity 'OBq'\n  try: did you mean 'OB[ap]'"):
        explain(M2, "OBq")


def test_the_command_prints_and_keeps_the_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(M2), "--output", "OBa", "--json", "-o", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "explain.json").read_text())
    assert (printed["output"], printed["unit"]) == ("OBa", "pM")
    assert (tmp_path / "explain.png").stat().st_size > 10_000
