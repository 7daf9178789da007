"""Whole messages of a broken scenario: they are part of the interface."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bonesim.errors import InputError
from bonesim.scenario.load import KnownNames, known_names, load_scenario

DATA = Path(__file__).parent.parent / "data"
KNOWN = KnownNames(
    sources=("macrophage_m1", "macrophage_m2"),
    routes=("intravenous", "local"),
    contexts=("healthy", "ovx_osteoporosis"),
    species=("rat",),
    cores=("lemaire2004", "pivonka2008"),
)
DOSE_KEYS = "source, amount, route, carrier, start, every, count, over"
SUBJECT_KEYS = "species, sex, age, mass"

OF_A_FILE = {
    "misspelt_key": """\
FILE:8: doses[0].amout: unknown key
  try: did you mean 'amount'?""",
    "duplicate_key": """\
FILE:13: doses[0].amount: duplicate key, first given on line 8
  try: keep one of the two""",
    "missing_unit": """\
FILE:8: doses[0].amount: 100 has no unit
  try: write a unit, e.g. '100 ug'""",
    "amount_out_of_range": """\
FILE:8: doses[0].amount: '100 kg' is out of range (at least 0, at most 1 g)
  try: check the number and its unit""",
    "negative_amount": """\
FILE:8: doses[0].amount: '-100 ug' is out of range (at least 0, at most 1 g)
  try: check the number and its unit""",
    "infinite_amount": """\
FILE:8: doses[0].amount: 'inf ug' is not finite
  try: a finite number, e.g. '100 ug'""",
    "amount_as_volume": """\
FILE:8: doses[0].amount: '100 mL' is a volume, not a mass, a count of particles, a count of cells, \
a mass per mass, a count of particles per mass, a count of cells per mass, a mass per time or a count of particles \
per time
  try: write it in ug, particles, cells, ug/kg, particles/kg, cells/kg, ug/day or particles/day, e.g. '100 ug'""",
    "unknown_names": """\
FILE:3: subject.species: unknown species 'zebrafish'
  try: one of rat
FILE:4: model.core: unknown core 'pivonka2009'
  try: did you mean 'pivonka2008'?
FILE:5: context[0].id: unknown context 'ovx'
  try: did you mean 'ovx_osteoporosis'?
FILE:7: doses[0].source: unknown source 'macrophage_m3'
  try: did you mean 'macrophage_m2'?
FILE:9: doses[0].route: unknown route 'intravenus'
  try: did you mean 'intravenous'?""",
    "dose_after_the_end": """\
FILE:12: doses[0].count: dose 8 of 8 begins at 77 day, after the end of the run at 70 day
  try: count: 7, or a duration of 77 day or more""",
    "infusion_after_the_end": """\
FILE:11: doses[0].over: the dose ends at 175 day, after the end of the run at 168 day
  try: an earlier start, or a duration of 175 day or more""",
    "every_without_count": """\
FILE:11: doses[0].every: repeated dosing needs a number of doses
  try: count: 8""",
    "count_without_every": """\
FILE:11: doses[0].count: 8 doses need the time from one to the next
  try: every: 1 week""",
    "key_of_a_later_version": f"""\
FILE:3: subject.menopause: unknown key
  try: 'menopause' comes with a later version; this one knows: {SUBJECT_KEYS}
FILE:13: doses[0].drug: unknown key
  try: 'drug' comes with a later version; this one knows: {DOSE_KEYS}""",
    "arms": """\
FILE:9: arms.half."doses[0].amount": 50 has no unit
  try: write a unit, e.g. '50 ug'
FILE:11: arms.late."doses[0].count": dose 60 of 60 begins at 441 day, after the end of the run at 168 day
  try: count: 21, or a duration of 441 day or more
FILE:13: arms.other."doses[1].source": 'doses' has 1 entry, counted from 0
  try: a number from 0 to 0""",
    "arms_wrong_in_form": """\
FILE:9: arms.dosed: arm 'dosed' is always there, as the scenario says it
  try: another name""",
    "too_many_records": """\
FILE:15: record.every: '1 s' makes more than 100000 recorded times
  try: an interval of 0.00168 day or more""",
    "record_longer_than_run": """\
FILE:15: record.every: '1 year' is longer than the run, '24 week'
  try: a shorter interval, e.g. '1 day'""",
    "named_twice": """\
FILE:14: outputs[2]: 'OBa' is named twice
  try: name it once""",
    "context_after_the_end": """\
FILE:5: context[0].start: begins at 168 day, and the run ends at 168 day
  try: an earlier start, or a longer duration""",
    "other_version": """\
FILE:1: schema_version: 2 is not known here
  try: write 1""",
    "several_faults": """\
FILE:1: missing key 'duration'
  try: add 'duration: ...'
FILE:8: doses[0].amount: '100 day' is a time, not a mass, a count of particles, a count of cells, \
a mass per mass, a count of particles per mass, a count of cells per mass, a mass per time or a count of particles \
per time
  try: write it in ug, particles, cells, ug/kg, particles/kg, cells/kg, ug/day or particles/day, e.g. '100 ug'
