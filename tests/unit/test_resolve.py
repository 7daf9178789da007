"""A scenario becomes a problem: names, places of errors, arms, and where every number came from."""

from __future__ import annotations

import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
from questions import OVX, bolus, question

from bonesim.catalog import load_catalog
from bonesim.errors import InputError
from bonesim.model.expr import symbols
from bonesim.model.ode import Parameter
from bonesim.resources import scenario_files
from bonesim.scenario.load import known_names, load_scenario
from bonesim.scenario.problem import Problem
from bonesim.scenario.resolve import resolve

DEPOT = ("depot", "central", "peripheral", "liver", "lung", "spleen", "kidney", "bone", "cells", "elsewhere")

SHIPPED = {file.stem: file for file in scenario_files()}

SCHEDULE = re.compile(
    r"\w+__(dose\d+_amount|dose\d+(_\d+)?_start|dose\d+_every|rate\d+(_start)?)"
    r"|(ovx_osteoporosis|fracture|bone_defect|tbi)__start"
)
"""Parameters that the scenario's own text sets."""

SWITCH = re.compile(r"\w+_(given|on)")
"""What is 1 where a source is given, or where what a module does to others acts."""

HEALTHY = re.compile(r"\w+__target")
"""Where a mediator goes: 1, its healthy level, until a context begins."""


def value(problem: Problem, name: str) -> float:
    parameter = problem.model.by_id[name]
    assert isinstance(parameter, Parameter)
    return parameter.value


@pytest.mark.parametrize("core", ["cook2022", "proctor_gartland2016"])
def test_a_core_that_stands_alone_is_refused(core: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(load_scenario(SHIPPED["ovx_m2"], {"model.core": core}))
    assert str(caught.value) == (
        f"--set model.core: '{core}' is no core for scenarios: it has no out-ports bone_forming_cells, "
        f"bone_resorbing_cells\n  try: 'bonesim models {core}' says why; take another, such as pivonka2008"
    )


def test_a_module_that_stands_alone_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        resolve(load_scenario(SHIPPED["ovx_m2"], {"model.modules": "[lee2003]"}))
    assert str(caught.value) == (
        "--set model.modules[0]: 'lee2003' is no module for scenarios: it takes nothing from others and drives "
        "nothing in them\n  try: leave it out; 'bonesim models lee2003' says why"
    )


@pytest.mark.parametrize("name", ["vessel_density", "angiogenesis.VEGF"])
def test_an_output_of_a_module_that_is_not_there_is_told_with_the_module(name: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(load_scenario(SHIPPED["ovx_m2"], {"outputs": f"[{name}]"}))
    assert str(caught.value) == (
        f"--set outputs[0]: the model has no quantity '{name}'\n  try: add angiogenesis to model.modules"
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_every_number_of_a_shipped_scenario_says_where_it_came_from(name: str) -> None:
    problem = resolve(load_scenario(SHIPPED[name]))
    unknown = []
    for parameter in problem.model.parameters:
        told = (pattern.fullmatch(parameter.id) for pattern in (SCHEDULE, HEALTHY, SWITCH))
        if parameter.initial is not None or any(told):
            continue
        origin = problem.numbers.get(parameter.id, {})
        backed = origin.get("source") or origin.get("why")
        behind = [problem.numbers[name]["basis"] for name in problem.follows.get(parameter.id, {})]
        if not {*(behind or [origin.get("basis")])} <= {"measured", "fitted", "assumed"} or not backed:
            unknown.append(parameter.id)
    assert unknown == []


@pytest.mark.parametrize("name", SHIPPED)
def test_assumed_numbers_say_why_and_come_with_a_range(name: str) -> None:
    problem = resolve(load_scenario(SHIPPED[name]))
    assumed = {key: origin for key, origin in problem.numbers.items() if origin["basis"] == "assumed"}
    assert [key for key, origin in assumed.items() if not origin.get("why")] == []
    assert [key for key, origin in assumed.items() if "low" not in origin or "high" not in origin] == []


def test_what_becomes_particles_says_so_too() -> None:
    problem = resolve(question(bolus()))
    lot = load_catalog().sources["macrophage_m2"].lot.particles_per_ug
    assert problem.numbers["macrophage_m2__particles_per_ug"]["basis"] == lot.basis


def test_unknown_outputs_are_told_together_with_file_line_and_nearest_name(tmp_path: Path) -> None:
    text = SHIPPED["ovx_m2"].read_text(encoding="ascii").replace("CTX, P1NP", "CTXX, P1NPP")
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="ascii")
    line = next(number for number, row in enumerate(text.splitlines(), 1) if row.startswith("outputs"))
    with pytest.raises(InputError) as caught:
        resolve(load_scenario(file))
    assert str(caught.value) == (
        f"{file}:{line}: outputs[3]: the model has no quantity 'CTXX'\n  try: did you mean 'CTX'?\n"
        f"{file}:{line}: outputs[4]: the model has no quantity 'P1NPP'\n  try: did you mean 'P1NP'?"
    )


def test_an_output_of_several_parts_is_told_with_all_of_them() -> None:
    with pytest.raises(InputError) as caught:
        resolve(question(bolus(), bolus(route="local"), outputs="[cells]"))
    assert str(caught.value) == (
        "--set outputs[0]: 'cells' is the name of several quantities\n"
        "  try: write one of macrophage_m2_intravenous.cells, macrophage_m2_local.cells"
    )


def test_outputs_are_what_was_asked_for_then_cells_then_exposure() -> None:
    problem = resolve(question(bolus(route="local"), outputs="[OBa, core.OCa, bone_volume_fraction]"))
    roles = [(output.name, output.role) for output in problem.outputs]
    assert roles == [
        ("OBa", "output"),
        ("core.OCa", "output"),
        ("bone_volume_fraction", "output"),
        ("OBp", "cell"),
        ("OCa", "cell"),
        *((f"macrophage_m2_local.{name}", "exposure") for name in DEPOT),
        *((f"BMSC.{cargo}", "copies") for cargo in ("miR-690", "miR-5106", "miR-26a-5p")),
    ]


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BMSC.osteogenic_differentiation", "BMSC__osteogenic_differentiation"),
        ("osteogenic_differentiation", "BMSC__osteogenic_differentiation"),
        ("oestrogen__level", "oestrogen__level"),
        ("oestrogen.level", "oestrogen__level"),
        ("BMSC.adipogenic_differentiation", "BMSC__adipogenic_differentiation"),
        ("vesicles_per_cell", "macrophage_m2__vesicles_per_cell"),
        ("macrophage_m2_intravenous.bone", "macrophage_m2_intravenous__bone"),
    ],
)
def test_outputs_may_name_processes_levels_and_exposure(name: str, symbol: str) -> None:
    problem = resolve(question(bolus(), context=OVX, outputs=f"[{name}]"))
    assert (problem.outputs[0].name, problem.outputs[0].symbol) == (name, symbol)
    names = [output.name for output in problem.outputs]
    assert len(names) == len(set(names))


