"""Reading SBML and Antimony: every kind of quantity, every refusal with its whole message."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import bonesim
from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.expr import TIME, Call, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State
from bonesim.sbml.build import initial_values
from bonesim.sbml.read import read_antimony, read_model, read_sbml
from bonesim.sbml.supported import UNSUPPORTED

DATA = Path(__file__).parents[1] / "data"

BROKEN = {
    "bad_number": ":6: not valid SBML: Attribute type mismatch (rule 1016)\n"
    "  try: see rule 1016 of the SBML specification, or validate the file at sbml.org",
    "circular_functions": ":12: functions call each other in a circle: f -> f\n"
    "  try: write the formula without recursion",
    "circular_rules": ":5: rules define each other in a circle: x -> y -> x\n"
    "  try: break the circle, e.g. by giving one of them a rate of change",
    "duplicate_id": ":6: 'x' is defined 2 times\n  try: keep one definition",
    "entity_bomb": ":2: document type and entity declarations are not allowed\n  try: remove the <!DOCTYPE ...> part",
    "external_entity": ":2: document type and entity declarations are not allowed\n"
    "  try: remove the <!DOCTYPE ...> part",
    "no_law": ":11: reaction 'R' has no kinetic law\n  try: give it a <kineticLaw>",
    "no_size": ":5: compartment 'c' has no size, which species 'S' needs\n  try: give it a size, e.g. size=\"1\"",
    "no_value": ":6: 'k' has no value\n  try: give it an initial value",
    "not_sbml": ":2: not SBML: the root element is '<html>'\n  try: a model in SBML or Antimony",
    "not_xml": ":1: not XML: syntax error\n  try: a model in SBML or Antimony",
    "too_deep": ":9: elements are nested more than 250 deep\n  try: split the formula into assignment rules",
    "truncated": ":6: the XML ends too early\n  try: get a complete copy of the file",
    "undefined_symbol": ":5: the rate of 'x' uses 'kk', which is not defined\n  try: did you mean 'k'?",
}

REFUSED = {
    "early_use": ("early_use", ":7: initial value of 'y'"),
    "fast_event": ("fast_event", ":19: event 'E'"),
    "fast_rate": ("fast_rate", ":17: reaction 'R'"),
    "fast_stoichiometry": ("fast_stoichiometry", ":14: reaction 'R'"),
    "overdetermined": ("overdetermined", ":10: algebraic rule"),
    "package": ("package", ":2: package 'spatial'"),
    "rate_of": ("rate_of", ":10: rule for 'y', 'x'"),
    "random": ("random", ":2: package 'distrib'"),
    "submodels": ("submodels", ":12: submodel 'F'"),
    "undetermined": ("undetermined", ":9: algebraic rule with 'x' and 'y'"),
    "varying_compartment": ("varying_compartment", ":8: species 'S' and event 'E'"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_file_is_refused_with_place_and_remedy(fault: str) -> None:
    path = DATA / f"sbml_{fault}.xml"
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}{BROKEN[fault]}"
    assert not isinstance(caught.value, UnsupportedModelError)


@pytest.mark.parametrize("fault", REFUSED)
def test_an_unsupported_construct_is_named_with_place_and_remedy(fault: str) -> None:
    path = DATA / f"sbml_{fault}.xml"
    construct, where = REFUSED[fault]
    problem, remedy = UNSUPPORTED[construct]
    with pytest.raises(UnsupportedModelError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}{where}: {problem}\n  try: {remedy}"


def test_each_construct_of_the_table_has_a_file_that_uses_it() -> None:
    assert {construct for construct, _ in REFUSED.values()} == set(UNSUPPORTED)


def test_a_missing_file_and_a_too_large_one_are_refused(tmp_path: Path) -> None:
    missing, large = tmp_path / "no.xml", tmp_path / "large.xml"
    with pytest.raises(InputError) as caught:
        read_model(missing)
    assert str(caught.value) == f"{missing}: there is no such file\n  try: check the path"
    with large.open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(InputError) as caught:
        read_model(large)
    assert str(caught.value) == f"{large}: the file is too large: 60 MB\n  try: a model file of at most 50 MB"


def antimony(*lines: str) -> OdeModel:
    return read_antimony("model m()\n" + "\n".join(lines) + "\nend\n", file="m.ant")


def test_a_concentration_changes_by_rate_over_size_and_an_amount_by_the_rate() -> None:
    model = antimony(
        "compartment c = 2; species A in c; substanceOnly species B in c;",
        "R: A -> 2 B; k*A*c; A = 3; B = 4; k = 0.5;",
    )
    assert model.states == (
        State("A", Num(3.0), Call("div", (Call("neg", (Sym("R"),)), Sym("c")))),
        State("B", Num(4.0), Call("mul", (Num(2.0), Sym("R")))),
    )
    law = Call("mul", (Call("mul", (Sym("k"), Sym("A"))), Sym("c")))
    assert model.rules == (Rule("R", law),)
    assert model.parameters == (Parameter("c", 2.0), Parameter("k", 0.5))


def test_places_of_antimony_symbols_are_lines_of_the_antimony_text() -> None:
    model = antimony("// x = 5", "x = 1; k = 2;", "x' = -k*x;", "y := x;")
    assert {symbol.id: symbol.origin.line for symbol in model.symbols()} == {"x": 3, "k": 3, "y": 5}


LEVEL_1 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="old">
<listOfCompartments><compartment name="c" volume="4"/></listOfCompartments>
<listOfSpecies><species name="A" compartment="c" initialAmount="8"/>
<species name="B" compartment="c" initialAmount="2" boundaryCondition="true"/></listOfSpecies>
<listOfReactions><reaction name="R" reversible="false">
<listOfReactants><speciesReference species="A" stoichiometry="3" denominator="2"/></listOfReactants>
<listOfProducts><speciesReference species="B"/></listOfProducts>
<kineticLaw formula="k*A*log(B)"><listOfParameters><parameter name="k" value="0.1"/></listOfParameters></kineticLaw>
</reaction></listOfReactions></model></sbml>
"""


