"""What of SBML's mathematics is more than an operator: rates of change as values, factorials, empty elements."""

from __future__ import annotations

import math

import numpy as np
import pytest

import bonesim
from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.ode import OdeModel
from bonesim.sbml.build import initial_values
from bonesim.sbml.read import read_antimony, read_sbml

MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
RATE_OF = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf"> rateOf </csymbol>'


def antimony(*lines: str) -> OdeModel:
    return read_antimony("model m()\n" + "\n".join(lines) + "\nend\n", file="m.ant")


def sbml(*lines: str, version: int = 2) -> OdeModel:
    core = f"http://www.sbml.org/sbml/level3/version{version}/core"
    text = "\n".join(lines).replace("<math>", f"<math {MATH}>").replace("<rateOf/>", RATE_OF)
    return read_sbml(
        f'<?xml version="1.0" encoding="UTF-8"?>\n<sbml xmlns="{core}" level="3" version="{version}"><model id="m">\n'
        f"{text}\n</model></sbml>",
        file="m.xml",
    )


@pytest.mark.parametrize(
    ("asked", "value"),
    [
        ("x", -0.5 * 4.0),  # a rate rule
        ("k", 0.0),  # a constant
        ("jumping", 0.0),  # moved by an event alone
        ("A", -0.25 * 3.0),  # a concentration: rate of the reaction over the size
        ("B", 2 * 0.25 * 3.0 * 2.0),  # an amount
    ],
)
def test_the_rate_of_each_kind_of_quantity(asked: str, value: float) -> None:
    model = antimony(
        "compartment c = 2; species A in c; substanceOnly species B in c;",
        "R: A -> 2 B; k*A*c; A = 3; B = 4; k = 0.25;",
        "x = 4; x' = -0.5*x; jumping = 1; at (x > 9): jumping = 2;",
        f"y := rateOf({asked}) + 1;",
    )
    assert initial_values(model)["y"] == value + 1
    found = bonesim.simulate(model, [0, 1e-9], ["y"])["y"].values
    np.testing.assert_allclose(found, value + 1, rtol=1e-8)


def test_a_rate_as_value_runs_with_the_state() -> None:
    """x' = -x and y' = x' keep y - x."""
    result = bonesim.simulate(antimony("x = 2; x' = -x; y = 5; y' = rateOf(x);"), [0, 1, 3], rtol=1e-9)
    np.testing.assert_allclose(result["y"], 3 + 2 * np.exp([0, -1, -3]), rtol=1e-8)


def test_the_name_of_a_rate_is_one_that_nothing_has() -> None:
    model = antimony("x = 2; x' = -x; x__rate = 7; y := rateOf(x) + x__rate;")
    assert initial_values(model)["y"] == 5.0


ASKING = """<listOfParameters><parameter id="x" value="3" constant="false"/><parameter id="y" constant="false"/>
</listOfParameters>
<listOfRules>LAW<assignmentRule variable="y"><math><apply><rateOf/>ASKED</apply></math></assignmentRule></listOfRules>
<listOfReactions><reaction id="R" reversible="false"><kineticLaw><math><cn> 1 </cn></math></kineticLaw></reaction>
</listOfReactions>"""
ASSIGNED = '<assignmentRule variable="x"><math><cn> 1 </cn></math></assignmentRule>'


@pytest.mark.parametrize(("law", "asked"), [(ASSIGNED, "x"), ("", "R")])
def test_the_rate_of_what_a_rule_or_a_reaction_defines_is_refused(law: str, asked: str) -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        sbml(ASKING.replace("LAW", law).replace("ASKED", f"<ci> {asked} </ci>"))
    assert str(caught.value) == (
        f"m.xml:5: rule for 'y', '{asked}': the rate of change (csymbol 'rateOf') of what a rule, a reaction or a "
        "constraint defines is not supported\n  try: write the derivative as an assignment rule and use that"
    )


def test_the_rate_of_nothing_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        sbml(ASKING.replace("LAW", "").replace("ASKED", "<ci> xx </ci>"))
    assert str(caught.value) == (
        "m.xml:5: rule for 'y' asks for the rate of change of 'xx', which is not defined\n  try: did you mean 'x'?"
    )


def test_rates_that_define_each_other_are_refused() -> None:
    circle = ASKING.replace("LAW", "").replace("ASKED", "<ci> y </ci>").replace("assignmentRule", "rateRule")
    with pytest.raises(InputError, match="rules define each other in a circle: y__rate -> y__rate"):
        sbml(circle.replace('id="y"', 'id="y" value="1"'))


EMPTY = """
<listOfParameters><parameter id="p" value="3" constant="false"/><parameter id="q" value="4" constant="false"/>
<parameter id="r" value="5" constant="false"/></listOfParameters>
<listOfInitialAssignments><initialAssignment symbol="p"/></listOfInitialAssignments>
<listOfRules><assignmentRule variable="r"/><rateRule variable="q"/></listOfRules>
<listOfEvents><event id="never" useValuesFromTriggerTime="true"><listOfEventAssignments>
<eventAssignment variable="q"><math><cn> 9 </cn></math></eventAssignment></listOfEventAssignments></event>
<event id="half" useValuesFromTriggerTime="true"><trigger initialValue="false" persistent="true"><math><apply><geq/>
<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> t </csymbol><cn> 1 </cn></apply></math>
</trigger><priority/><delay/><listOfEventAssignments><eventAssignment variable="p"/>
<eventAssignment variable="q"><math><cn> 5 </cn></math></eventAssignment></listOfEventAssignments></event>
</listOfEvents>
"""


def test_what_has_no_mathematics_says_nothing() -> None:
    result = bonesim.simulate(sbml(EMPTY), [0, 0.5, 1], ["p", "q", "r"])
    assert result["r"].values.tolist() == [5, 5, 5]
    assert result["p"].values.tolist() == [3, 3, 3]
    assert result["q"].values.tolist() == [4, 4, 5]


def test_before_version_2_of_level_3_there_must_be_mathematics() -> None:
    with pytest.raises(InputError, match=r"^m\.xml"):
        sbml(EMPTY, version=1)


def test_a_factorial_moves_with_whole_numbers() -> None:
    model = antimony("x = 0.5; x' = 1; y := factorial(ceil(x));")
    assert bonesim.simulate(model, [0, 1, 4], ["y"])["y"].values.tolist() == [1.0, 2.0, 120.0]
    assert math.isnan(initial_values(antimony("y := factorial(0.5);"))["y"])


def test_an_output_at_the_time_of_a_turn_is_that_of_the_condition_as_written() -> None:
    """At t = 1 `time <= 1` holds and `time > 1` does not; rates are taken with what holds from there on."""
    model = antimony(
        "x = 0; x' = piecewise(1, time <= 1, 3);",
        "first := piecewise(1, time <= 1, 0); later := piecewise(1, time > 1, 0); since := piecewise(1, 1 <= time, 0);",
    )
    for backend in ("numpy", "llvm"):
        result = bonesim.simulate(model, [0, 0.5, 1, 1.5], ["x", "first", "later", "since"], backend=backend)
        assert result["first"].values.tolist() == [1, 1, 1, 0]
        assert result["later"].values.tolist() == [0, 0, 0, 1]
        assert result["since"].values.tolist() == [0, 0, 1, 1]
        np.testing.assert_allclose(result["x"], [0, 0.5, 1, 2.5], rtol=1e-12)
