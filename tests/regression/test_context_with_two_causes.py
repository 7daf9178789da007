"""A context with two causes defined its start twice: "'loss__start' is defined 2 times", for a file that is right."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from questions import question
from signals import factor, number

from bonesim.catalog import load_catalog
from bonesim.catalog.schema import Cause, Context
from bonesim.scenario.load import known_names
from bonesim.scenario.resolve import resolve


def test_both_causes_begin_with_the_context() -> None:
    shipped = load_catalog()
    rows = tuple(Cause(factor=name, level=number(0.5), half_time=number(1, "day")) for name in ("oestrogen", "hormone"))
    loss = Context(id="loss", label="loss", kind="disease", start="healthy_steady_state", about="two", causes=rows)
    catalog = replace(
        shipped,
        contexts=MappingProxyType({**shipped.contexts, "loss": loss}),
        factors=MappingProxyType({**shipped.factors, "hormone": factor(("h", "osteoblast.apoptosis", -0.5))}),
    )
    scenario = question(context="[{id: loss, start: 1 day}]", known=replace(known_names(), contexts=("loss",)))
    model = resolve(scenario, catalog).model
    assert [event.id for event in model.events] == ["loss__oestrogen", "loss__hormone"]
    assert sum(parameter.id == "loss__start" for parameter in model.parameters) == 1
