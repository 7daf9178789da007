"""Contexts as causes: when a mediator leaves its healthy level, and how fast."""

from __future__ import annotations

import math
from dataclasses import replace
from types import MappingProxyType

import pytest
from questions import OVX, question
from signals import factor, number

from bonesim.catalog import Catalog, load_catalog
from bonesim.catalog.schema import Cause, Context
from bonesim.errors import InputError
from bonesim.model.check import well_posed
from bonesim.model.expr import Sym
from bonesim.model.ode import Parameter
from bonesim.run import run
from bonesim.scenario.causes import causes
from bonesim.scenario.load import KnownNames, known_names
from bonesim.simulate import simulate


def catalog_with(*contexts: Context) -> Catalog:
    """The catalogue with further contexts, and a further mediator `hormone`."""
    shipped = load_catalog()
    return replace(
        shipped,
        contexts=MappingProxyType({**shipped.contexts, **{one.id: one for one in contexts}}),
        factors=MappingProxyType({**shipped.factors, "hormone": factor(("h", "osteoblast.apoptosis", -0.5))}),
    )


def context(id_: str, **levels: float) -> Context:
    """A context that sets mediators to these levels, with a half-time of 12 h."""
    rows = tuple(Cause(factor=name, level=number(level), half_time=number(12, "h")) for name, level in levels.items())
    return Context(id=id_, label=id_, kind="disease", start="healthy_steady_state", about=id_, causes=rows)


def known(*contexts: str) -> KnownNames:
    return replace(known_names(), contexts=(*known_names().contexts, *contexts))


FEVER = context("fever", lasting_inflammation=0.4)
MACROPHAGES = {"model__modules": "[macrophage]", "outputs": "[M1]"}


def test_without_a_context_nothing_is_moved() -> None:
    found = causes(question(), load_catalog())
    assert (found.model.states, found.model.parameters, found.model.events, found.factors) == ((), (), (), {})


def test_a_context_without_causes_moves_nothing() -> None:
    found = causes(question(context="[{id: healthy}]"), load_catalog())
    assert (found.model.states, found.model.parameters, found.model.events) == ((), (), ())


def test_a_level_is_1_until_the_context_begins_and_halves_its_distance_in_each_half_time() -> None:
    catalog = catalog_with(context("loss", oestrogen=0.2))
    found = causes(question(context="[{id: loss, start: 36 h}]", known=known("loss")), catalog)
    model = well_posed(found.model)
    times = [0.0, 0.5, 1.5, 2.0, 2.5, 4.0]
    level = simulate(model, times, ["oestrogen__level"], rtol=1e-9, backend="numpy")["oestrogen__level"].values
    waited = [max(0.0, time - 1.5) for time in times]
    assert level == pytest.approx([0.2 + 0.8 * 0.5 ** (2 * wait) for wait in waited], rel=1e-8)
    assert (level[:3] == 1.0).all()


def test_a_level_that_is_0_in_health_starts_there() -> None:
    found = causes(question(context="[{id: fever, start: 1 day}]", known=known("fever")), catalog_with(FEVER))
    model = well_posed(found.model)
    times = [0.0, 1.0, 1.5, 2.0]
    level = simulate(model, times, ["lasting_inflammation__level"], rtol=1e-9, backend="numpy")
    assert level["lasting_inflammation__level"].values == pytest.approx([0.0, 0.0, 0.2, 0.3], rel=1e-8, abs=1e-12)
    assert (model.by_id["lasting_inflammation__level"].label or "").endswith("1 gives half of the largest response")


def test_a_cause_that_lasts_goes_back_to_health_when_it_is_over() -> None:
    (row,) = FEVER.causes
    pulse = FEVER.model_copy(update={"causes": (row.model_copy(update={"lasts": number(24, "h")}),)})
    found = causes(question(context="[{id: fever, start: 1 day}]", known=known("fever")), catalog_with(pulse))
    level = simulate(
        well_posed(found.model), [0.0, 2.0, 2.5, 3.0, 4.0], ["lasting_inflammation__level"], rtol=1e-9, backend="numpy"
    )
    waned = [0.0, 0.3, 0.15, 0.075, 0.01875]
    assert level["lasting_inflammation__level"].values == pytest.approx(waned, rel=1e-7, abs=1e-12)
    assert found.numbers["lasting_inflammation__lasts"].quantity.to("day") == 1.0


