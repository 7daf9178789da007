"""Scenarios and cores side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bonesim.cli.main import main
from bonesim.compare import compare, rows, verdicts
from bonesim.errors import InputError
from bonesim.plot import plot_comparison
from bonesim.plot.comparison import THIN
from bonesim.resources import data_root
from bonesim.run import run
from bonesim.scenario.load import load_scenario

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


DRAWN = {"uncertainty.members": "12", "duration": "12 week", "outputs": "[bone_volume_fraction, OBa]"}


def test_draws_have_bands_beside_the_stated_values() -> None:
    entries = compare([M2], ["pivonka2008", "lemaire2004"], DRAWN)
    found = [row for row in rows(entries) if row["arm"] == "dosed"]
    assert [(row["core"], row["output"]) for row in found] == [
        (core, output) for core in ("pivonka2008", "lemaire2004") for output in ("bone_volume_fraction", "OBa")
    ]
    drawn = run(load_scenario(M2, DRAWN))
    members = {arm: drawn["OBa"].sel(arm=arm).values[:, -1] for arm in ("dosed", "vehicle")}
    more = 100.0 * (members["dosed"] / members["vehicle"] - 1.0)
    assert list(found[1]["against_vehicle_percent_quantiles"].values()) == pytest.approx(
        np.quantile(more, [0.05, 0.5, 0.95]), rel=1e-9
    )
    assert {row["members"] for row in found} == {12}
    assert all(row["largest_sign_agreement"] > 0.5 for row in found)
    plain = rows(compare([M2, M1], set_={"duration": "12 week"}))
    assert not any("members" in row or "quantiles" in row for row in plain)


def test_the_figure_has_a_band_and_a_median_for_each_line() -> None:
    entries = compare([M1, M2], set_=DRAWN)
    panel = plot_comparison(entries).axes[0]
    lines = {str(line.get_label()): line for line in panel.get_lines()}
    assert {"ovx_m1", "ovx_m2"} <= lines.keys()
    assert len(panel.collections) == 2
    thin = [line for line in panel.get_lines() if line.get_linewidth() == THIN]
    drawn = entries[0].result["bone_volume_fraction"]
    more = 100.0 * (drawn.sel(arm="dosed") / drawn.sel(arm="vehicle") - 1.0)
    assert thin[0].get_ydata() == pytest.approx(np.median(more.values, axis=0), rel=1e-9)
    assert "thin: median of the draws" in [text.get_text() for text in panel.figure.legends[0].get_texts()]


def test_a_core_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    flags = ["--cores", "pivonka2008,lemaire2004", "--set", "model.core=lemaire2004"]
    assert main(["compare", str(M2), *flags]) == 2
    assert capsys.readouterr().err == "--set model.core: set twice, by --cores too\n  try: leave one out\n"


def test_cores_named_one_by_one_all_count(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(M2), "--cores", "lemaire2005", "--cores", "pivonka2008"]) == 2
    assert capsys.readouterr().err.startswith("--cores: unknown core 'lemaire2005'")


def test_the_command_prints_bands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    settings = [part for key, value in DRAWN.items() for part in ("--set", f"{key}={value}")]
    assert main(["compare", str(M1), str(M2), *settings]) == 0
    printed = capsys.readouterr().out
    assert printed.count("12 draws: 5 / 50 / 95 % of them") == 2
    assert len([line for line in printed.splitlines() if line.startswith("ovx_m2  ") and "/" in line]) == 2


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
