"""`bonesim simulate --steady`, `--equilibrate`, `--accuracy`, and `bonesim run --accuracy`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from bonesim.cli.main import main

TURNOVER = """model turnover()
  unit day = 86400 second;
  unit time_unit = day;
  k = 0.5; a = 2; A = 1; A' = a - k*A; B := 3*A;
end
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("turnover.ant").write_text(TURNOVER)


def test_a_steady_state_as_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "turnover.ant", "--steady", "--select", "A,B", "--set", "k=0.25"]) == 0
    out, err = capsys.readouterr()
    rows = list(csv.reader(io.StringIO(out)))
    assert rows[0] == ["quantity", "value", "unit"]
    assert [(name, float(value)) for name, value, _ in rows[1:]] == [("A", pytest.approx(8)), ("B", pytest.approx(24))]
    assert err == "note: stable: disturbances die out, the slowest at 0.25 1/day\n"


def test_a_steady_state_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "turnover.ant", "--steady", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["outputs"]["A"]["value"] == pytest.approx(4)
    assert (found["stability"], found["status"], found["conserved"]) == ("stable", "ok", 0)
    assert found["growth_rate"] == {"unit": "1/day", "value": pytest.approx(-0.5)}


@pytest.mark.parametrize(
    ("rates", "remark"),
    [
        ("A' = A - A^3; A = 0", "note: unstable: disturbances grow, the fastest at 1 1/day\n"),
        (
            "A' = -A + B; B' = A - B; A = 1; B = 2",
            "note: 1 conserved total: a disturbance of it stays\n"
            "note: neutral: other disturbances die out, the slowest at 2 1/day\n",
        ),
        ("A' = B; B' = -A; A = 1; B = 2", "note: neutral: disturbances neither grow nor die out\n"),
    ],
)
def test_whether_it_would_stay_there_is_told(rates: str, remark: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("other.ant").write_text(TURNOVER.partition("  k =")[0] + f"  {rates};\nend\n")
    assert main(["simulate", "other.ant", "--steady"]) == 0
    assert capsys.readouterr().err == remark


def test_a_model_without_rest_ends_with_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "turnover.ant", "--steady", "--json", "--set", "k=0"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["outputs"]["A"]["value"] is None
    assert json.loads(out)["status"] == "no_rest"
    assert err.startswith("the model found no rest: no_rest (A still moves")


def test_a_simulation_may_begin_at_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "turnover.ant", "--until", "4", "--points", "2", "--equilibrate"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert [float(value) for _, value in rows[1:]] == pytest.approx([4, 4], rel=1e-9)


def test_accuracy_is_told_beside_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["simulate", "turnover.ant", "--until", "4", "--points", "3", "--accuracy"]
    assert main(arguments) == 0
    assert capsys.readouterr().err.startswith("note: A: error ")
    assert main([*arguments, "--json"]) == 0
    assert 0 < json.loads(capsys.readouterr().out)["outputs"]["A"]["error_estimate"] < 1e-5


@pytest.mark.parametrize("flags", [["--until", "4"], ["--points", "5"], ["--equilibrate"], ["--accuracy"]])
def test_what_a_steady_state_has_no_use_for_is_refused(flags: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "turnover.ant", "--steady", *flags]) == 2
    problem = "a steady state has no course, so this would change nothing"
    assert capsys.readouterr().err == f"{flags[0]}: {problem}\n  try: leave {flags[0]} or --steady out\n"


def test_a_run_tells_the_error_of_each_output(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    assert main(["run", "ovx_untreated", "--set", "duration=2 week", "--accuracy"]) == 0
    head = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("output"))
    assert head.split()[-1] == "error"
    assert main(["run", "ovx_untreated", "--set", "duration=2 week", "--accuracy", "--json"]) == 0
    outputs = json.loads(capsys.readouterr().out)["outputs"]
    assert all(0 <= output["error_estimate"] < 1e-5 for output in outputs.values())