def test_level_1_gives_concentrations_fractional_stoichiometry_and_natural_logarithms() -> None:
    model = read_sbml(LEVEL_1, file="old.xml")
    change = Call("neg", (Call("mul", (Num(1.5), Sym("R"))),))
    assert model.states == (State("A", Call("div", (Num(8.0), Sym("c"))), Call("div", (change, Sym("c"))), "M"),)
    assert model.parameters == (
        Parameter("c", 4.0, "L"),
        Parameter("B", 0.5, "M", Call("div", (Num(2.0), Sym("c")))),
        Parameter("R__k", 0.1),
    )
    law = Call("mul", (Call("mul", (Sym("R__k"), Sym("A"))), Call("ln", (Sym("B"),))))
    assert model.rules == (Rule("R", law, "mol/s"),)
    assert (model.id, model.name, model.time_unit) == ("old", "", "s")


LEVEL_3 = """<?xml version="1.0" encoding="UTF-8"?>
<sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2"><model id="m" conversionFactor="f">
<listOfFunctionDefinitions><functionDefinition id="twice"><math xmlns="http://www.w3.org/1998/Math/MathML">
<lambda><bvar><ci>a</ci></bvar><apply><plus/><ci>a</ci><ci>a</ci></apply></lambda></math></functionDefinition>
</listOfFunctionDefinitions>
<listOfCompartments><compartment id="c" spatialDimensions="3" size="2" constant="true"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialConcentration="1" hasOnlySubstanceUnits="true"
 boundaryCondition="false" constant="false"/></listOfSpecies>
<listOfParameters><parameter id="f" value="10" constant="true"/><parameter id="half" constant="true"/>
</listOfParameters>
<listOfInitialAssignments><initialAssignment symbol="half"><math xmlns="http://www.w3.org/1998/Math/MathML">
<apply><divide/><ci>n</ci><ci>A</ci></apply></math></initialAssignment></listOfInitialAssignments>
<listOfReactions><reaction id="R" reversible="false"><listOfProducts>
<speciesReference id="n" species="A" stoichiometry="3" constant="true"/></listOfProducts>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><apply><ci>twice</ci><ci>half</ci></apply></math>
</kineticLaw></reaction></listOfReactions></model></sbml>
"""


def test_level_3_conversion_factor_function_named_stoichiometry_and_initial_assignment() -> None:
    model = read_sbml(LEVEL_3, file="m.xml")
    rate = Call("mul", (Sym("f"), Call("mul", (Sym("n"), Sym("R")))))
    assert model.states == (State("A", Call("mul", (Num(1.0), Sym("c"))), rate),)
    assert model.rules == (Rule("R", Call("add", (Sym("half"), Sym("half")))),)
    assert Parameter("n", 3.0, "dimensionless") in model.parameters
    assert Parameter("half", 1.5, "", Call("div", (Sym("n"), Sym("A")))) in model.parameters
    assert initial_values(model)["R"] == 3.0


