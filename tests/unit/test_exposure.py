"""Doses as parts of the model: amounts, schedules, and one kinetics module for each source and route."""

from __future__ import annotations

import pytest
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.errors import InputError
from bonesim.model.expr import Num, Sym
from bonesim.model.ode import OdeModel
from bonesim.scenario.exposure import Group, dose_groups
from bonesim.scenario.schema import Scenario
from bonesim.simulate import simulate

PER_UG = 2e9  # the shipped prior
IV = ("central", "peripheral", "liver", "lung", "spleen", "kidney", "bone", "cells", "elsewhere")
DEPOT = ("depot", "central", "peripheral", "cleared", "bone", "cells", "elsewhere")


def groups_of(scenario: Scenario) -> list[Group]:
    return dose_groups(scenario, load_catalog())


def only(*doses: str, **settings: str) -> Group:
    (group,) = groups_of(question(*doses, **settings))
    return group


def values(model: OdeModel) -> dict[str, float]:
    return {parameter.id: parameter.value for parameter in model.parameters}


def test_without_doses_there_is_no_group() -> None:
    assert groups_of(question()) == []


@pytest.mark.parametrize(
    ("amount", "particles"),
    [
        ("100 ug", 100 * PER_UG),
        ("0.1 mg", 100 * PER_UG),
        ("1e10 particles", 1e10),
        ("100 ug/kg", 25 * PER_UG),
        ("1e10 particles/kg", 2.5e9),
    ],
)
def test_an_amount_becomes_particles(amount: str, particles: float) -> None:
    group = only(bolus(amount=amount), subject__mass="250 g")
    assert values(group.module.model)["dose0_amount"] == pytest.approx(particles, rel=1e-15)
    assert group.size == pytest.approx(particles, rel=1e-15)
    assert group.ledger.scheduled * group.ledger.per_unit == pytest.approx(particles, rel=1e-15)


def test_an_amount_per_mass_follows_the_subjects_mass() -> None:
    heavy = only(bolus(amount="1e10 particles/kg"), subject__mass="300 g")
    assert values(heavy.module.model)["dose0_amount"] == pytest.approx(3e9, rel=1e-15)


def test_the_usual_mass_holds_where_the_subject_has_none() -> None:
    scenario = question(bolus(amount="1e10 particles/kg"), subject="{species: rat, sex: female, age: 12 week}")
    (group,) = groups_of(scenario)
    assert values(group.module.model)["dose0_amount"] == pytest.approx(2.5e9, rel=1e-15)


def test_a_bolus_jumps_the_state_that_the_card_names() -> None:
    (event,) = only(bolus(start="2 day")).module.model.events
    assert (event.id, event.time, event.every, event.count) == ("dose0", Sym("dose0_start"), None, 1)
    assert [target for target, _ in event.assignments] == ["central"]
    (local,) = only(bolus(route="local")).module.model.events
    assert [target for target, _ in local.assignments] == ["depot"]


def test_a_repeated_bolus_is_one_event() -> None:
    group = only(bolus(every="12 h", count="5"))
    event, later = group.module.model.events
    assert (event.every, event.count) == (Sym("dose0_every"), 5)
    assert (later.time, later.assignments) == (Sym("later_start"), (("later", Num(1.0)),))
    numbers = values(group.module.model)
    assert (numbers["dose0_start"], numbers["dose0_every"]) == (1.0, 0.5)
    assert group.marks[0].times_day == (1.0, 1.5, 2.0, 2.5, 3.0)
    assert group.ledger.scheduled == 500.0


def test_infusions_set_the_rate_and_take_it_back() -> None:
    group = only(bolus(over="6 h", every="1 day", count="2"))
    *events, later = group.module.model.events
    assert later.time == Sym("later_start")
    assert [event.time for event in events] == [Sym(f"rate{number}_start") for number in range(4)]
    assert {target for event in events for target, _ in event.assignments} == {"input_rate"}
    numbers = values(group.module.model)
    assert [numbers[f"rate{number}_start"] for number in range(4)] == [1.0, 1.25, 2.0, 2.25]
    rates = [numbers[f"rate{number}"] for number in range(4)]
    assert rates == [400 * PER_UG, 0.0, 400 * PER_UG, 0.0]
    assert group.marks[0].over_day == 0.25


