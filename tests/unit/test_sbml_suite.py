"""The runner of the SBML Test Suite, on cases that are made here."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2]))  # behind everything: the installed package stays the one that is tested

from benchmarks.sbml_suite.cases import Case, Settings, found, kinds
from benchmarks.sbml_suite.engines import ENGINES, Options
from benchmarks.sbml_suite.runs import FAILED, LATE, PASSED, REFUSED, WRONG, Outcome, Plan, judged, run
from benchmarks.sbml_suite.table import not_passed, table

SETTINGS = """start: 0
duration: 2
steps: 4
variables: A, B, time
absolute: 1e-4
relative: 0.01
amount: A
concentration: B
"""
ABOUT = """(*

category:      Test
synopsis:      A species that decays in a volume of two.
componentTags: Compartment, Species, Reaction
testTags:      Amount, {tag}
testType:      {kind}
"""
MODEL = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
<model id="m">
<listOfCompartments><compartment id="c" size="2" constant="true" spatialDimensions="3"/></listOfCompartments>
<listOfSpecies>
<species id="A" compartment="c" initialAmount="6"
hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
<species id="B" compartment="c" initialAmount="0"
hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"/>
</listOfSpecies>
<listOfParameters><parameter id="time" value="0.5" constant="true"/></listOfParameters>
<listOfReactions><reaction id="R" reversible="false">
<listOfReactants><speciesReference species="A" stoichiometry="1" constant="true"/></listOfReactants>
<listOfProducts><speciesReference species="B" stoichiometry="1" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><times/><ci>time</ci><ci>A</ci><ci>c</ci></apply></math></kineticLaw>
</reaction></listOfReactions>
</model></sbml>
"""
RULE = """<listOfRules><algebraicRule><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><minus/><ci>B</ci><cn>1</cn></apply></math></algebraicRule></listOfRules></model>"""
RANDOM = Path(__file__).parents[1] / "data" / "sbml_random.xml"
PLAN = Plan("bonesim", Options(), jobs=1, limit=60.0)


def written(
    folder: Path, number: str, *, model: str = MODEL, kind: str = "TimeCourse", tag: str = "", off: float = 1
) -> None:
    """A case in its folder: A decays at a rate of 0.5; all expected values are multiplied by `off`."""
    case = folder / number
    case.mkdir(parents=True)
    (case / f"{number}-settings.txt").write_text(SETTINGS)
    (case / f"{number}-model.m").write_text(ABOUT.format(kind=kind, tag=tag))
    for level in ("l3v2", "l2v4"):
        (case / f"{number}-sbml-{level}.xml").write_text(model)
    (case / f"{number}-other-sbml-l3v2.xml").write_text("another file of the case")
    rows = [(t, 0.5, 3 - 3 * np.exp(-0.5 * t), 6 * np.exp(-0.5 * t)) for t in Settings.parse(SETTINGS).times]
    lines = [f"{t}, {k}, {b * off}, {a * off}" for t, k, b, a in rows]
    (case / f"{number}-results.csv").write_text("\n".join(["time, time, B, A", *lines]) + "\n\n")


def all_in(folder: Path, every: bool = False, tag: str = "", only: tuple[str, ...] = ()) -> list[Case]:
    return found(folder, only=only, tag=tag, every=every)[0]


def test_settings_are_read_as_written() -> None:
    settings = Settings.parse(SETTINGS)
    assert settings == Settings(0.0, 2.0, 4, ("A", "B", "time"), 1e-4, 0.01, frozenset("A"), frozenset("B"))
    assert settings.times.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]