@pytest.mark.parametrize(
    ("trigger", "time"),
    [
        ("time >= 3", Num(3.0)),
        ("3 <= time", Num(3.0)),
        ("time > 3", Num(3.0)),
        ("time >= 0", None),
        ("time > 0", Num(0.0)),
        ("time >= -1", None),
        ("time >= t0", Call("piecewise", (Sym("t0"), Call("gt", (Sym("t0"), Num(0.0))), Num(math.inf)))),
    ],
)
def test_an_event_that_is_true_at_the_start_never_happens(trigger: str, time: object) -> None:
    model = antimony("x = 1; x' = 0; t0 = 4;", f"E: at ({trigger}): x = 2;")
    assert [event.time for event in model.events] == ([] if time is None else [time])


def test_an_event_declared_false_before_the_start_happens_at_the_start() -> None:
    model = antimony(
        "x = 1; x' = 0; t0 = 4;", "E: at (time >= -1), t0=false: x = 2;", "F: at (time >= t0), t0=false: x = 3;"
    )
    assert [(event.id, event.time) for event in model.events] == [
        ("E", Num(0.0)),
        ("F", Call("max", (Sym("t0"), Num(0.0)))),
    ]


def test_events_of_higher_priority_come_first() -> None:
    model = antimony(
        "x = 1; x' = 0;",
        "A: at (time >= 3), fromTrigger=false: x = 0;",
        "B: at (time >= 3), fromTrigger=false, priority=2: x = x + 1;",
        "C: at (time >= 3), fromTrigger=false, priority=5: x = x + 2;",
    )
    assert [event.id for event in model.events] == ["C", "B", "A"]


@pytest.mark.parametrize(
    "trigger", ["x > 3", "time*time > 9", "time < 3", "k > 1", "time >= 3 && x > 1", "time >= next", "3 == k"]
)
def test_an_event_that_no_constant_times_is_a_state_event(trigger: str) -> None:
    model = antimony("x = 1; x' = 1; k = 2; next = 7; next' = 0;", f"E: at ({trigger}), t0=false: x = 2, k = x;")
    assert model.events == ()
    (event,) = model.state_events
    assert (event.id, event.initially, event.terminal) == ("E", False, False)
    assert event.assignments == (("x", Num(2.0)), ("k", Sym("x")))
    assert event.origin.line == 3


def test_state_events_keep_what_they_count_as_before_the_start_and_stand_in_order_of_priority() -> None:
    model = antimony(
        "x = 1; x' = 0; y = 1;",
        "A: at (x > 2): y = 1;",
        "B: at (x > 3), t0=false, priority=2: y = 2;",
        "C: at (x > 4), priority=5: y = 3;",
    )
    assert [(event.id, event.initially) for event in model.state_events] == [("C", True), ("B", False), ("A", True)]


@pytest.mark.parametrize(
    ("second", "queued"),
    [
        ("F: at (x > 2): y = y + 1;", True),
        ("F: at (x > 2), fromTrigger=false: y = y + 1;", False),
        ("F: at (x > 2): y = 1;", False),
        ("F: at (x > 3): y = y + 1;", False),
        ("F: at (x > 2): z = 1;", False),
        ("F: at (x > 3): y = y + 1; G: at (time > 4): x = 5;", True),
        ("F: at (x > 3): y = y + 1; G: at (time > 4): z = 5;", False),
        ("F: at (x > 2): y = y + 2;", True),
    ],
)
def test_state_events_that_may_fall_together_with_values_from_before_both_wait_in_a_queue(
    second: str, queued: bool
) -> None:
    model = antimony("x = 1; x' = 1; y = 0; z = 0;", "E: at (x > 2): y = y + 2;", second)
    assert model.queued is queued
    assert model.state_events[0].from_trigger_time is queued


