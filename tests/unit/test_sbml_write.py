"""Writing SBML, MathML and the SBML of Antimony text: valid, exact, the same bytes each time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonesim.errors import InputError, Place
from bonesim.model.expr import TIME, Call, Expr, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.model.ops import OPS
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.mathml_read import MathReader, Where
from bonesim.sbml.mathml_write import math_element
from bonesim.sbml.read import read_antimony, read_sbml
from bonesim.sbml.units import definition_id
from bonesim.sbml.write import write_sbml

libsbml = pytest.importorskip("libsbml")

WHERE = Where("formula", Place("f"))
DRUG = OdeModel(
    id="drug",
    name="one compartment & its effect",
    time_unit="day",
    states=(
        State("amount", Num(0.1 + 0.2), Call("neg", (Call("mul", (Sym("k"), Sym("amount"))),)), "cell", "in <plasma>"),
        State("area", Sym("offset"), Sym("level"), "cell*day/L"),
    ),
    parameters=(
        Parameter("k", 1 / 3, "1/day", label="elimination"),
        Parameter("V", 2.0, "L"),
        Parameter("offset", 6.0, "cell*day/L", Call("mul", (Num(3.0), Sym("V")))),
        Parameter("switch", 1.0, "dimensionless"),
        Parameter("bare", 1e-300),
        Parameter("first", 1.0, "1/(pM*day)"),
        Parameter("second", 1.0, "1/pM/day"),
    ),
    rules=(Rule("level", Call("div", (Sym("amount"), Sym("V"))), "cell/L"),),
    events=(TimedEvent("off", Num(2.5), (("switch", Num(0.0)), ("k", Call("mul", (Num(2.0), Sym("k")))))),),
    state_events=(
        StateEvent("full", Call("gt", (Sym("level"), Num(9.0))), (("amount", Num(0.0)),)),
        StateEvent("late", Call("lt", (TIME, Num(1.0))), (("switch", Num(0.5)),), initially=False),
    ),
)


def leaves() -> st.SearchStrategy[Expr]:
    numbers = st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, min_value=0.0).map(Num)
    return st.one_of(numbers, st.sampled_from(["k", "OBa", "x_1"]).map(Sym), st.just(TIME))


def calls(children: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    def of(op: str) -> st.SearchStrategy[Expr]:
        low, high = OPS[op].arity
        sizes = st.sampled_from([3, 5]) if high is None else st.just(low)
        return sizes.flatmap(lambda n: st.tuples(*[children] * n)).map(lambda args: Call(op, args))

    return st.sampled_from(sorted(OPS)).flatmap(of)


@given(st.recursive(leaves(), calls, max_leaves=12))
def test_mathml_reads_back_as_the_same_tree(expr: Expr) -> None:
    node = libsbml.readMathMLFromString("\n".join(math_element(expr)))
    assert MathReader({}).expression(node, WHERE) == expr


@given(st.floats(allow_nan=False, allow_subnormal=False))
def test_numbers_keep_all_digits(value: float) -> None:
    text = write_sbml(OdeModel("m", (), (Parameter("p", value),)))
    parameter = read_sbml(text, file="f").by_id["p"]
    assert isinstance(parameter, Parameter)
    assert parameter.value == value


def test_reading_what_was_written_gives_the_same_model() -> None:
    assert read_sbml(write_sbml(DRUG), file="drug.xml") == DRUG


def test_the_same_model_gives_the_same_bytes() -> None:
    assert write_sbml(DRUG) == write_sbml(replace(DRUG))


def test_libsbml_finds_no_error_and_no_unit_warning_where_all_units_are_declared() -> None:
    model = DRUG.with_(parameters=tuple(p for p in DRUG.parameters if p.id != "bare"))
    document = libsbml.readSBMLFromString(write_sbml(model))
    document.checkConsistency()
    noted = [document.getError(k) for k in range(document.getNumErrors())]
    # 99505: literal numbers have no unit, as in `2 k`; a remark on any formula with a number.
    assert [error.getMessage() for error in noted if error.getErrorId() != 99505] == []


def test_doses_are_added_under_free_ids_and_repeated_ones_written_out() -> None:
    jump = (("amount", Call("add", (Sym("amount"), Num(5.0)))),)
    doses = [TimedEvent("off", Num(1.0), jump), TimedEvent("dose", Num(0.0), jump, Num(7.0), 3)]
    events = read_sbml(write_sbml(DRUG, doses=doses), file="f").events
    later = [Call("add", (Num(0.0), Call("mul", (Num(turn), Num(7.0))))) for turn in (1.0, 2.0)]
    assert [(event.id, event.time) for event in events] == [
        ("off", Num(2.5)),
        ("off_", Num(1.0)),
        ("dose_1", Num(0.0)),
        ("dose_2", later[0]),
        ("dose_3", later[1]),
    ]


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(InputError, match="unknown unit 'furlong'"):
        write_sbml(OdeModel("m", (), (Parameter("p", 1.0, "furlong"),)))


@pytest.mark.parametrize(
    ("text", "unit_id"),
    [("pM/day", "pM_per_day"), ("1/day^2", "per_day2"), ("%", "percent"), ("1", "one")],
)
def test_unit_ids_are_readable(text: str, unit_id: str) -> None:
    assert definition_id(text) == unit_id


ANT = 'model m()\n  k = 0.2674077909527713; k is "a rate"; y := -2703476.379131062*k + 1.234567890123457e-9;\nend\n'


def test_antimony_gives_the_same_bytes_without_a_generator_comment_and_with_all_digits() -> None:
    text = antimony_to_sbml(ANT, file="m.ant")
    assert text == antimony_to_sbml(ANT, file="m.ant")
    assert "<!--" not in text
    assert '<parameter id="k" name="a rate" value="0.2674077909527713" constant="true"/>' in text
    assert "<cn> -2703476.379131062 </cn>" in text
    assert '<cn type="e-notation"> 1.234567890123457 <sep/> -9 </cn>' in text


def test_numbers_that_differ_after_the_15th_digit_stay_apart() -> None:
    text = "a = 0.3; b = -0.30000000000000004; c := a*0.30000000000000002 + 1e-290;  // 0.30000000000000004"
    model = read_antimony(text, file="m.ant")
    assert {one.id: one.value for one in model.parameters} == {"a": 0.3, "b": -0.30000000000000004}
    assert model.rules[0].expr == Call("add", (Call("mul", (Sym("a"), Num(0.30000000000000002))), Num(1e-290)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "model a()\n  x = = 2;\nend\n",
            "m.ant:2: Antimony: syntax error, unexpected number, expecting '='\n"
            "  try: see the line and the one before it; statements end with ';'",
        ),
        (
            'x = 1;\nimport "/etc/passwd";\n',
            "m.ant:2: Antimony 'import' is not allowed: a model may not read other files\n"
            "  try: put the imported model into this file",
        ),
    ],
)
def test_antimony_faults_have_their_line(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        antimony_to_sbml(text, file="m.ant")
    assert str(caught.value) == message


@pytest.mark.parametrize("kind", ["timed", "state"])
def test_an_event_that_ends_the_simulation_is_not_written(kind: str) -> None:
    timed = TimedEvent("end", Num(1.0), (), terminal=True)
    state = StateEvent("end", Call("gt", (TIME, Sym("V"))), (), terminal=True)
    ode = DRUG.with_(events=(timed,)) if kind == "timed" else DRUG.with_(state_events=(state,))
    with pytest.raises(InputError, match=r"^event 'end' ends the simulation, which SBML has no word for"):
        write_sbml(ode)
