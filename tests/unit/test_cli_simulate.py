"""`bonesim simulate` and `bonesim export`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.cli.main import main
from bonesim.resources import data_root

DECAY = """model decay()
  unit day = 86400 second;
  unit time_unit = day;
  k = 0.5; A = 2; A' = -k*A; B := 3*A;
end
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("decay.ant").write_text(DECAY)


def rows(text: str) -> list[dict[str, float]]:
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(io.StringIO(text))]


def test_csv_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "decay.ant", "--until", "4", "--points", "5", "--select", "A,B", "--rtol", "1e-9"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    table = rows(out)
    assert [row["time"] for row in table] == [0, 1, 2, 3, 4]
    for row in table:
        # The error of the end is a small multiple of the tolerance of each step, for a decay of all errors alike.
        assert row["A"] == pytest.approx(2 * np.exp(-0.5 * row["time"]), rel=1e-7)
        assert row["B"] == pytest.approx(3 * row["A"], rel=1e-14)


def test_without_select_all_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "decay.ant", "--until", "4", "--points", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "time,A"


def test_csv_into_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "decay.ant", "--until", "4", "--points", "2", "--csv", "out.csv"]) == 0
    assert capsys.readouterr() == ("", "")
    assert rows(Path("out.csv").read_text())[0] == {"time": 0.0, "A": 2.0}


def test_species_are_reported_as_they_are_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Path("tank.ant").write_text("model tank()\n compartment c = 4; species A in c; A = 3;\nend\n")
    for reading, value in {"amount": 12.0, "concentration": 3.0}.items():
        assert main(["simulate", "tank.ant", "--until", "1", "--points", "2", "--species", reading]) == 0
        assert rows(capsys.readouterr().out)[-1] == {"time": 1.0, "A": value}


