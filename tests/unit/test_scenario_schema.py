"""`scenario.schema` and `scenario.load`: what a scenario file may say, and how `--set` changes it."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from bonesim.errors import InputError, Place
from bonesim.pharmacology.schedule import record_times
from bonesim.scenario.load import KnownNames, load_scenario
from bonesim.scenario.schema import Scenario, scenario_json_schema

DATA = Path(__file__).parent.parent / "data"
GOOD = DATA / "scenario_good.yaml"
KNOWN = KnownNames(
    sources=("macrophage_m1", "macrophage_m2"),
    routes=("intravenous", "local"),
    contexts=("ovx_osteoporosis",),
    species=("rat", "human"),
    cores=("lemaire2004", "pivonka2008"),
)
SMALLEST = """\
schema_version: 1
title: Nothing happens
subject: {species: rat, sex: male, age: 12 week}
duration: 1 day
outputs: [OBa]
"""


def load(*settings: str, path: Path = GOOD) -> Scenario:
    return load_scenario(path, settings, known=KNOWN)


def test_what_the_file_says_is_kept_as_written():
    scenario = load()
    assert scenario.subject.species == "rat"
    assert str(scenario.subject.mass) == "250 g"
    assert [str(dose.amount) for dose in scenario.doses] == ["100 ug"]
    assert scenario.outputs == ("bone_volume_fraction", "OBa", "OCa")
    assert scenario.file == str(GOOD)


def test_what_is_left_out_has_defaults(tmp_path):
    path = tmp_path / "smallest.yaml"
    path.write_text(SMALLEST)
    scenario = load(path=path)
    assert (scenario.context, scenario.doses, scenario.subject.mass) == ((), (), None)
    assert scenario.model.core == "pivonka2008"
    assert str(scenario.record.every) == "1 day"
    assert scenario.solver.model_dump() == {"rtol": 1e-6, "atol": None, "method": "auto", "max_steps": 100_000}


@pytest.mark.parametrize(
    ("duration", "every"),
    [("24 week", "1 day"), ("1 day", "1 day"), ("23 h", "0.23 h"), ("10 minute", "0.1 minute"), ("1 s", "0.01 s")],
)
@pytest.mark.parametrize("record", [(), ("record={}",)])
def test_a_run_shorter_than_a_day_is_recorded_a_hundred_times(tmp_path, duration, every, record):
    path = tmp_path / "smallest.yaml"
    path.write_text(SMALLEST)
    scenario = load(f"duration={duration}", *record, path=path)
    assert str(scenario.record.every) == every
    assert json.loads(scenario.text)["record"] == {"every": every}
    path.write_text(scenario.text)
    assert load(path=path).text == scenario.text


@pytest.mark.parametrize("duration", ["23 h", "7 minute", "0.3 day", "1.1 s"])
def test_a_hundredth_of_the_run_leaves_no_sliver_at_the_end(duration):
    scenario = load(f"duration={duration}", "doses=[]", "record={}")
    assert len(record_times(scenario.duration, scenario.record.every)) == 101


def test_a_schedule_is_worked_out_once():
    dose = load("doses[0].every=1 min", "doses[0].count=100000").doses[0]
    assert dose.administrations is dose.administrations
    assert pickle.loads(pickle.dumps(dose)) == dose


def test_administrations_follow_the_schedule():
    assert [one.time_day for one in load().doses[0].administrations] == [28.0 + 7 * k for k in range(8)]


def test_the_text_reads_back_as_the_same_scenario(tmp_path):
    scenario = load("doses[0].over=1 h", "solver.atol=1e-9")
    path = tmp_path / "again.yaml"
    path.write_text(scenario.text)
    again = load(path=path)
    assert again.text == scenario.text
    assert again.model_dump() == scenario.model_dump()


def test_a_scenario_is_frozen_and_travels():
    scenario = load()
    with pytest.raises(ValidationError):
        scenario.title = "another"  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(scenario)) == scenario


@pytest.mark.parametrize(
    ("key", "line"),
    [("doses[0].amount", 8), ("doses[0].over", 7), ("solver.method", 16), ("outputs[1]", 14), ("nowhere", 1)],
)
def test_every_key_has_a_place(key, line):
    assert load().place(key) == Place(str(GOOD), line, key)


def test_a_key_that_was_set_has_the_flag_for_its_place():
    assert load("doses[0].amount=30 ug").place("doses[0].amount") == Place(key="--set doses[0].amount")


def test_without_a_file_a_place_is_a_key():
    scenario = Scenario.model_validate_json(json.dumps(json.loads(load().text)))
    assert scenario.place("doses[0].amount") == Place(key="doses[0].amount")


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        ("doses[0].amount=30 ug", "amount", "30 ug"),
        ("doses[0].amount=0 ug", "amount", "0 ug"),
        ("doses[0].count=3", "count", 3),
        ("doses[0].over=1 h", "over", "1 h"),
        (" doses[0].route = local", "route", "local"),
    ],
)
def test_set_changes_a_dose(setting, key, value):
    changed = json.loads(load(setting).text)["doses"][0]
    assert changed == json.loads(load().text)["doses"][0] | {key: value}


def test_set_takes_a_mapping_too():
    assert load_scenario(GOOD, {"duration": "30 week"}, known=KNOWN).text == load("duration=30 week").text


def test_set_replaces_a_block_or_a_list():
    scenario = load("outputs=[OCa]", "doses=[]", "solver={rtol: 1e-8}")
    assert (scenario.outputs, scenario.doses, scenario.solver.rtol) == (("OCa",), (), 1e-8)


def test_set_makes_a_block_that_the_file_leaves_out(tmp_path):
    path = tmp_path / "smallest.yaml"
    path.write_text(SMALLEST)
    scenario = load("solver.rtol=1e-8", "solver.method=rodas4", "record.every=1 h", path=path)
    assert (scenario.solver.rtol, scenario.solver.method, str(scenario.record.every)) == (1e-8, "rodas4", "1 h")


def test_set_leaves_the_file_alone():
    before = GOOD.read_bytes()
    load("title=Another")
    assert GOOD.read_bytes() == before


@pytest.mark.parametrize(
    "amount", ["1 g", "1 ng", "1e16 particles", "1 g/kg", "5e9 particles/g", "0 particles", "1 particle", "1e-9 ug"]
)
def test_amounts_of_every_kind(amount):
    assert str(load(f"doses[0].amount={amount}").doses[0].amount) == amount


@pytest.mark.parametrize("amount", ["1.01 g", "1.1e16 particles", "1.01 g/kg", "1.1e16 particles/kg", "-1e-9 ug"])
def test_amounts_out_of_range(amount):
    with pytest.raises(InputError, match="is out of range"):
        load(f"doses[0].amount={amount}")


def test_infusions_may_overlap():
    assert load("doses[0].over=10 day").doses[0].administrations[1].time_day < 38.0


def test_a_dose_at_the_very_end_is_no_fault():
    assert load("duration=11 week").doses[0].administrations[-1].time_day == 77.0


def objects(schema):
    """Every object of a JSON Schema that has properties."""
    return [schema, *schema["$defs"].values()]


def test_the_json_schema_describes_and_closes_every_block():
    schema = scenario_json_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for block in objects(schema):
        assert block["additionalProperties"] is False
        assert block["description"]
        for name, field in block["properties"].items():
            assert field.get("description") or "$ref" in field, name


def test_the_json_schema_writes_defaults_as_users_do():
    blocks = scenario_json_schema()["$defs"]
    assert blocks["Dose"]["properties"]["start"]["default"] == "0 day"
    assert blocks["Record"]["properties"]["every"]["default"] == "1 day"


def test_the_methods_are_those_of_the_solver():
    from bonesim.solve.methods.rosenbrock import METHODS

    assert set(scenario_json_schema()["$defs"]["SolverChoice"]["properties"]["method"]["enum"]) == {"auto", *METHODS}


def test_the_catalogue_knows_the_names_by_itself():
    assert load_scenario(GOOD).text == load().text


def test_reading_a_scenario_loads_nothing_heavy():
    heavy = "{'numpy', 'xarray', 'matplotlib', 'libsbml'}"
    code = f"import sys, bonesim.scenario.load; print(sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