FILE:13: outputs: expected at least 1 entry
  try: add to the list
FILE:15: solver.rtoll: unknown key
  try: did you mean 'rtol'?""",
}


@pytest.mark.parametrize("fault", OF_A_FILE)
def test_message_of_a_broken_file(fault):
    file = str(DATA / f"scenario_{fault}.yaml")
    with pytest.raises(InputError) as caught:
        load_scenario(file, known=KNOWN)
    assert str(caught.value) == OF_A_FILE[fault].replace("FILE", file)


def test_message_of_a_missing_file(tmp_path):
    (tmp_path / "ovx_m2.yaml").write_text("schema_version: 1\n")
    missing = tmp_path / "ovx_m3.yaml"
    with pytest.raises(InputError) as caught:
        load_scenario(missing, known=KNOWN)
    assert str(caught.value) == f"{missing}: no such file\n  try: did you mean 'ovx_m2.yaml'?"


OF_A_SETTING = {
    "doses[0].amout=30 ug": "--set doses[0].amout: unknown key\n  try: did you mean 'amount'?",
    "title=null": "--set title: expected text, got nothing\n  try: a text, e.g. 'abc'",
    "doses[0].amount=30": "--set doses[0].amount: 30 has no unit\n  try: write a unit, e.g. '30 ug'",
    "doses[0].source=macrophage": (
        "--set doses[0].source: unknown source 'macrophage'\n  try: did you mean 'macrophage_m2'?"
    ),
    "doses[1].amount=30 ug": "--set doses[1].amount: 'doses' has 1 entry, counted from 0\n  try: a number from 0 to 0",
    "doses.amount=30 ug": (
        "--set doses.amount: 'doses' has no keys\n  try: name an entry by its number, e.g. doses[0].amount"
    ),
    "duration[0]=3": "--set duration[0]: 'duration' is no list\n  try: a key without [ ]",
    "title.long=x": "--set title.long: 'title' has no keys\n  try: a key of the schema",
    "solvr.rtol=1e-8": "--set solvr.rtol: unknown key\n  try: did you mean 'solver'?",
    "solver.method=bdf": "--set solver.method: 'bdf' is not known here\n  try: one of auto, rodas5p, rodas4, rodas4p",
    "subject.menopause=3 year": (
        "--set subject.menopause: unknown key\n"
        f"  try: 'menopause' comes with a later version; this one knows: {SUBJECT_KEYS}"
    ),
    "uncertainty.members=1": "--set uncertainty.members: 1 is out of range\n  try: a number at least 2",
    "uncertainty={members: 2, seed: -1}": "--set uncertainty.seed: -1 is out of range\n  try: a number at least 0",
    "arms={a: {duration: 3 day}}": (
        "--set arms.a.duration: an arm changes subject, model, context, doses; 'duration' is none of them\n"
        "  try: one of subject, model, context, doses, without, vesicles"
    ),
    "arms={a: {vesicle: empty}}": (
        "--set arms.a.vesicle: an arm changes subject, model, context, doses; 'vesicle' is none of them\n"
        "  try: did you mean 'vesicles'?"
    ),
    "arms={a: {vesicles: full}}": "--set arms.a.vesicles: 'full' is not known here\n"
    "  try: one of intact, empty, free_cargo",
    "arms={a b: {}}": "--set arms.\"a b\": 'a b' has the wrong form\n  try: text that matches ^[A-Za-z][A-Za-z0-9_-]*$",
    "arms={a: {doses: 3}}": ("--set arms.a.doses: expected a list, got 3\n  try: a list such as [a, b]"),
    "arms={a: {'doses[0].source': macrophage_m3}}": (
        "--set arms.a.\"doses[0].source\": unknown source 'macrophage_m3'\n  try: did you mean 'macrophage_m2'?"
    ),
    "sweep.members=3": "--set sweep.members: missing key 'vary'\n  try: add 'vary: ...'",
    "sweep={vary: {}}": "--set sweep.vary: expected at least 1 entry\n  try: add a key with its value",
    "sweep={vary: {V50: []}}": "--set sweep.vary.V50: expected at least 1 entry\n  try: add to the list",
    "sweep={vary: {V50: [true]}}": (
        "--set sweep.vary.V50[0]: expected text or a whole number or a number, got true\n"
        "  try: put it in quotes: 'true'"
    ),
    "sweep={vary: {V50: 3}}": (
        "--set sweep.vary.V50: expected a block of keys or a list, got 3\n"
        "  try: keys with values, e.g. {key: value}, or a list such as [a, b]"
    ),
    "sweep={design: sobol, vary: {V50: [1, 2]}}": (
        "--set sweep.design: a design 'sobol' needs a number of members\n  try: members: 1000"
    ),
    "outputs=[OBa, 3]": "--set outputs[1]: expected text, got 3\n  try: put it in quotes: '3'",
    "duration=": "--set duration: no value\n  try: --set duration=VALUE",
    "duration": "--set duration: no value\n  try: --set duration=VALUE",
    "doses..amount=3 ug": "--set doses..amount: no path to a key\n  try: --set doses[0].amount='30 ug'",
    "outputs=[]": "--set outputs: expected at least 1 entry\n  try: add to the list",
    "title=[]": "--set title: expected text, got a list\n  try: a text, e.g. 'abc'",
    "title=''": "--set title: expected at least 1 character\n  try: a longer text",
    'title="a\\0b"': "--set title: character 2 is U+0000, which is not printed\n  try: one line of plain text",
    'title="a\\nb"': "--set title: character 2 is U+000A, which is not printed\n  try: one line of plain text",
    "duration=0.5 s": (
        "--set duration: '0.5 s' is out of range (at least 1 s, at most 200 year)\n  try: check the number and its unit"
    ),
    "subject.mass=1e-320 g": (
        "--set subject.mass: '1e-320 g' is out of range (at least 1 mg, at most 1000 kg)\n"
        "  try: check the number and its unit"
    ),
    "doses[0].over=0.9 s": (
        "--set doses[0].over: '0.9 s' is shorter than an infusion can be, 1 s\n  try: leave it out for a bolus"
    ),
    "doses[0].amount=1e-320 particles": (
        "--set doses[0].amount: '1e-320 particles' is less than the smallest dose, 1 particle\n"
        "  try: 1 particle or more, or 0 particle for none"
    ),
    "doses[0].amount=1e-7 ng/kg": (
        "--set doses[0].amount: '1e-7 ng/kg' is less than the smallest dose, 1e-9 ug/kg\n"
        "  try: 1e-9 ug/kg or more, or 0 ug/kg for none"
    ),
    "title=[": (
        "--set title: this is not YAML: did not find expected node content while parsing a flow node\n"
        "  try: check brackets, quotes and indentation here and above"
    ),
}


@pytest.mark.parametrize("setting", OF_A_SETTING)
def test_message_of_a_setting(setting):
    with pytest.raises(InputError) as caught:
        load_scenario(DATA / "scenario_good.yaml", [setting], known=KNOWN)
    assert str(caught.value) == OF_A_SETTING[setting]


def test_the_remedy_of_a_record_that_is_too_long_fits_the_run(tmp_path):
    file = tmp_path / "short.yaml"
    file.write_text(
        "schema_version: 1\ntitle: Short\nsubject: {species: rat, sex: male, age: 12 week}\n"
        "duration: 10 min\noutputs: [OBa]\nrecord: {every: 1 day}\n"
    )
    with pytest.raises(InputError) as caught:
        load_scenario(file, known=KNOWN)
    assert str(caught.value) == (
        f"{file}:6: record.every: '1 day' is longer than the run, '10 min'\n  try: a shorter interval, e.g. '0.1 min'"
    )


OF_A_SUBJECT = {
    "subject.sex=male": (
        "FILE:5: context[0].id: 'ovx_osteoporosis' is known for female subjects, and this one is male\n"
        "  try: sex: female under subject, or another context"
    ),
    "subject.age=100 year": (
        "--set subject.age: '100 year' is no age of the species rat, which is known from 3 week to 36 month\n"
        "  try: an age from 3 week to 36 month"
    ),
    "subject.age=2 week": (
        "--set subject.age: '2 week' is no age of the species rat, which is known from 3 week to 36 month\n"
        "  try: an age from 3 week to 36 month"
    ),
    "subject.species=mouse": (
        "FILE:5: context[0].id: 'ovx_osteoporosis' is known for the species rat, not for mouse\n"
        "  try: species rat, or another context"
    ),
}


@pytest.mark.parametrize("setting", OF_A_SUBJECT)
def test_message_of_a_subject_that_nothing_is_known_of(setting):
    file = str(DATA / "scenario_good.yaml")
    known = known_names()
    mouse = known.catalog.species["rat"].model_copy(update={"id": "mouse"})
    catalog = replace(known.catalog, species={**known.catalog.species, "mouse": mouse})
    with pytest.raises(InputError) as caught:
        load_scenario(file, [setting], known=replace(known, species=tuple(catalog.species), catalog=catalog))
    assert str(caught.value) == OF_A_SUBJECT[setting].replace("FILE", file)


@pytest.mark.parametrize(
    "settings", [["subject.sex=male", "context=[]"], ["subject.age=3 week"], ["subject.age=36 month"]]
)
def test_a_subject_that_the_catalogue_knows_is_taken(settings):
    assert load_scenario(DATA / "scenario_good.yaml", settings).subject


def test_a_key_is_set_once():
    with pytest.raises(InputError) as caught:
        load_scenario(DATA / "scenario_good.yaml", ["duration=20 week", "duration=30 week"], known=KNOWN)
    assert str(caught.value) == "--set duration: set twice\n  try: set it once"


def test_faults_of_file_and_flag_are_told_together():
    with pytest.raises(InputError) as caught:
        load_scenario(DATA / "scenario_missing_unit.yaml", ["solver.rtol=2"], known=KNOWN)
    file = DATA / "scenario_missing_unit.yaml"
    assert str(caught.value) == (
        f"{file}:8: doses[0].amount: 100 has no unit\n  try: write a unit, e.g. '100 ug'\n"
        "--set solver.rtol: 2 is out of range\n  try: a number at most 0.1"
    )
