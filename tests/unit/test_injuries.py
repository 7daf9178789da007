"""Injuries of contexts: which module they bring along, and what happens to it when the context begins."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
from questions import question, swept
from signals import number

from bonesim.catalog import Catalog, load_catalog
from bonesim.catalog.schema import Context, Injury, Number
from bonesim.compose.module import load_module
from bonesim.errors import InputError
from bonesim.model.expr import Call, Num, Sym
from bonesim.model.ode import Parameter
from bonesim.run import solve
from bonesim.scenario.arms import Comparison
from bonesim.scenario.injuries import injured, needed_modules
from bonesim.scenario.load import KnownNames, known_names
from bonesim.scenario.resolve import resolve
from bonesim.scenario.variants import Variants

FRACTURE = "[{id: fracture, start: 36 h}]"


def catalog_with(*contexts: Context) -> Catalog:
    """The catalogue with further contexts."""
    shipped = load_catalog()
    return replace(shipped, contexts=MappingProxyType({**shipped.contexts, **{one.id: one for one in contexts}}))


def context(id_: str, **amounts: float | Number) -> Context:
    """A context that brings callus healing along and injures it, by port."""
    rows = tuple(Injury(module="callus_healing", port=port, amount=amount) for port, amount in amounts.items())
    head = {"label": id_, "kind": "injury", "start": "healthy_steady_state", "about": id_, "causes": ()}
    return Context(id=id_, injuries=rows, modules=("callus_healing",), **head)


def known(*contexts: str) -> KnownNames:
    return replace(known_names(), contexts=(*known_names().contexts, *contexts))


def test_without_an_injury_a_module_stays_as_it_is() -> None:
    module, catalog = load_module("callus_healing", "callus_healing"), load_catalog()
    found = injured(module, question(), catalog)
    assert (found.module, found.numbers) == (module, {})
    assert list(needed_modules(question(), catalog)) == []


def test_the_injuries_of_a_context_are_events_at_its_begin() -> None:
    scenario, catalog = question(context=FRACTURE), load_catalog()
    found = injured(load_module("callus_healing", "site"), scenario, catalog)
    assert {event.id: (event.time, event.assignments) for event in found.module.model.events} == {
        "fracture_defect": (Sym("fracture__start"), (("haematoma", Call("add", (Sym("haematoma"), Num(1.0)))),)),
        "fracture_trauma": (Sym("fracture__start"), (("debris", Call("add", (Sym("debris"), Num(1.0)))),)),
        "fracture_gap_size": (Sym("fracture__start"), (("gap_size", Sym("gap_size_fracture")),)),
    }
    size = found.module.model.by_id["gap_size_fracture"]
    assert isinstance(size, Parameter)
    assert size.value == 0.1
    assert list(found.numbers) == ["site__gap_size_fracture"]


def test_another_module_takes_no_harm() -> None:
    bone = load_module("bone_volume", "bone")
    assert injured(bone, question(context=FRACTURE), load_catalog()).module == bone


def test_a_context_brings_its_module_along_and_opens_the_gap_when_it_begins() -> None:
    problem = resolve(question(context=FRACTURE, outputs="[new_bone, debris, gap_size]"))
    course = solve(Comparison.of(problem), backend="numpy").sel(arm="vehicle")
    assert course["new_bone"].values[:3].tolist() == [1.0, 1.0, 1.0]
    assert course["debris"].values[:3].tolist() == [0.0, 0.0, 0.0]
    assert course["gap_size"].values[:3].tolist() == [1.0, 1.0, 1.0]
    assert float(course["new_bone"].sel(time=1.5)) == 0.0
    assert float(course["debris"].sel(time=1.5)) == 1.0
    assert float(course["gap_size"].sel(time=1.5)) == 0.1


def test_a_module_that_the_scenario_names_too_is_there_once() -> None:
    plain = resolve(question(context=FRACTURE, outputs="[new_bone]"))
    named = resolve(question(context=FRACTURE, outputs="[new_bone]", model__modules="[callus_healing]"))
    assert named.model.content_hash == plain.model.content_hash


def test_the_amount_of_an_injury_has_an_origin() -> None:
    numbers = resolve(question(context=FRACTURE, outputs="[new_bone]")).numbers
    said = numbers["callus_healing__gap_size_fracture"]
    assert (said["value"], said["low"], said["high"], said["basis"]) == (0.1, 0.02, 0.3, "assumed")


def test_amounts_are_converted_to_the_unit_of_what_they_change() -> None:
    catalog = catalog_with(context("crack", gap_size=number(20, "%")))
    found = injured(
        load_module("callus_healing", "site"), question(context="[{id: crack}]", known=known("crack")), catalog
    )
    assert found.module.model.by_id["gap_size_crack"].value == pytest.approx(0.2, rel=1e-15)  # type: ignore[union-attr]


def test_two_contexts_that_injure_one_port_are_told_with_their_place() -> None:
    with pytest.raises(InputError) as caught:
        resolve(question(context="[{id: fracture}, {id: bone_defect}]", outputs="[new_bone]"))
    assert str(caught.value) == (
        "--set context[1].id: context 'bone_defect' injures defect of callus_healing, and so does another context\n"
        "  try: keep one of them"
    )


def test_a_port_that_neither_jumps_nor_sets_is_told() -> None:
    catalog = catalog_with(context("crack", migration=2.0))
    scenario = question(context="[{id: crack}]", known=known("crack"))
    with pytest.raises(InputError) as caught:
        injured(load_module("callus_healing", "site"), scenario, catalog)
    assert str(caught.value) == (
        "an injury names port 'migration', and callus_healing has none of that name that jumps or sets\n"
        "  try: one of defect, trauma, gap_size"
    )


@pytest.mark.parametrize("id_", load_catalog().contexts)
def test_every_shipped_context_finds_its_modules_and_ports(id_: str) -> None:
    shipped = load_catalog().contexts[id_]
    problem = resolve(question(context=f"[{{id: {id_}}}]", outputs="[bone_volume_fraction]"))
    events = {event.id for event in problem.model.events}
    assert {f"{one.module}__{id_}_{one.port}" for one in shipped.injuries} <= events
    assert all(f"{module}__" in "".join(problem.model.by_id) for module in shipped.modules)


@pytest.mark.parametrize("day", [0.0, 1.5, 3.0])
def test_the_begin_of_an_injury_can_be_varied(day: float) -> None:
    plain = swept((), {"context[0].start": "[0 day, 1 day]"}, kind="grid", members=2)
    use = question(context="[{id: fracture}]").context
    variants = Variants(plain.model_copy(update={"context": use, "outputs": ("new_bone",)}))
    course = solve(Comparison.of(variants.problem(np.array([day]))), backend="numpy").sel(arm="vehicle")["new_bone"]
    assert (course.values == 1.0).tolist() == [time < day for time in course["time"].values]
    assert float(course.sel(time=day)) == 0.0
