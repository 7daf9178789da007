"""Joining modules: ports, units, driven parameters, and what must stay as it was written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from equations import event, formula, model, solve

from bonesim.compose.card import Card, Citation, Port, SymbolNote
from bonesim.compose.link import Activity, compose
from bonesim.compose.module import Module, load_module
from bonesim.compose.switches import switches
from bonesim.errors import InputError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Sym, substitute
from bonesim.model.ode import OdeModel, Parameter
from bonesim.model.text import expression_text


def module(name: str, ode: OdeModel, *ports: dict[str, Any], units: dict[str, str] | None = None) -> Module:
    """A module of a model, with ports and units (without: dimensionless)."""
    known = units or {}
    ode = ode.with_(
        id=name,
        states=tuple(replace(state, unit=known.get(state.id, "dimensionless")) for state in ode.states),
        parameters=tuple(replace(one, unit=known.get(one.id, "dimensionless")) for one in ode.parameters),
    )
    notes = {symbol: SymbolNote(label=symbol, unit="", basis="computed") for symbol in ode.by_id}
    card = Card(
        id=name,
        kind="tissue",
        title=name,
        reference=Citation(text="made up for a test"),
        time_unit="day",
        about=name,
        symbols=notes,
        ports=tuple(Port.model_validate(port) for port in ports),
    )
    return Module(name, ode, card)


def gland(**units: str) -> Module:
    """A hormone that grows from 2 and is offered as it is and relative to its start."""
    return module(
        "gland",
        model({"hormone": (2, "k")}, {"k": 1}),
        {"name": "level", "direction": "out", "symbol": "hormone"},
        {"name": "relative_level", "direction": "out", "symbol": "hormone", "relative": True},
        units=units,
    )


def bone(*ports: str, **units: str) -> Module:
    """A mass that follows `drive`, which the named ports replace."""
    return module(
        "bone",
        model({"mass": (0, "drive")}, {"drive": 1}),
        *({"name": port, "direction": "in", "replaces": "drive"} for port in ports),
        units=units,
    )


def message(*modules: Module) -> str:
    with pytest.raises(InputError) as caught:
        compose("joined", modules, [])
    return str(caught.value)


def rate(ode: OdeModel, state: str) -> str:
    return expression_text(next(one.rate for one in ode.states if one.id == state))


def rule(ode: OdeModel, name: str) -> str:
    return expression_text(next(one.expr for one in ode.rules if one.id == name))


def test_symbols_carry_the_name_of_their_module_everywhere() -> None:
    ode = model(
        {"x": ("x0", "k*x + r")}, {"x0": 1, "k": "2*x0"}, {"r": "x + t"}, [event("x0", every="k", count=3, x="x + k")]
    )
    joined = compose("joined", [module("one", ode), module("two", ode)], [])
    assert [state.id for state in joined.states] == ["one__x", "two__x"]
    assert rate(joined, "two__x") == "two__k*two__x + two__r"
    assert rule(joined, "one__r") == "one__x + time"
    initial = joined.by_id["one__k"]
    assert isinstance(initial, Parameter)
    assert initial.initial == formula("2*one__x0")
    second = joined.events[1]
    assert (second.id, second.time, second.every) == ("two__event_x", Sym("two__x0"), Sym("two__k"))
    assert second.assignments == (("two__x", formula("two__x + two__k")),)


def test_a_part_without_a_name_keeps_its_ids() -> None:
    joined = compose("joined", [Module("", model({"level": (1, "-level")}))], [])
    assert [state.id for state in joined.states] == ["level"]


def test_users_find_symbols_with_a_dot_or_by_the_plain_name() -> None:
    joined = compose("joined", [gland(), bone("level")], [])
    assert [joined.resolve(name) for name in ("gland.hormone", "gland__hormone", "hormone")] == ["gland__hormone"] * 3


def test_an_out_port_takes_the_place_of_a_parameter() -> None:
    joined = compose("joined", [gland(), bone("level")], [])
    assert rule(joined, "bone__drive") == "gland__hormone"
    assert "bone__drive" not in {parameter.id for parameter in joined.parameters}
    # hormone = 2 + t, so mass = 2 t + t^2/2; both methods are exact for polynomials of degree 2.
    assert solve(joined, [0.0, 3.0], "bone__mass").y[-1, 0, 0] == pytest.approx(10.5, rel=1e-12)


def test_a_relative_out_port_is_1_at_the_start_whatever_the_start_is() -> None:
    joined = compose("joined", [gland(), bone("relative_level")], [])
    assert rule(joined, "bone__drive") == "gland__hormone/gland__hormone_start"
    solution = solve(joined, [0.0, 3.0], "bone__drive", gland__hormone=[2.0, 2.0], gland__k=[1.0, -0.5])
    assert solution.y[:, 0] == pytest.approx(np.array([[1.0, 1.0], [2.5, 0.25]]), rel=1e-12)  # linear in time


def test_a_start_value_is_kept_once_for_all_that_ask() -> None:
    second = replace(bone("relative_level"), name="spine")
    joined = compose("joined", [gland(), bone("relative_level"), second], [])
    assert [one.id for one in joined.parameters if one.initial is not None] == ["gland__hormone_start"]


def test_a_relative_port_frees_a_joint_of_its_unit() -> None:
    compose("joined", [gland(hormone="pM"), bone("relative_level")], [])


def test_a_sum_is_joined_as_its_sum() -> None:
    glands = module(
        "glands",
        model({"left": (1, 1), "right": (3, 0)}),
        {"name": "level", "direction": "out", "sum": ["left", "right"]},
        {"name": "relative_level", "direction": "out", "sum": ["left", "right"], "relative": True},
    )
    assert rule(compose("joined", [glands, bone("level")], []), "bone__drive") == "glands__left + glands__right"
    relative = compose("joined", [glands, bone("relative_level")], [])
    assert rule(relative, "bone__drive") == "(glands__left + glands__right)/(glands__left_start + glands__right_start)"


def test_a_module_may_fill_its_own_port() -> None:
    loop = module(
        "loop",
        model({"x": (4, "-drive")}, {"drive": 1}),
        {"name": "level", "direction": "out", "symbol": "x", "relative": True},
        {"name": "level", "direction": "in", "replaces": "drive"},
    )
    joined = compose("joined", [loop], [])
    assert rule(joined, "loop__drive") == "loop__x/loop__x_start"


def test_a_port_that_nothing_offers_is_told_with_the_nearest() -> None:
    assert message(gland(), bone("levels")) == (
        "nothing gives port 'levels' of bone a value\n  try: did you mean 'level'?"
    )


def test_a_port_that_two_offer_is_told_with_both() -> None:
    assert message(gland(), replace(gland(), name="thyroid"), bone("level")) == (
        "port 'level' of bone is offered by gland and thyroid\n  try: keep one of them"
    )


@pytest.mark.parametrize("unit", ["nM", "1/day", "dimensionless"])
def test_a_port_between_two_units_is_told_with_both(unit: str) -> None:
    assert message(gland(hormone="pM"), bone("level", drive=unit)) == (
        f"port 'level' of bone takes {unit}, gland gives pM\n  try: use the same unit"
    )


def test_two_spellings_of_one_unit_agree() -> None:
    compose("joined", [gland(hormone="1/(pM*day)"), bone("level", drive="1/pM/day")], [])


def test_a_module_that_counts_in_hours_is_told() -> None:
    hourly = replace(gland(), model=gland().model.with_(time_unit="h"))
    assert message(hourly, bone("level")) == "gland counts time in h, not in day\n  try: write its rates a day"


def test_all_problems_are_told_at_once() -> None:
    second = replace(bone("levels"), name="spine")
    assert message(gland(hormone="pM"), bone("level"), second, replace(bone("size"), name="skull")) == (
        "port 'level' of bone takes dimensionless, gland gives pM\n  try: use the same unit\n"
        "nothing gives port 'levels' of spine a value\n  try: did you mean 'level'?\n"
        "nothing gives port 'size' of skull a value\n  try: one of level, relative_level"
    )


def test_two_modules_of_one_name_are_told() -> None:
    assert message(gland(), gland()) == (
        "'gland__hormone' is defined 2 times\n  try: keep one definition\n"
        "'gland__k' is defined 2 times\n  try: keep one definition"
    )


CELL = model({"x": (1, "birth - death*x")}, {"birth": 2, "death": 2}, {"turnover": "birth/death"})
DRIVEN = module(
    "cell",
    CELL,
    {"name": "proliferation", "direction": "in", "multiplies": ["birth"]},
    {"name": "BMSC.apoptosis", "direction": "in", "multiplies": ["death"], "divides": ["birth"]},
    {"name": "migration", "direction": "in", "multiplies": ["birth"], "cells": ["MSC"]},
)
SIGNALS = Module("", model({}, {"p": 3, "q": 2, "a": 4, "m": 5}))


def driven(*activities: Activity) -> OdeModel:
    return compose("joined", [DRIVEN, SIGNALS], activities)


def test_activities_multiply_and_divide_the_parameters_behind_their_ports() -> None:
    joined = driven(
        Activity("BMSC", "proliferation", "p"),
        Activity("MSC", "proliferation", "q"),
        Activity("BMSC", "apoptosis", "a"),
        Activity("BMSC", "migration", "m"),  # this port takes MSC only
    )
    assert rule(joined, "cell__birth_driven") == "cell__birth*p*q/a"
    assert rule(joined, "cell__death_driven") == "cell__death*a"
    assert rate(joined, "cell__x") == "cell__birth_driven - cell__death_driven*cell__x"
    assert rule(joined, "cell__turnover") == "cell__birth_driven/cell__death_driven"


def test_a_parameter_behind_two_ports_is_driven_by_both() -> None:
    joined = driven(Activity("MSC", "proliferation", "q"), Activity("MSC", "migration", "m"))
    assert rule(joined, "cell__birth_driven") == "cell__birth*q*m"


def test_a_parameter_that_is_only_divided_has_no_factor_of_its_own() -> None:
    port = {"name": "apoptosis", "direction": "in", "divides": ["birth"]}
    joined = compose("joined", [module("cell", CELL, port), SIGNALS], [Activity("BMSC", "apoptosis", "a")])
    assert rule(joined, "cell__birth_driven") == "cell__birth/a"


def test_a_driven_parameter_keeps_its_unit_and_says_what_it_is() -> None:
    symbol = driven(Activity("BMSC", "apoptosis", "a")).by_id["cell__death_driven"]
    assert (symbol.unit, symbol.label) == ("dimensionless", "cell__death, with what drives it")


def test_without_activities_the_equations_are_those_of_the_module() -> None:
    joined = driven(Activity("chondrocyte", "migration", "m"))
    plain = compose("joined", [replace(DRIVEN, card=None), SIGNALS], [])
    assert joined == plain


@pytest.mark.parametrize("core_id", ["lemaire2004", "pivonka2008"])
def test_a_core_is_unchanged_where_nothing_drives_it(core_id: str) -> None:
    core = load_module(core_id, "core")
    joined = compose("joined", [core, load_module("bone_volume", "bone")], [])
    names = {f"core__{symbol}": Sym(symbol) for symbol in core.model.by_id}
    for state in core.model.states:
        twin = next(one for one in joined.states if one.id == f"core__{state.id}")
        assert (substitute(twin.rate, names), twin.initial, twin.unit) == (state.rate, state.initial, state.unit)
    for own in core.model.rules:
        twin_rule = next(one for one in joined.rules if one.id == f"core__{own.id}")
        assert substitute(twin_rule.expr, names) == own.expr


@pytest.mark.parametrize("core_id", ["lemaire2004", "pivonka2008"])
def test_drives_of_1_leave_every_rate_of_a_core_exactly_as_it_is(core_id: str) -> None:
    core = load_module(core_id, "core")
    assert core.card is not None
    ports = [port for port in core.ports if port.multiplies or port.divides]
    signals = Module("", model({}, {f"activity{number}": 1 for number in range(len(ports))}))
    acting = []
    for number, port in enumerate(ports):
        cell, _, process = port.name.rpartition(".")
        acting.append(Activity(cell or (port.cells or ("osteoblast",))[0], process, f"activity{number}"))
    with_drives = compose("joined", [core, signals], acting)
    without = compose("joined", [core, signals], [])
    assert len(with_drives.rules) > len(without.rules)
    assert _rates(with_drives) == _rates(without)


GROWTH = module(
    "growth",
    model({"level": (1, "up - level")}, {"up": 1}),
    {"name": "signal", "direction": "out", "symbol": "level", "drives": ["BMSC.proliferation", "MSC.proliferation"]},
    {"name": "proliferation", "direction": "in", "multiplies": ["up"]},
)


def test_what_a_module_drives_acts_once_on_each_port_of_others_and_not_on_its_own() -> None:
    joined = compose("joined", [DRIVEN, GROWTH, SIGNALS], [Activity("MSC", "proliferation", "q")])
    assert rule(joined, "cell__birth_driven") == "cell__birth*q*growth__signal_drive"
    assert rule(joined, "growth__signal_drive") == "1 + growth__signal_drive_on*(growth__level - 1)"
    assert joined.by_id["growth__signal_drive_on"].value == 1.0  # type: ignore[union-attr]
    assert switches(GROWTH) == ("growth__signal_drive_on",)
    assert rule(joined, "growth__up_driven") == "growth__up*q"


def test_an_optional_port_keeps_its_own_value_where_nothing_fills_it() -> None:
    port = {"name": "level", "direction": "in", "replaces": "drive", "optional": True}
    choosy = module("choosy", model({"mass": (0, "drive")}, {"drive": 1}), port)
    assert "choosy__drive" in {parameter.id for parameter in compose("joined", [choosy], []).parameters}
    assert rule(compose("joined", [choosy, gland()], []), "choosy__drive") == "gland__hormone"


def test_what_a_removable_module_gives_to_optional_ports_has_a_switch() -> None:
    port = {"name": "level", "direction": "in", "replaces": "drive", "optional": True}
    choosy = module("choosy", model({"mass": (0, "drive")}, {"drive": 7}), port)
    giver = replace(gland(), removable=True)
    joined = compose("joined", [choosy, giver], [])
    assert (
        rule(joined, "choosy__drive")
        == "gland__level_given_on*gland__hormone + (1 - gland__level_given_on)*choosy__drive_own"
    )
    values = {one.id: one.value for one in joined.parameters}
    assert (values["gland__level_given_on"], values["choosy__drive_own"]) == (1.0, 7.0)
    assert switches(giver, [choosy, giver]) == ("gland__level_given_on",)


def test_one_switch_cuts_a_value_off_from_all_who_take_it() -> None:
    port = {"name": "level", "direction": "in", "replaces": "drive", "optional": True}
    takers = [module(name, model({"mass": (0, "drive")}, {"drive": 7}), port) for name in ("one", "two")]
    joined = compose("joined", [*takers, replace(gland(), removable=True)], [])
    assert [one.id for one in joined.parameters].count("gland__level_given_on") == 1
    assert {"one__drive_own", "two__drive_own"} <= {one.id for one in joined.parameters}


def test_what_a_port_must_have_is_not_switched() -> None:
    giver = replace(gland(), removable=True)
    assert rule(compose("joined", [bone("level"), giver], []), "bone__drive") == "gland__hormone"
    assert switches(giver, [bone("level"), giver]) == ()


def test_a_generated_part_can_fill_a_port() -> None:
    levels = Module("", model({"oestrogen__level": (1, "-oestrogen__level")}))
    offer = Port.model_validate({"name": "level", "direction": "out", "symbol": "oestrogen__level"})
    levels = replace(levels, model=levels.model.with_(states=tuple(replace(s, unit="") for s in levels.model.states)))
    joined = compose("joined", [bone("level"), replace(levels, offers=(offer,))], [])
    assert rule(joined, "bone__drive") == "oestrogen__level"


def test_a_port_is_shut_where_a_module_gives_what_it_gives_way_to() -> None:
    port = {"name": "proliferation", "direction": "in", "multiplies": ["birth"], "unless": "level"}
    cell, acting = module("cell", CELL, port), [Activity("BMSC", "proliferation", "p")]
    assert rule(compose("joined", [cell, SIGNALS], acting), "cell__birth_driven") == "cell__birth*p"
    assert "cell__birth_driven" not in compose("joined", [cell, SIGNALS, gland()], acting).by_id
    opened = compose("joined", [cell, SIGNALS, gland()], acting, without={"gland"})
    assert rule(opened, "cell__birth_driven") == "cell__birth*p"


@pytest.mark.parametrize(
    ("port", "problem"),
    [
        ({"direction": "out", "symbol": "x", "unless": "level"}, "gives way to 'level' and takes no process"),
        ({"direction": "out", "symbol": "x", "relative": True, "drives": ["BMSC.apoptosis"]}, "must be the factor"),
        ({"direction": "out", "symbol": "x", "drives": ["apoptosis"]}, "not of the form cell.process"),
        ({"direction": "in", "multiplies": ["x"], "optional": True}, "optional and replaces no parameter"),
    ],
)
def test_a_port_that_contradicts_itself_is_told(port: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Port.model_validate({"name": "signal", **port})


def _rates(ode: OdeModel) -> list[float]:
    values = {parameter.id: parameter.value for parameter in ode.parameters}
    values |= {state.id: evaluate(state.initial, values) for state in ode.states}
    for one in ode.rules:
        values[one.id] = evaluate(one.expr, values)
    return [evaluate(state.rate, values) for state in ode.states]
