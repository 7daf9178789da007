"""Compartments that change, stoichiometries and conversion factors: closed forms, and libRoadRunner where it has them.

All constants are round, so that the closed forms can be read beside the models. The events are at t = 1.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import roadrunner

from bonesim import amount
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.simulate import simulate

Course = Callable[[np.ndarray], np.ndarray]

END, POINTS = 3.0, 13
TIMES = np.linspace(0.0, END, POINTS)

OTHERWISE = {"the rate of a concentration where a rule gives the size"}
"""What libRoadRunner 2.10 does otherwise: it leaves out how the size grows."""


def later(before: Course, after: Course) -> Course:
    """A course that an event changes."""
    return lambda t: np.where(t < 1, before(t), after(t))


def size(t: np.ndarray) -> np.ndarray:
    """Of the compartment c wherever it grows."""
    return 2 + 0.5 * t


GROWING = "compartment c = 2; c' = 0.5;"
STEPPING = "compartment c = 2; E: at (time >= 1): c = 4;"
RULED = "compartment c; c := 2 + 0.5*time;"

MODELS: dict[str, tuple[list[str], dict[str, Course]]] = {
    "what nothing changes is diluted": (
        [GROWING, "species S in c; S = 3; species $B in c; B = 1; const species F in c; F = 5;"],
        {"S": lambda t: 6 / size(t), "B": lambda t: 2 / size(t), "F": lambda t: 10 / size(t), "c": size},
    ),
    "by a rule for the size": ([RULED, "species S in c; S = 3;"], {"S": lambda t: 6 / size(t)}),
    "by an event": ([STEPPING, "species S in c; S = 3;"], {"S": later(lambda t: 3 + 0 * t, lambda t: 1.5 + 0 * t)}),
    "a reaction adds an amount": (
        [GROWING, "species S in c; S = 3; -> S; k; k = 4;"],
        {"S": lambda t: (6 + 4 * t) / size(t)},
    ),
    "between two compartments": (
        [GROWING, "compartment d = 5; species A in c; A = 3; species B in d; B = 0;", "J: A -> 2 B; k*A*c; k = 0.7;"],
        {
            "A": lambda t: 6 * np.exp(-0.7 * t) / size(t),
            "B": lambda t: 12 * (1 - np.exp(-0.7 * t)) / 5,
            "J": lambda t: 4.2 * np.exp(-0.7 * t),
        },
    ),
    "amounts as symbols": (
        [GROWING, "substanceOnly species S in c; S = 3; S -> ; k*S; k = 0.7;"],
        {"S": lambda t: 3 * np.exp(-0.7 * t)},
    ),
    "the rate of a concentration": (
        [GROWING, "species S in c; S = 3; S' = 0.4; a := S*c;"],
        {"S": lambda t: 3 + 0.4 * t, "a": lambda t: (3 + 0.4 * t) * size(t)},
    ),
    "the rate of a concentration where a rule gives the size": (
        [RULED, "species S in c; S = 3; S' = 0.4*c;"],
        {"S": lambda t: 3 + 0.4 * (2 * t + 0.25 * t**2)},
    ),
    "the rate of a concentration where an event sets the size": (
        [STEPPING, "species S in c; S = 3; S' = 0.4;"],
        {"S": later(lambda t: 3 + 0.4 * t, lambda t: 1.7 + 0.4 * (t - 1))},
    ),
    "the rate of an amount": (
        [GROWING, "substanceOnly species S in c; S = 3; S' = 0.4;"],
        {"S": lambda t: 3 + 0.4 * t},
    ),
    "an event sets a concentration": (
        [GROWING, "species S in c; S = 3; F: at (time >= 1): S = S + 2;"],
        {"S": later(lambda t: 6 / size(t), lambda t: (6 / 2.5 + 2) * 2.5 / size(t))},
    ),
    "an event sets concentration and size, each with the other as before": (
        ["compartment c = 2; species S in c; S = 3; F: at (time >= 1): S = 0.2, c = 4;"],
        {"S": later(lambda t: 3 + 0 * t, lambda t: 0.1 + 0 * t)},
    ),
    "initial assignments to both": (
        ["compartment c; c = 2*k; c' = 0.5; species S in c; S = 3*c; k = 1;"],
        {"S": lambda t: 12 / size(t)},
    ),
    "a rule for a concentration": (
        [GROWING, "species S in c; S := 3*c; species T in c; T = 0; -> T; S;"],
        {"S": lambda t: 3 * size(t), "T": lambda t: (6 * t + 0.75 * t**2) / size(t)},
    ),
    "a size that states change": (
        ["compartment c; x = 2; x' = 0.5; c := x; species S in c; S = 3; S -> ; k*S*c; k = 0.7;"],
        {"S": lambda t: 6 * np.exp(-0.7 * t) / size(t)},
    ),
    "a stoichiometry with a rate of change": (
        ["species S; S = 1; J: -> n S; k*n; n = 2; n' = 0.5; k = 3;"],
        {"S": lambda t: 1 + 3 * (4 * t + t**2 + t**3 / 12), "n": size, "J": lambda t: 3 * size(t)},
    ),
    "a stoichiometry by a rule": (
        ["species S; S = 1; J: n S -> ; k; n := 2 + 0.5*time; k = 3;"],
        {"S": lambda t: 1 - 6 * t - 0.75 * t**2, "n": size},
    ),
    "a stoichiometry that an event sets": (
        ["species S; S = 1; J: -> n S; k; n = 2; k = 3; E: at (time >= 1): n = 5;"],
        {"S": later(lambda t: 1 + 6 * t, lambda t: 7 + 15 * (t - 1))},
    ),
    "a stoichiometry that is calculated at the start": (
        ["species S; S = 1; J: -> n S; k; n = 2*half; half = 1 + k; k = 3;"],
        {"S": lambda t: 1 + 24 * t, "n": lambda t: 8 + 0 * t},
    ),
    "one species on both sides": (
        ["species S; S = 1; J: 2 S -> 5 S; k; k = 3;"],
        {"S": lambda t: 1 + 9 * t},
    ),
    "at the boundary and constant, one by a rule": (
        ["species $B, S; const species F; B = 2; F = 4; S = 0; J: B + F -> S; k*B*F; k = 0.5; B' = 1;"],
        {"B": lambda t: 2 + t, "F": lambda t: 4 + 0 * t, "S": lambda t: 4 * t + t**2},
    ),
}


def _text(lines: list[str]) -> str:
    return "model m()\n" + "\n".join(lines) + "\nend\n"


@pytest.mark.parametrize("backend", ["numpy", "llvm"])
@pytest.mark.parametrize("name", MODELS)
def test_the_closed_form(name: str, backend: str) -> None:
    lines, courses = MODELS[name]
    model = read_antimony(_text(lines), file="m.ant")
    result = simulate(model, TIMES, list(courses), rtol=1e-9, backend=backend)
    for symbol, course in courses.items():
        # Errors of steps add up over a few dozen of them, all quantities are about 1.
        np.testing.assert_allclose(result[symbol], course(TIMES), rtol=1e-7, err_msg=symbol)


@pytest.mark.parametrize("name", [name for name in MODELS if name not in OTHERWISE])
def test_libroadrunner_agrees(name: str) -> None:
    lines, courses = MODELS[name]
    text = _text(lines)
    model = read_antimony(text, file="m.ant")
    runner = roadrunner.RoadRunner(antimony_to_sbml(text, file="m.ant"))
    runner.integrator.absolute_tolerance, runner.integrator.relative_tolerance = 1e-12, 1e-10
    means = {one.id: one for one in model.species}
    symbols = [f"[{name}]" if name in means and not means[name].is_amount else name for name in courses]
    runner.timeCourseSelections = symbols
    theirs = np.array(runner.simulate(0, END, POINTS))
    ours = simulate(model, TIMES, list(courses), rtol=1e-9)
    for column, symbol in enumerate(courses):
        np.testing.assert_allclose(ours[symbol], theirs[:, column], rtol=1e-6, err_msg=symbol)


LEVELS = {
    (1, 2): ("level1", "name", "volume"),
    (2, 1): ("level2", "id", "size"),
    (2, 4): ("level2/version4", "id", "size"),
    (3, 1): ("level3/version1/core", "id", "size"),
    (3, 2): ("level3/version2/core", "id", "size"),
}
MATHML = '<math xmlns="http://www.w3.org/1998/Math/MathML"><apply><times/><ci>k</ci><ci>A</ci><ci>c</ci></apply></math>'


def dimer(level: int, version: int, *, factors: str = "", kept: str = "", law: str = MATHML) -> str:
    """1.5 A -> B at the rate k A c, k = 0.2 in the reaction and 9 outside of it, in the words of one level."""
    namespace, name, volume = LEVELS[level, version]
    third = level == 3
    constant = ' constant="true"' if third else ""
    flags = ' hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"' if third else ""
    dimensions = ' spatialDimensions="3"' if third else ""
    half = '"3" denominator="2"' if level == 1 else '"1.5"'
    one = f' stoichiometry="1"{constant}' if third else ""
    inside = "listOfLocalParameters" if third else "listOfParameters"
    parameter = "localParameter" if third else "parameter"
    formula, math = ('formula="k*A*c"', "") if level == 1 else ("", law)
    fast = ' fast="false"' if (level, version) == (3, 1) else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/{namespace}" level="{level}" version="{version}"><model {name}="dimer"{factors}>
<listOfCompartments><compartment {name}="c" {volume}="4"{dimensions}{constant}/></listOfCompartments>
<listOfSpecies><species {name}="A" compartment="c" initialAmount="8"{flags}{kept}/>
<species {name}="B" compartment="c" initialAmount="0"{flags}/></listOfSpecies>
<listOfParameters><parameter {name}="k" value="9"{constant}/><parameter {name}="f" value="10"{constant}/>
<parameter {name}="g" value="3"{constant}/></listOfParameters>
<listOfReactions><reaction {name}="R" reversible="false"{fast}>
<listOfReactants><speciesReference species="A" stoichiometry={half}{constant}/></listOfReactants>
<listOfProducts><speciesReference species="B"{one}/></listOfProducts>
<kineticLaw {formula}>{math}<{inside}><{parameter} {name}="k" value="0.2"/></{inside}></kineticLaw>
</reaction></listOfReactions></model></sbml>
"""