def test_the_macrophage_module_takes_a_lasting_inflammation() -> None:
    scenario = question(context="[{id: ra}]", outputs="[M1, macrophage.lasting_stimulus]")
    course = run(scenario, backend="numpy").sel(arm="vehicle")
    level = [0.3 * (1 - 0.5 ** (day / 3)) for day in course["time"].values]
    assert course["macrophage.lasting_stimulus"].values == pytest.approx(level, abs=1e-6)
    assert float(course["M1"][0]) == 1.0
    assert float(course["M1"][-1]) > 2.0


def test_a_fracture_and_an_arthritis_act_on_macrophages_together() -> None:
    both, fracture, arthritis = (
        float(run(question(context=use, **MACROPHAGES), backend="numpy")["M1"].sel(arm="vehicle")[-1])
        for use in ("[{id: ra}, {id: fracture}]", "[{id: fracture}]", "[{id: ra}]")
    )
    assert both > max(fracture, arthritis) > 1.0


def test_the_shipped_context_sets_oestrogen_to_the_catalogues_level() -> None:
    catalog = load_catalog()
    found = causes(question(context=OVX), catalog)
    (cause,) = catalog.contexts["ovx_osteoporosis"].causes
    values = {one.id: one.value for one in found.model.parameters}
    assert values == {
        "oestrogen__target": 1.0,
        "oestrogen__ovx_osteoporosis": cause.level.value,
        "oestrogen__half_time": cause.half_time.value,
        "ovx_osteoporosis__start": 0.0,
    }
    assert found.numbers == {"oestrogen__ovx_osteoporosis": cause.level, "oestrogen__half_time": cause.half_time}
    assert list(found.factors) == ["oestrogen__level"]
    (event,) = found.model.events
    assert event.time == Sym("ovx_osteoporosis__start")
    assert event.assignments == (("oestrogen__target", Sym("oestrogen__ovx_osteoporosis")),)


def test_two_contexts_may_move_two_mediators() -> None:
    catalog = catalog_with(context("loss", oestrogen=0.2), context("excess", hormone=2.0))
    use = "[{id: loss, start: 1 day}, {id: excess, start: 2 day}]"
    found = causes(question(context=use, known=known("loss", "excess")), catalog)
    model = well_posed(found.model)
    ends = simulate(model, [0.0, 4.0], ["oestrogen__level", "hormone__level"], rtol=1e-9, backend="numpy").isel(time=-1)
    assert float(ends["oestrogen__level"]) == pytest.approx(0.2 + 0.8 / 64, rel=1e-8)
    assert float(ends["hormone__level"]) == pytest.approx(2.0 - 1.0 / 16, rel=1e-8)


def test_two_contexts_that_move_one_mediator_are_told_with_their_place() -> None:
    catalog = catalog_with(context("loss", oestrogen=0.2))
    scenario = question(context="[{id: ovx_osteoporosis}, {id: loss}]", known=known("loss"))
    with pytest.raises(InputError) as caught:
        causes(scenario, catalog)
    assert str(caught.value) == (
        "--set context[1].id: context 'loss' moves oestrogen, and so does another context\n  try: keep one of them"
    )


@pytest.mark.parametrize(
    ("one", "other", "mediator"),
    [("giop", "gionfh", "glucocorticoid"), ("ra", "inflammatory_setting", "lasting_inflammation")],
)
def test_two_shipped_contexts_that_move_one_mediator_are_told(one: str, other: str, mediator: str) -> None:
    with pytest.raises(InputError) as caught:
        causes(question(context=f"[{{id: {one}}}, {{id: {other}}}]"), load_catalog())
    assert str(caught.value) == (
        f"--set context[1].id: context '{other}' moves {mediator}, and so does another context\n  try: keep one of them"
    )


def test_half_times_are_converted_to_days() -> None:
    found = causes(question(context="[{id: loss}]", known=known("loss")), catalog_with(context("loss", oestrogen=0.2)))
    half_time = found.model.by_id["oestrogen__half_time"]
    assert isinstance(half_time, Parameter)
    assert math.isclose(half_time.value, 0.5)
    assert half_time.unit == "day"