def test_a_process_that_nothing_takes_is_compiled_only_if_it_is_asked_for() -> None:
    pruned = resolve(question(bolus()))
    assert pruned.left_out["m2_mir690_irs1_taz_adipogenesis"] == (
        "no module of this scenario takes BMSC.adipogenic_differentiation"
    )
    asked = resolve(question(bolus(), outputs="[BMSC.adipogenic_differentiation]"))
    assert "m2_mir690_irs1_taz_adipogenesis" not in asked.left_out


def test_edges_of_a_context_act_where_the_scenario_has_it() -> None:
    shipped = load_catalog()
    fracture = shipped.contexts["healthy"].model_copy(update={"id": "fracture", "label": "fracture"})
    catalog = replace(shipped, contexts={**shipped.contexts, "fracture": fracture})
    known = replace(known_names(), contexts=tuple(catalog.contexts))
    without = resolve(question(bolus(), known=known), catalog)
    assert without.left_out["m2_loc103691165_osteogenesis"] == "acts in context fracture only"
    broken = resolve(question(bolus(), context="[{id: fracture}]", known=known), catalog)
    assert "m2_loc103691165_osteogenesis" not in broken.left_out
    assert "strength_m2_loc103691165_osteogenesis" in broken.model.by_id


def test_the_vehicle_arm_has_every_active_amount_at_0_and_nothing_else_changed() -> None:
    problem = resolve(question(bolus(), bolus("macrophage_m1", over="6 h"), context=OVX))
    assert problem.arms == ("dosed", "vehicle")
    assert problem.arm_values == {
        "macrophage_m2_intravenous__dose0_amount": (2e11, 0.0),
        "macrophage_m1_intravenous__rate0": (8e11, 0.0),
        "macrophage_m1_intravenous__rate1": (0.0, 0.0),
    }


def test_without_doses_no_parameter_tells_the_arms_apart() -> None:
    problem = resolve(question(context=OVX))
    assert (problem.arms, problem.arm_values, problem.ledger) == (("dosed", "vehicle"), {}, ())