@pytest.mark.parametrize(("level", "version"), LEVELS)
def test_each_level_says_the_same(level: int, version: int) -> None:
    result = simulate(read_sbml(dimer(level, version), file="m.xml"), TIMES, ["A", "B", "k"], rtol=1e-9)
    left = np.exp(-0.3 * TIMES)
    np.testing.assert_allclose(result["A"], 2 * left, rtol=1e-7)
    np.testing.assert_allclose(amount(result, "B"), (8 - 8 * left) / 1.5, rtol=1e-7)
    assert result["k"].values[0] == 9.0


def test_conversion_factors_turn_extent_into_substance() -> None:
    """d(amount)/dt = f n v, f of the species before that of the model."""
    text = dimer(3, 2, factors=' conversionFactor="f"', kept=' conversionFactor="g"')
    result = simulate(read_sbml(text, file="m.xml"), TIMES, rtol=1e-9)
    left = np.exp(-0.9 * TIMES)
    np.testing.assert_allclose(amount(result, "A"), 8 * left, rtol=1e-7)
    np.testing.assert_allclose(amount(result, "B"), 10 * (8 - 8 * left) / 4.5, rtol=1e-7)


def test_members_have_compartments_of_their_own_size() -> None:
    """As if each size stood in the file: amounts that it gives stay, concentrations that it gives stay."""
    text = "model m()\ncompartment c = 2; species S in c; S = 3; E: at (time >= 1): c = 4;\nend\n"
    diluted = simulate(read_antimony(text, file="m.ant"), TIMES, ["S"], parameters={"c": [1.0, 2.0]})
    np.testing.assert_allclose(diluted["S"][:, [0, -1]], [[3.0, 0.75], [3.0, 1.5]], rtol=1e-12)
    np.testing.assert_allclose(amount(diluted, "S")[:, [0, -1]], [[3.0, 3.0], [6.0, 6.0]], rtol=1e-12)
    given = simulate(read_sbml(dimer(2, 4), file="m.xml"), TIMES, ["A"], parameters={"c": [4.0, 1.0]})
    np.testing.assert_allclose(given["A"][:, 0], [2.0, 8.0], rtol=1e-12)


