"""A model as plain data: nothing is lost on the way through JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from equations import event, formula, model, when

from bonesim.model.document import from_document, to_document
from bonesim.model.expr import TIME, Call, Num, Sym
from bonesim.model.ode import OdeModel, Origin, Parameter
from bonesim.resources import model_ids, scenario_files
from bonesim.sbml.library import read_library_model
from bonesim.scenario.load import load_scenario
from bonesim.scenario.resolve import resolve

WHOLE = replace(
    model(
        {"x": ("2*k", "-k*x + t"), "time": (1, 0)},
        {"k": 0.1, "half": "k/2", "tiny": 5e-324},
        {"r": "exp(x)"},
        [
            event("k", every="half", count=3, x="x + 1", k="2*k"),
            event(4, x="0", terminal=True),
            when("x > k or time < 3", initially=False, x="x - 1", k="0"),
            when("x < 0", terminal=True),
        ],
    ),
    name="a name",
    time_unit="h",
    origin=Origin("file.xml", 3),
)


def through_json(ode: OdeModel) -> OdeModel:
    return from_document(json.loads(json.dumps(to_document(ode))))


def origins(ode: OdeModel) -> list[Origin]:
    return [
        ode.origin,
        *(symbol.origin for symbol in ode.symbols()),
        *(one.origin for one in (*ode.events, *ode.state_events)),
    ]


def test_every_field_of_a_model_comes_back() -> None:
    placed = WHOLE.with_(
        parameters=tuple(
            replace(parameter, unit="1/day", label="a label", origin=Origin("file.xml", line))
            for line, parameter in enumerate(WHOLE.parameters)
        )
    )
    back = through_json(placed)
    assert back == placed
    assert origins(back) == origins(placed)  # not part of equality
    assert back.content_hash == placed.content_hash


def test_a_symbol_called_time_is_not_the_time() -> None:
    back = through_json(model({"time": (1, 0)}, rules={"r": "t"}).with_(rules=()))
    assert back.states[0].id == "time"
    ode = WHOLE.with_(rules=(replace(WHOLE.rules[0], expr=Call("add", (TIME, Sym("time")))),))
    assert through_json(ode).rules[0].expr == Call("add", (TIME, Sym("time")))


@pytest.mark.parametrize("value", [0.1, 1 / 3, 5e-324, -0.0, 1.7976931348623157e308, 2.0**53 + 2])
def test_numbers_come_back_with_all_their_digits(value: float) -> None:
    ode = OdeModel("m", (), (Parameter("p", value, initial=Num(value)),))
    assert repr(through_json(ode)) == repr(ode)  # tells -0.0 from 0.0


@pytest.mark.parametrize("model_id", model_ids())
def test_library_models_come_back(model_id: str) -> None:
    ode = read_library_model(model_id)
    assert through_json(ode) == ode
    assert origins(through_json(ode)) == origins(ode)


@pytest.mark.parametrize("file", scenario_files(), ids=lambda file: file.stem)
def test_joined_models_come_back(file: object) -> None:
    ode = resolve(load_scenario(str(file))).model
    assert through_json(ode) == ode


@pytest.mark.parametrize(
    "document", [{}, {"id": "m"}, [], "m", 3, None, {**to_document(WHOLE), "states": [["x"]]}], ids=repr
)
def test_what_is_no_model_is_refused_with_an_error_that_the_cache_knows(document: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_document(document)  # type: ignore[arg-type]


def test_expressions_are_told_apart_by_their_form() -> None:
    document = to_document(model({"x": (1, "k*x + t")}, {"k": 2}))
    (x,) = document["states"]
    assert x[1:3] == [1.0, ["add", ["mul", "k", "x"], ["time"]]]
    assert from_document(document).states[0].rate == formula("k*x + t")