def test_one_source_by_two_routes_is_one_load() -> None:
    problem = resolve(question(bolus(), bolus(route="local")))
    loads = [state.id for state in problem.model.states if state.id.endswith("vesicles_per_cell")]
    assert loads == ["macrophage_m2__vesicles_per_cell"]
    (load,) = (state for state in problem.model.states if state.id in loads)
    assert {"macrophage_m2_intravenous__uptake", "macrophage_m2_local__uptake"} <= symbols(load.rate)


def test_two_sources_are_two_loads() -> None:
    problem = resolve(question(bolus(), bolus("macrophage_m1")))
    loads = {state.id for state in problem.model.states if state.id.endswith("vesicles_per_cell")}
    assert loads == {"macrophage_m1__vesicles_per_cell", "macrophage_m2__vesicles_per_cell"}


def test_values_of_the_species_are_those_of_its_tissue_and_its_kinetics() -> None:
    problem = resolve(question(bolus()))
    own = load_catalog().species["rat"]
    assert value(problem, "bone__BV_healthy") == own.of_module("bone_volume")["BV_healthy"].value
    assert value(problem, "macrophage_m2_intravenous__t_half_fast") == pytest.approx(7 / 1440, rel=1e-15)
    assert problem.numbers["bone__BV_healthy"]["source"] == own.of_module("bone_volume")["BV_healthy"].source


@pytest.mark.parametrize(("mass", "factor"), [("250 g", 1.0), ("0.5 kg", 2.0)])
def test_marrow_cells_follow_the_mass(mass: str, factor: float) -> None:
    problem = resolve(question(bolus(), subject__mass=mass))
    usual = load_catalog().species["rat"].cells["marrow_targets"]
    assert value(problem, "marrow_target_cells") == pytest.approx(factor * usual.value, rel=1e-15)
    origin = problem.numbers["marrow_target_cells"]
    assert (origin["low"], origin["high"]) == pytest.approx((factor * usual.low, factor * usual.high), rel=1e-15)


def test_tolerances_know_the_size_of_a_dose() -> None:
    problem = resolve(question(bolus(), bolus(route="local", amount="1e6 particles")))
    assert problem.sizes["macrophage_m2_intravenous__liver"] == 2e11
    assert problem.sizes["macrophage_m2_local__depot"] == 1e6
    assert problem.sizes["macrophage_m2__vesicles_per_cell"] == 1.0
    assert not [name for name in problem.sizes if name.startswith(("core__", "bone__"))]


def test_recorded_times_are_those_of_the_scenario() -> None:
    assert resolve(question(duration="1 day", record__every="6 h")).t_out == (0.0, 0.25, 0.5, 0.75, 1.0)


def test_a_problem_survives_the_way_to_another_process() -> None:
    problem = resolve(question(bolus(), context=OVX))
    assert pickle.loads(pickle.dumps(problem)) == problem


def test_the_same_scenario_gives_the_same_model() -> None:
    one, two = (resolve(question(bolus(), bolus("macrophage_m1"), context=OVX)) for _ in range(2))
    assert one.model.content_hash == two.model.content_hash


def test_a_route_without_a_port_for_doses_is_told() -> None:
    shipped = load_catalog()
    tissue = shipped.routes["local"].model_copy(update={"module": "bone_volume", "parameters": {}})
    routes = {**shipped.routes, "local": tissue}
    with pytest.raises(InputError) as caught:
        resolve(question(bolus(route="local")), replace(shipped, routes=routes))
    assert str(caught.value) == (
        "module 'bone_volume' has no port 'dose'\n  try: one of "
        "bone_forming_cells, bone_resorbing_cells, resorption_activity, osteoblast_activity, mineralization"
    )


def test_one_quantity_under_two_names_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        resolve(question(bolus(), outputs="[OBa, bone_volume_fraction, core.OBa]"))
    assert caught.value.problem == "'core.OBa' and 'OBa' are one quantity"
    assert caught.value.remedy == "keep one of the names"
    assert str(caught.value.place) == "--set outputs[2]"


def test_exposure_that_is_asked_for_is_still_exposure() -> None:
    problem = resolve(question(bolus(route="local"), outputs="[macrophage_m2_local.bone]"))
    asked = problem.outputs[0]
    assert (asked.role, asked.compartment) == ("output", "marrow")
    assert [output.name for output in problem.outputs].count("macrophage_m2_local.bone") == 1
