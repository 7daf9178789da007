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
from bonesim.results.arms import vehicle_of
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


FRACTURE = data_root() / "scenarios" / "fracture_m2_hydrogel.yaml"
SIGNALS = {
    "model.modules": "[rankl_opg, wnt_sclerostin, angiogenesis, macrophage]",
    "doses[0].source": "osteoblast_rankl",
}


@pytest.mark.parametrize(
    ("file", "changes", "output", "moving"),
    [
        (FRACTURE, {}, "new_bone", {"angiogenesis", "macrophage", "callus_healing"}),
        (M2, SIGNALS, "bone_volume_fraction", {"rankl_opg", "angiogenesis"}),
    ],
)
def test_a_module_is_out_as_in_an_arm_without_it(
    file: Path, changes: dict[str, str], output: str, moving: set[str]
) -> None:
    """What gives way to it acts again: vessels in a callus, the edges of a ligand."""
    found = {
        row["module"]: np.array(row["knock_out"]) for row in explain(load_scenario(file, changes), output)["modules"]
    }
    arms = {"arms": ", ".join(f"{module}: {{without: [{module}]}}" for module in found).join("{}")}
    result = run(load_scenario(file, changes | arms))
    against = vehicle_of(result, output)
    assert against is not None
    effects = result[output] - against
    for module, gone in found.items():
        lost = (effects.sel(arm="dosed") - effects.sel(arm=module)).values
        assert gone == pytest.approx(lost, abs=1e-7 * float(result[output].max()))
        assert (max(abs(lost)) > 0.05 * float(abs(effects.sel(arm="dosed")).max())) == (module in moving)


def test_modules_and_what_acts_without_any_add_up_to_the_effect() -> None:
    found = explain(FRACTURE, "new_bone")
    total = np.sum([row["shapley"] for row in found["modules"]], axis=0) + np.array(found["direct"])
    assert total == pytest.approx(np.array(found["effect"]), abs=1e-9)


ARMS = {
    "arms": """{
        half: {'doses[0].amount': 50 ug},
        other: {'doses[0].source': macrophage_m1, model.core: lemaire2004},
        ko: {without: [miR-690, angiogenesis]},
        healthy: {without: [oestrogen_osteoclast_apoptosis]},
        shells: {vesicles: empty}}""",
    "model.modules": "[angiogenesis, macrophage]",
    "duration": "12 week",
}


@pytest.mark.parametrize("arm", ["dosed", "half", "other", "ko", "healthy"])
def test_the_effect_of_an_arm_is_that_against_its_own_vehicle(arm: str) -> None:
    scenario = load_scenario(M2, ARMS)
    found, result = explain(scenario, "OBa", arm=arm), run(scenario)
    against = vehicle_of(result, "OBa")
    assert against is not None
    effect = (result["OBa"] - against).sel(arm=arm).values
    assert found["arm"] == arm
    assert found["effect"] == pytest.approx(effect, abs=1e-7 * float(result["OBa"].max()))
    assert np.sum([row["shapley"] for row in found["edges"]], axis=0) == pytest.approx(
        effect, abs=1e-3 * max(abs(effect))
    )


def test_what_an_arm_is_without_has_no_part_in_its_effect() -> None:
    found = explain(load_scenario(M2, ARMS), "OBa", arm="ko")
    assert "miR-690" not in {row["cargo"] for row in found["cargo"]}
    assert not any("mir690" in row["edge"] for row in found["edges"])
    assert {row["module"] for row in found["modules"]} == {"macrophage"}
    other = explain(load_scenario(M2, ARMS), "OBa", arm="other")
    assert {row["source"] for row in other["edges"]} == {"macrophage_m1"}


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ("hlaf", "arm: there is no arm 'hlaf'\n  try: did you mean 'half'?"),
        ("vehicle", "arm: 'vehicle' is what the others are held against: .*\n  try: one of dosed, half, other, ko, "),
        ("shells", "--set arms.shells: nothing is given here that acts\n  try: a dose of a source "),
    ],
)
def test_an_arm_that_cannot_be_explained_is_told(arm: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain(load_scenario(M2, ARMS), arm=arm)


def test_an_output_that_goes_with_a_module_is_told() -> None:
    changes = {"model.modules": "[macrophage]", "outputs": "[OBa, BMSC.IL10]"}
    with pytest.raises(InputError, match=r"outputs\[1\]: without macrophage, which is taken out to explain"):
        explain(load_scenario(M2, changes))


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