@pytest.mark.parametrize(
    "waiting",
    [
        "E: at 2 after (time >= 3): x = 2;",
        "E: at k after (time >= 3): x = 2;",
        "E: at (time >= 3), priority=k: x = 2;",
        "E: at (time >= 3), priority=2: x = 2; F: at (x > 1.5), priority=5: y = 3;",
        "E: at (x > 2), persistent=false: y = 1; F: at (time > 3): x = 1;",
        "E: at (time >= 3): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (time >= k): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (time >= k): x = x + 2; F: at (time >= 2*k): x = x + 5;",
        "E: at (time >= k + 1), t0=false: x = x + 2; F: at (time >= k): x = x + 5;",
        "E: at (x > 2), t0=false: y = x; F: at (y < k), t0=false: x = y;",
        "E: at (time >= k): x = 2; F: at (time >= 3): y = 1; G: at (x > 1.5): x = y;",
        "E: at (x > 2): y = 1; F: at (x > 2): k = 1; G: at (y > 0): x = k;",
        "E: at (x > 5), priority=2: y = 2; F: at (5 < x), priority=1: k = y;",
        "E: at (x > 5), priority=2: y = 2; F: at (x >= 5 && y < 3), priority=1: k = y;",
        "E: at (time >= 3), priority=4: y = 6; F: at (time >= 3), priority=3: y = 0;"
        "G: at (time >= 3), priority=2: y = 7; H: at (y > 5), priority=1, fromTrigger=false: x = x + 1;",
        "E: at (time >= 3 && x < 2): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (time >= 3 && x < 2): x = x + 2; F: at (time >= k && x < 2): x = x + 5;",
        "E: at (2*time >= 6 && x < 2): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (sin(time) > 0.5): x = x + 2; F: at (time >= k): x = x + 5;",
        "E: at (time*time > 9): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (time*time > 9): x = x + 2; F: at (y + time*time > 9): x = x + 5;",
        "E: at (delay(x, k) > 1): x = x + 2; F: at (time >= 3): x = x + 5;",
        "E: at (x > 0), t0=false: y = x; F: at (time > k): x = y;",
        "E: at (x > 2), fromTrigger=false, priority=1: y = 2; F: at (x > 2), fromTrigger=false, priority=1: y = 3;",
    ],
)
def test_events_of_which_the_order_of_the_model_may_not_say_enough_wait_in_a_queue(waiting: str) -> None:
    model = antimony("x = 1; x' = 0; k = 2; y = 0;", waiting)
    assert model.queued
    assert model.events == ()


@pytest.mark.parametrize(
    "plain",
    [
        "E: at (time >= k): x = x + 2; F: at (time >= k + 3): x = x + 5;",
        "E: at (time >= 3*k - 1): x = x + 2; F: at (2 + 3*k <= time): x = x + 5;",
        "E: at (time >= k): y = 2; F: at (time >= z): y = 0;",
        "E: at (time >= 3): x = x + 2; F: at (time >= 4): x = x + 5;",
        "E: at (time >= 3): y = y + 2; F: at (time >= 4 && x > 0): y = y + 5;",
        "E: at (time >= 3): y = y + 2; F: at (time*time >= 9.1): y = y + 5;",
        "E: at (sin(time) > 0.5): y = y + 2; F: at (time*time > 9): y = y + 5;",
        "E: at (time*x > 2): y = y + 2; F: at (x > 4): y = y + 5;",
    ],
)
def test_events_whose_order_is_the_same_for_all_parameters_do_not_wait(plain: str) -> None:
    model = antimony("x = 1; x' = 0; k = 2; y = 0; z = 3;", plain)
    assert not model.queued
    assert [event.id for event in (*model.events, *model.state_events)] == ["E", "F"]


def test_what_is_set_off_twice_at_one_time_happens_twice() -> None:
    turning = ("E: at (time >= 3), priority=4: y = 6;", "F: at (time >= 3), priority=3: y = 0;")
    counting = ("G: at (time >= 3), priority=2: y = 7;", "H: at (y > 5), priority=1, fromTrigger=false: n = n + 1;")
    model = antimony("x = 1; x' = 0; y = 0; n = 0;", *turning, *counting)
    assert bonesim.simulate(model, [0, 5], ["n"])["n"].values.tolist() == [0, 2]


def test_members_whose_events_fall_together_take_values_from_before_both() -> None:
    model = antimony("x = 1; x' = 0; k = 2;", "E: at (time >= k): x = x + 2; F: at (time >= 3): x = x + 5;")
    result = bonesim.simulate(model, [0, 2.5, 5], ["x"], parameters={"k": [2.0, 3.0, 4.0]})
    assert result["x"].values.tolist() == [[1, 3, 8], [1, 1, 6], [1, 1, 8]]