STOICHIOMETRY = (
    '<stoichiometryMath><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><plus/><cn>1</cn><ci>k</ci></apply>'
    "</math></stoichiometryMath>"
)


def test_stoichiometry_of_level_2_is_calculated_with_what_stands_outside_the_reaction() -> None:
    text = dimer(2, 4).replace(
        '<speciesReference species="B"/>', f'<speciesReference species="B">{STOICHIOMETRY}</speciesReference>'
    )
    result = simulate(read_sbml(text, file="m.xml"), TIMES, ["B"], rtol=1e-9)
    np.testing.assert_allclose(amount(result, "B"), 10 * (8 - 8 * np.exp(-0.3 * TIMES)) / 1.5, rtol=1e-7)


POINT = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level{}" level="{}" version="{}"><model id="m">
<listOfCompartments><compartment id="c" spatialDimensions="0"{} constant="true"/></listOfCompartments>
<listOfSpecies><species id="S" compartment="c" initialAmount="6" hasOnlySubstanceUnits="false"
 boundaryCondition="false" constant="false"/></listOfSpecies></model></sbml>
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (POINT.format("2/version4", 2, 4, ""), 6.0),
        (POINT.format("3/version2/core", 3, 2, ""), 6.0),
        (POINT.format("3/version2/core", 3, 2, ' size="2"'), 3.0),
    ],
)
def test_a_point_has_amounts_unless_level_3_gives_it_a_size(text: str, value: float) -> None:
    result = simulate(read_sbml(text, file="m.xml"), TIMES)
    assert result["S"].values[0] == value
    assert amount(result, "S").values[0] == 6.0


def test_a_stoichiometry_with_an_id_can_be_asked_for_and_set() -> None:
    text = dimer(3, 2).replace('<speciesReference species="B" ', '<speciesReference id="n" species="B" ')
    result = simulate(read_sbml(text, file="m.xml"), TIMES, ["n", "B"], parameters={"n": [1.0, 3.0]}, rtol=1e-9)
    assert result["n"].values[:, 0].tolist() == [1.0, 3.0]
    np.testing.assert_allclose(result["B"][1], 3 * result["B"][0], rtol=1e-7)


def test_a_unit_that_is_not_defined_changes_nothing() -> None:
    text = dimer(3, 2).replace('<parameter id="f" ', '<parameter id="f" units="fathom" ')
    model = read_sbml(text, file="m.xml")
    assert model.by_id["f"].unit == ""