def test_infusions_that_overlap_add_up() -> None:
    group = only(bolus(over="2 day"), bolus(start="2 day", over="1 day"))
    numbers = values(group.module.model)
    rates = [numbers[f"rate{number}"] for number in range(3)]
    assert rates == pytest.approx([50 * PER_UG, 150 * PER_UG, 0.0], rel=1e-15)


def test_what_is_active_is_exactly_what_gives_something() -> None:
    group = only(bolus(), bolus(over="6 h"))
    assert group.active == (
        "macrophage_m2_intravenous__dose0_amount",
        "macrophage_m2_intravenous__rate0",
        "macrophage_m2_intravenous__rate1",
    )


def test_one_group_for_each_source_and_route_in_order_of_first_use() -> None:
    groups = groups_of(
        question(bolus(), bolus("macrophage_m1"), bolus(route="local"), bolus(start="2 day", amount="1e10 particles"))
    )
    assert [group.ledger.group for group in groups] == [
        "macrophage_m2_intravenous",
        "macrophage_m1_intravenous",
        "macrophage_m2_local",
    ]
    assert [group.ledger.doses for group in groups] == [(0, 3), (1,), (2,)]


def test_the_ledger_of_a_group_is_in_the_unit_of_its_first_dose() -> None:
    plan = only(bolus(), bolus(start="2 day", amount="2e10 particles")).ledger
    assert (plan.unit, plan.delivered) == ("ug", "macrophage_m2_intravenous__delivered")
    assert plan.per_unit == pytest.approx(PER_UG, rel=1e-15)
    assert plan.scheduled == pytest.approx(110.0, rel=1e-15)
    reverse = only(bolus(amount="2e10 particles/kg"), bolus(start="2 day")).ledger
    assert (reverse.unit, reverse.per_unit) == ("particles/kg", pytest.approx(0.25, rel=1e-15))
    assert reverse.scheduled == pytest.approx(2e10 + 8e11, rel=1e-15)


def test_kinetics_have_the_values_of_the_species() -> None:
    numbers = values(only(bolus()).module.model)
    own = load_catalog().species["rat"].of_module("iv_two_phase")
    assert numbers["t_half_slow"] == pytest.approx(340 / 1440, rel=1e-15)
    assert numbers["t_half_uptake"] == pytest.approx(2 / 24, rel=1e-15)
    assert {name: numbers[name] for name in own if name.startswith("share")} == {
        name: number.value for name, number in own.items() if name.startswith("share")
    }


@pytest.mark.parametrize(("route", "states"), [("intravenous", IV), ("local", DEPOT)])
def test_what_was_delivered_is_the_sum_of_all_states(route: str, states: tuple[str, ...]) -> None:
    model = only(bolus(route=route)).module.model
    assert {state.id for state in model.states} == set(states)
    result = simulate(model, [0.0, 1.0, 1.1, 4.0], ["delivered"], backend="numpy")
    assert result["delivered"].values == pytest.approx([0.0, *[100 * PER_UG] * 3], rel=1e-12)


def test_exposure_is_recorded_by_compartment() -> None:
    names = {output.name: output for output in only(bolus()).outputs}
    assert list(names) == [f"macrophage_m2_intravenous.{state}" for state in IV]
    blood = names["macrophage_m2_intravenous.central"]
    assert (blood.symbol, blood.unit, blood.role) == ("macrophage_m2_intravenous__central", "particles", "exposure")
    assert "blood" in blood.compartment
    assert len({output.compartment for output in names.values()}) == len(IV)


def test_a_dose_of_nothing_is_a_dose() -> None:
    group = only(bolus(amount="0 ug"))
    assert (group.ledger.scheduled, group.size) == (0.0, 0.0)


def test_an_infusion_that_lasts_no_time_is_refused_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        question(bolus(over="0 h"))
    assert str(caught.value) == (
        "--set doses[0].over: '0 h' is shorter than an infusion can be, 1 s\n  try: leave it out for a bolus"
    )