def test_events_that_set_the_same_to_the_same_need_no_queue() -> None:
    model = antimony(
        "x = 1; x' = 1; y = 0; k = 2; m0 = 0;",
        "E: at (time >= m0 + 1): y = k;",
        "F: at (time >= m0 + 2): y = k;",
        "G: at (time >= m0 + 3): m0 = m0 + 3;",
    )
    assert not model.queued


def test_an_event_in_a_queue_is_kept_as_written() -> None:
    model = antimony(
        "x = 1; x' = 1; k = 2;",
        "E: at k after (x > 2), t0=false, priority=k+1, persistent=false, fromTrigger=false: x = 0;",
        "F: at (time >= 3): x = 5;",
    )
    first, second = model.state_events
    assert (first.id, first.initially, first.persistent, first.from_trigger_time) == ("E", False, False, False)
    assert (first.delay, first.priority) == (Sym("k"), Call("add", (Sym("k"), Num(1.0))))
    assert (second.trigger, second.delay, second.priority) == (Call("ge", (TIME, Num(3.0))), None, None)
    assert (second.initially, second.persistent, second.from_trigger_time) == (True, True, True)


def test_an_event_that_nothing_takes_back_need_not_be_persistent() -> None:
    model = antimony("x = 1; x' = 1; y = 0;", "E: at (x > 2), persistent=false: x = 0;", "F: at (x > 3): y = 1;")
    assert [event.id for event in model.state_events] == ["E", "F"]
    assert not model.queued


def test_units_become_text() -> None:
    model = antimony(
        "unit time_unit = 86400 second; unit pM = 1e-12 mole/litre; unit rate = 1e-12 mole/(litre*86400 second);",
        "unit cell = 1 item; unit odd = 7 second; unit third = 86400 second/litre;",
        "a = 1 pM; b = 1 rate; c = 1 cell; d = 1 odd; e = 1 third; g = 1 dimensionless; h = 1;",
    )
    units = {parameter.id: parameter.unit for parameter in model.parameters}
    expected = {"a": "pM", "b": "pM/day", "c": "cell", "d": "", "e": "day/L", "g": "dimensionless", "h": ""}
    assert (units, model.time_unit) == (expected, "day")


def test_time_in_a_rate_is_kept() -> None:
    assert antimony("x = 1; x' = time;").states[0].rate == TIME


def test_a_file_without_known_suffix_is_told_by_its_content(tmp_path: Path) -> None:
    old, new = tmp_path / "a.txt", tmp_path / "b.txt"
    old.write_text(LEVEL_1, encoding="utf-8")
    new.write_text("model b()\n x = 1; x' = -x;\nend\n", encoding="utf-8")
    assert (read_model(old).id, read_model(new).id) == ("old", "b")


def test_the_declared_encoding_counts(tmp_path: Path) -> None:
    path = tmp_path / "latin.xml"
    text = LEVEL_3.replace("UTF-8", "ISO-8859-1").replace('id="f"', 'id="f" name="\u00b5"')
    path.write_bytes(text.encode("latin-1"))
    assert read_model(path).by_id["f"].label == "\u00b5"
    path.write_bytes(text.replace("ISO-8859-1", "UTF-8").encode("latin-1"))
    with pytest.raises(InputError) as caught:
        read_model(path)
    assert str(caught.value) == f"{path}:9: the text is not UTF-8\n  try: save it as UTF-8"


def test_functions_that_grow_without_limit_are_refused() -> None:
    functions = "\n".join(f"function f{k}(a) {f'f{k - 1}(f{k - 1}(a))' if k else 'a*a'} end" for k in range(12))
    with pytest.raises(InputError) as caught:
        read_antimony(f"{functions}\nmodel m()\n k = 1; y := f11(k);\nend\n", file="m.ant")
    assert str(caught.value) == (
        "m.ant:14: rule for 'y' is too large a formula: more than 200000 terms or 400 levels\n"
        "  try: split it into assignment rules"
    )


def test_a_sum_of_a_thousand_terms_is_read() -> None:
    model = antimony("k = 1;", f"y := {' + '.join(['k'] * 1000)};")
    assert initial_values(model)["y"] == 1000.0