@pytest.mark.parametrize(
    ("value", "expected", "agrees"),
    [
        (1.01, 1.0, True),
        (1.0102, 1.0, False),
        (1e-4, 0.0, True),
        (1.1e-4, 0.0, False),
        (-1.0, 1.0, False),
        (np.nan, np.nan, True),
        (np.inf, np.inf, True),
        (np.inf, -np.inf, False),
        (1.0, np.inf, False),
        (np.nan, 1.0, False),
        (1.0, np.nan, False),
    ],
)
def test_a_value_may_differ_by_both_tolerances_together(value: float, expected: float, agrees: bool) -> None:
    values = np.ones((5, 3))
    reference = values.copy()
    values[2, 1], reference[2, 1] = value, expected
    said = Settings.parse(SETTINGS).differing(values, reference)
    assert said == ("" if agrees else f"B is {value:.9g} where {expected:.9g} is expected, at time 1")


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (["Species", "RateRule"], {"plain"}),
        (["Species", "EventNoDelay"], {"events"}),
        (["EventWithDelay", "comp:Submodel"], {"events", "comp"}),
        (["AlgebraicRule", "FastReaction", "CSymbolDelay"], {"algebraic", "fast", "delay"}),
        (["fbc:Objective"], {"other package"}),
    ],
)
def test_what_a_case_needs_follows_from_its_tags(tags: list[str], expected: set[str]) -> None:
    assert kinds(tags) == expected


def test_cases_are_found_by_number_tag_and_level(tmp_path: Path) -> None:
    written(tmp_path, "00001")
    written(tmp_path, "00002", kind="FluxBalanceSteadyState")
    written(tmp_path, "00003", tag="EventNoDelay")
    (tmp_path / "README.md").touch()
    assert [case.name for case in all_in(tmp_path)] == ["00001 l3v2", "00003 l3v2"]
    assert [case.name for case in all_in(tmp_path, every=True, only=("00001",))] == ["00001 l2v4", "00001 l3v2"]
    assert [case.id for case in all_in(tmp_path, tag="EventNoDelay")] == ["00003"]
    assert found(tmp_path, only=[], tag="", every=True)[1] == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_gives_amounts_and_concentrations_as_asked(tmp_path: Path, engine: str) -> None:
    written(tmp_path, "00001")
    (case,) = all_in(tmp_path)
    assert judged(Plan(engine, Options(rtol=1e-9), 1, 60.0), case) == (PASSED, "")


def test_wrong_answers_refusals_and_faults_are_told_apart(tmp_path: Path) -> None:
    written(tmp_path, "00001", off=1.02)
    written(tmp_path, "00002", model=RANDOM.read_text())
    written(tmp_path, "00003", model="<sbml>")
    outcomes = [judged(PLAN, case) for case in all_in(tmp_path)]
    assert [outcome for outcome, _ in outcomes] == [WRONG, REFUSED, FAILED]
    assert outcomes[0][1] == "A is 6 where 6.12 is expected, at time 0"


def test_what_libroadrunner_does_not_support_is_refused_too(tmp_path: Path) -> None:
    written(tmp_path, "00001", model=MODEL.replace("</model>", RULE))
    outcome, reason = judged(Plan("libroadrunner", Options(), 1, 60.0), *all_in(tmp_path))
    assert outcome == REFUSED
    assert reason.startswith("Unable to support algebraic rules.")


def test_a_process_for_each_case(tmp_path: Path) -> None:
    written(tmp_path, "00001")
    written(tmp_path, "00002", off=2)
    outcomes = list(run(all_in(tmp_path), Plan("bonesim", Options(), jobs=2, limit=60.0)))
    assert [one.outcome for one in outcomes] == [PASSED, WRONG]
    late, _ = run(all_in(tmp_path), Plan("bonesim", Options(), jobs=1, limit=0.0))
    assert (late.outcome, late.reason) == (LATE, "no answer in 0 s")


def test_the_table_has_a_row_for_each_kind_that_there_is(tmp_path: Path) -> None:
    tags = [["Species"], ["EventNoDelay"], ["EventWithDelay", "comp:Port"]]
    cases = [Case(str(number), "l3v2", tmp_path, frozenset(these)) for number, these in enumerate(tags)]
    outcomes = [Outcome(case, outcome, "why") for case, outcome in zip(cases, (PASSED, WRONG, LATE), strict=True)]
    assert list(not_passed(outcomes)) == ["1 l3v2  wrong: why", "2 l3v2  out of time: why"]
    assert list(table(outcomes)) == [
        "| kind | cases | pass | wrong | refused | failed | out of time |",
        "|---|---|---|---|---|---|---|",
        "| plain | 1 | 1 | 0 | 0 | 0 | 0 |",
        "| events | 2 | 0 | 1 | 0 | 0 | 1 |",
        "| comp | 1 | 0 | 0 | 0 | 0 | 1 |",
        "| all | 3 | 1 | 1 | 0 | 0 | 1 |",
    ]