def test_a_quantity_called_time_keeps_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    xml = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
<listOfParameters><parameter id="time" value="7" constant="true"/></listOfParameters></model></sbml>
"""
    Path("time.xml").write_text(xml)
    assert main(["simulate", "time.xml", "--until", "1", "--points", "2", "--select", "time"]) == 0
    assert capsys.readouterr().out.splitlines() == ["time_,time", "0.0,7.0", "1.0,7.0"]


def test_set_reaches_parameters_and_states(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "decay.ant", "--until", "4", "--points", "2", "--set", "k=0", "--set", "A=7"]) == 0
    assert rows(capsys.readouterr().out)[-1] == {"time": 4.0, "A": 7.0}


@pytest.mark.parametrize("until", ["1 week", "7 day", "168h"])
def test_the_end_may_have_a_unit(until: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lemaire2004", "--until", until, "--points", "2"]) == 0
    assert rows(capsys.readouterr().out)[-1]["time"] == 7.0


@pytest.mark.parametrize(
    ("until", "problem", "remedy"),
    [
        ("inf", "'inf' is no time after 0", "--until 140"),
        ("nan", "'nan' is no time after 0", "--until 140"),
        ("0 day", "'0 day' is no time after 0", "--until 140"),
        ("inf day", "'inf day' is not finite", "a finite number, e.g. '100 day'"),
        ("1e308 year", "'1e308 year' is beyond the range of numbers in 'day'", "a number of day"),
        ("1e308", "'1e308' is out of range", "1e-270 to 1e+300 day"),
        ("5e-324", "'5e-324' is out of range", "1e-270 to 1e+300 day"),
    ],
)
def test_an_end_that_no_steps_lead_to(
    until: str, problem: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", "lemaire2004", "--until", until]) == 2
    assert capsys.readouterr() == ("", f"--until: {problem}\n  try: {remedy}\n")


@pytest.mark.parametrize("points", ["0", "1", "-3", "1000000000000"])
def test_too_few_or_too_many_times(points: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lemaire2004", "--until", "4", "--points", points]) == 2
    told = f"--points: {points} is out of range\n  try: a whole number from 2 to 10000000\n"
    assert capsys.readouterr() == ("", told)


def test_json_has_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "lemaire2004", "--until", "1", "--points", "2", "--select", "OBa", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["time"] == {"unit": "day", "values": [0.0, 1.0]}
    assert found["outputs"]["OBa"]["unit"] == "pM"
    assert (found["model"], found["status"]) == ("lemaire2004", "ok")


def test_a_model_that_fails_ends_with_3_and_keeps_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    Path("blow.ant").write_text(DECAY.replace("A' = -k*A", "A' = A^2"))
    assert main(["simulate", "blow.ant", "--until", "4", "--points", "9", "--json"]) == 3
    out, err = capsys.readouterr()
    values = json.loads(out)["outputs"]["A"]["values"]
    assert values[0] == 2.0
    assert values[-1] is None
    assert err.startswith("the simulation stopped at t = 0.5")


def test_an_exported_model_reads_back_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "lemaire2004", "--to", "sbml", "-o", "out.xml"]) == 0
    assert capsys.readouterr() == ("", "note: out.xml: lemaire2004 as sbml\n")
    back, model = bonesim.load_model("out.xml"), bonesim.load_model("lemaire2004")
    assert back.states == model.states
    assert back.rules == model.rules


def test_export_to_standard_output_is_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "lemaire2004", "--to", "sbml", "-o", "out.xml"]) == 0
    capsys.readouterr()
    assert main(["export", "lemaire2004", "--to", "sbml"]) == 0
    assert capsys.readouterr().out == Path("out.xml").read_text()


def test_an_exported_scenario_carries_its_doses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "ovx_m2", "--to", "sbml"]) == 0
    text = capsys.readouterr().out
    doses = [line for line in text.splitlines() if "<event " in line and "__dose0" in line]
    assert len(doses) == 8
    assert 'name="M2 macrophage vesicles, weekly, after ovariectomy"' in text
    assert '<parameter id="macrophage_m2_intravenous__dose0_amount"' in text


def test_an_exported_scenario_gives_the_results_of_run() -> None:
    changes = ["duration=8 week", "doses[0].count=3", "solver.rtol=1e-8"]
    scenario = bonesim.load_scenario(data_root() / "scenarios" / "ovx_m2.yaml", changes)
    Path("out.xml").write_text(bonesim.export_sbml(scenario))
    ran = bonesim.run(scenario).sel(arm="dosed")
    again = bonesim.simulate("out.xml", ran["time"].values, ["core__OBa", "bone__CTX"], rtol=1e-8)
    # Both are within a small multiple of rtol; the absolute tolerances differ, since a file has no doses to size them.
    np.testing.assert_allclose(again["core__OBa"], ran["OBa"], rtol=1e-6)
    np.testing.assert_allclose(again["bone__CTX"], ran["CTX"], rtol=1e-6)


def test_a_parameter_that_an_initial_assignment_computes_is_not_set(capsys: pytest.CaptureFixture[str]) -> None:
    Path("decay.ant").write_text(DECAY.replace("k = 0.5;", "j = 1; k = j/2;"))
    assert main(["simulate", "decay.ant", "--until", "4", "--set", "k=1"]) == 2
    problem = "it is computed from other quantities, so it cannot be set"
    assert capsys.readouterr().err == f"--set k: {problem}\n  try: set what it is computed from\n"


def test_two_names_of_one_quantity_are_not_both_selected(capsys: pytest.CaptureFixture[str]) -> None:
    Path("out.xml").write_text(bonesim.export_sbml(data_root() / "scenarios" / "ovx_untreated.yaml"))
    assert main(["simulate", "out.xml", "--until", "1", "--select", "OBa,core__OBa"]) == 2
    problem = "'core__OBa' and 'OBa' are one quantity"
    assert capsys.readouterr().err == f"--select: {problem}\n  try: name it once\n"


def test_export_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "lemaire2004", "--to", "sbml", "-o", "nowhere/out.xml"]) == 2
    problem = "the file cannot be written: No such file or directory"
    assert capsys.readouterr().err == f"nowhere/out.xml: {problem}\n  try: a file in a folder that exists\n"
