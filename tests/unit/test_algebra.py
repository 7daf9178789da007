"""Algebraic rules: which variable each determines, and as what."""

from __future__ import annotations

import pytest
from chemistry import read
from equations import formula

from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.ode import OdeModel, Rule, State
from bonesim.sbml.read import read_sbml


def determined(model: OdeModel) -> dict[str, str]:
    """Each variable that is neither a parameter nor has a rate, and what it is."""
    found = {rule.id: "rule" for rule in model.rules}
    return found | {state.id: "state" for state in model.states if state.algebraic}


def rule(model: OdeModel, name: str) -> Rule:
    found = model.by_id[name]
    assert isinstance(found, Rule)
    return found


def test_a_rule_that_is_linear_in_its_variable_is_solved_for_it() -> None:
    model = read("s = 1; s' = -s; var z; k = 3;", zero=["(k + 1)*z - s"])
    assert rule(model, "z").expr == formula("s/(k + 1)")


def test_signs_that_cancel_leave_no_trace() -> None:
    model = read("s = 1; s' = -s; var z; k = 3;", zero=["k - s - z"])
    assert rule(model, "z").expr == formula("k - s")


@pytest.mark.parametrize(
    "residual", ["z*z - s", "exp(z) - s", "piecewise(z, s > 1, 2*z) - s", "k/z - s", "2^z - s", "z*z/z - s"]
)
def test_any_other_rule_is_a_constraint(residual: str) -> None:
    model = read("s = 1; s' = -s; z = 2; var z; k = 3;", zero=[residual.replace("^", "**")])
    state = model.by_id["z"]
    assert isinstance(state, State)
    assert (state.algebraic, state.rate, state.initial) == (True, formula(residual.replace("^", "**")), formula(2))


def test_without_a_value_the_search_begins_at_1() -> None:
    state = read("s = 1; s' = -s; var z;", zero=["z*z - s"]).by_id["z"]
    assert isinstance(state, State)
    assert state.initial == formula(1)


def test_the_line_of_a_constraint_is_that_of_its_rule() -> None:
    state = read("s = 1; s' = -s; var z;", zero=["z*z - s"]).by_id["z"]
    assert state.origin.line == 8


@pytest.mark.parametrize(
    ("text", "zero", "expected"),
    [
        ("compartment c = 1; species A in c, B in c; A = 1; B = 1; k = 2; R: A -> ; c*A;", "A + B - k", {"R", "B"}),
        ("compartment c = 1; species A in c, $B in c; A = 1; B = 1; k = 2; R: B -> A; c*B;", "A + B - k", {"R", "B"}),
        ("compartment c = 1; species A in c, $B in c; A = 1; B = 1; k = 2;", "A - k*B", {"A"}),
        ("s = 1; s' = -s; var y; x = 3; var x;", "x + y - s", {"y"}),
        ("x = 3; var x; y = 2; var y; at (time > 1): y = 1;", "x + y - 5", {"x"}),
        ("x = 3; var x; y := 2*x;", "y - 8", {"y", "x"}),
        ("compartment c = 1; var c; p = 3;", "p - c", {"c"}),
        ("compartment c = 1; species A in c; A = 1; x = 3; var x; R: A -> ; c*x*A;", "R - 5", {"R", "x"}),
    ],
    ids=["reaction", "boundary", "boundary last", "no value", "event", "through a rule", "compartment", "rate"],
)
def test_a_rule_determines_what_nothing_else_does(text: str, zero: str, expected: set[str]) -> None:
    assert determined(read(text, zero=[zero])).keys() == expected


def test_a_choice_of_one_rule_leaves_the_others_theirs() -> None:
    """Only z stands in the second rule, so the first determines y."""
    model = read("s = 1; s' = -s; var z; var y;", zero=["y + z - s", "z - 2*s"])
    assert determined(model) == {"y": "rule", "z": "rule"}


def test_a_linear_system_is_eliminated_where_pivots_are_numbers() -> None:
    text = "s = 1; s' = -s; var x; var y; k = 2;"
    assert determined(read(text, zero=["x + y - s", "x - y - 1"])) == {"x": "rule", "y": "rule"}
    assert set(determined(read(text, zero=["x + k*y - s", "k*x + y - 1"])).values()) == {"state"}
    assert determined(read("s = 1; s' = -s; var x; k = 2;", zero=["k*x - s"])) == {"x": "rule"}


def test_a_rule_without_mathematics_says_nothing() -> None:
    text = """<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m">
    <listOfParameters><parameter id="p" value="3" constant="false"/></listOfParameters>
    <listOfRules><algebraicRule/></listOfRules></model></sbml>"""
    assert [parameter.value for parameter in read_sbml(text, file="m.xml").parameters] == [3.0]


def test_what_is_too_many_or_too_few_is_told_together() -> None:
    with pytest.raises(UnsupportedModelError) as raised:
        read("s = 1; s' = -s; x = 1; var x; y = 1; var y; k = 1;", zero=["s - k", "x - y"])
    assert "m.xml:10: algebraic rule: every variable in it is constant or is determined otherwise" in str(raised.value)
    assert "algebraic rule with 'x' and 'y': it determines one of these variables" in str(raised.value)


def test_in_a_compartment_whose_size_a_rule_gives_amounts_are_states() -> None:
    model = read("compartment c = 1; var c; species A in c; A = 1; s = 1; s' = 1;", zero=["c - s"])
    assert determined(model) == {"A": "rule", "c": "rule"}
    assert rule(model, "A").expr == formula("A_amount/c")


def test_an_event_cannot_set_the_only_variable_of_a_rule() -> None:
    with pytest.raises(InputError, match="sets 'x', which a rule defines"):
        read("x = 3; var x; k = 5; at (time > 1): x = 1;", zero=["x - k"])
