"""Scenarios and cores side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bonesim.cli.main import main
from bonesim.compare import compare, rows, verdicts
from bonesim.errors import InputError
from bonesim.resources import data_root
from bonesim.run import run

M1, M2 = (data_root() / "scenarios" / f"ovx_{name}.yaml" for name in ("m1", "m2"))


def test_one_question_to_two_cores() -> None:
    found = rows(compare([M2], ["pivonka2008", "lemaire2004"]))
    assert {row["core"] for row in found} == {"pivonka2008", "lemaire2004"}
    mine = next(
        row
        for row in found
        if (row["core"], row["arm"], row["output"]) == ("lemaire2004", "dosed", "bone_volume_fraction")
    )
    alone = run(M2.parent / "ovx_m2.yaml")["bone_volume_fraction"]
    assert mine["baseline"] == pytest.approx(float(alone[0, 0]), rel=1e-9)
    assert mine["final"] != pytest.approx(float(alone.sel(arm="dosed")[-1]), rel=1e-3)


def test_an_unknown_core_is_told_at_its_flag() -> None:
    with pytest.raises(InputError) as caught:
        compare([M2], ["pivonka2008", "lemaire204"])
    assert str(caught.value) == "--cores: unknown core 'lemaire204'\n  try: did you mean 'lemaire2004'?"


def test_two_questions_to_one_core() -> None:
    found = rows(compare([M1, M2]))
    assert [row["scenario"] for row in found if row["output"] == "OBa"] == ["ovx_m1"] * 2 + ["ovx_m2"] * 2
    ends = {row["scenario"]: row for row in found if row["output"] == "bone_volume_fraction" and row["arm"] == "dosed"}
    assert ends["ovx_m1"]["against_vehicle_percent"] < 0 < ends["ovx_m2"]["against_vehicle_percent"]


def test_the_arms_of_one_scenario() -> None:
    found = rows(compare([M2.parent / "ovx_endothelial_bmsc.yaml"]))
    arms = [row["arm"] for row in found if row["output"] == "CTX"]
    assert arms == ["dosed", "vehicle", "bmsc", "without_homing"]
    sizes = {row["arm"]: row["largest_against_vehicle_percent"] for row in found if row["output"] == "CTX"}
    assert sizes["dosed"] < sizes["without_homing"] < 0 < sizes["bmsc"]


def row(output: str, size: float | None, arm: str = "dosed") -> dict[str, Any]:
    return {"output": output, "arm": arm, "status": "ok", "largest_against_vehicle_percent": size}


def test_a_verdict_looks_at_every_dosed_arm() -> None:
    found = [row("a", 2.0), row("a", 1.0), row("b", 2.0), row("b", -1.0), row("c", None), row("a", None, "vehicle")]
    assert verdicts(found) == {"a": "all the same way", "b": "not all the same way", "c": "none moves"}


def test_a_difference_within_the_solvers_error_is_none() -> None:
    assert verdicts([row("a", 2.0), row("a", -3.8e-5)]) == {"a": "all the same way"}


def test_an_arm_that_stopped_is_told_and_has_no_part_in_the_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.yaml"
    short.write_text(M2.read_text() + "solver: {max_steps: 3}\n")
    assert main(["compare", str(M1), str(short), "--json"]) == 3
    printed = capsys.readouterr()
    assert printed.err.splitlines()[-2:] == [
        "short, pivonka2008, arm dosed: too_many_steps",
        "short, pivonka2008, arm vehicle: too_many_steps",
    ]
    assert json.loads(printed.out)["agreement"]["bone_volume_fraction"] == "all the same way"


@pytest.mark.parametrize(
    ("cores", "message"),
    [
        ([], "compare: one scenario without further arms is nothing to compare"),
        (["lemaire2004", "lemaire2004"], "--cores: 'lemaire2004' is named twice"),
        (["lemaire2005"], "unknown core 'lemaire2005'"),
        (
            ["graham2013"],
            "'graham2013' is no core for scenarios: it has no out-ports bone_forming_cells, bone_resorbing",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(cores: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        compare([M2], cores)


def test_the_command_prints_and_draws(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(M1), str(M2), "--json", "-o", str(tmp_path)]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == json.loads((tmp_path / "compare.json").read_text())
    assert printed["agreement"]["bone_volume_fraction"] == "not all the same way"
    assert (tmp_path / "compare.png").stat().st_size > 10_000
