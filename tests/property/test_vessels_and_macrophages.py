"""Modules of vessels and macrophages between the ends of all their ranges: every port acts one way, and saturates."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
import pytest

from bonesim.compose.card import load_card
from bonesim.compose.link import compose
from bonesim.compose.module import load_module
from bonesim.model.ode import OdeModel
from bonesim.resources import model_ids
from bonesim.sbml.library import read_library_model
from bonesim.simulate import simulate
from bonesim.steady import steady_state

CORES = ("pivonka2008", "lemaire2004")
MEMBERS = 200
MODULES = ("angiogenesis", "macrophage")
Draws = dict[str, np.ndarray]


def draws(module_id: str, count: int, prefix: str = "") -> Draws:
    """Values of every parameter that has a range, drawn uniformly between its ends; the first two sets are these."""
    rng = np.random.default_rng(7)
    found = {}
    for name, note in load_card(module_id).symbols.items():
        if note.low is not None and note.high is not None and note.low < note.high:
            values = rng.uniform(note.low, note.high, count)
            values[:2] = note.low, note.high
            found[prefix + name] = values
    return found


@cache
def joined(core: str, *modules: str) -> OdeModel:
    """A core and the tissue with modules, by their own names."""
    parts = [load_module(core, "core"), load_module("bone_volume", "bone")]
    return compose("joined", [*parts, *(load_module(module, module) for module in modules)], [])


def all_draws(modules: Iterable[str]) -> Draws:
    return {name: values for module in modules for name, values in draws(module, MEMBERS, f"{module}__").items()}


@pytest.mark.parametrize("core", CORES)
def test_health_is_a_stable_rest_of_a_core_with_all_modules_of_signals(core: str) -> None:
    modules = model_ids("signal")
    model, values = joined(core, *modules), all_draws(modules)
    states = [state.id for state in model.states]
    result = simulate(model, [0.0, 1000.0], states, parameters=values, rtol=1e-9)
    for name in states:  # a core stands with 15 digits, and bone volume adds up what its cells are off by
        np.testing.assert_allclose(result[name].values[:, 1], result[name].values[:, 0], rtol=1e-11)
    assert float(steady_state(model, parameters=values)["growth_rate"].max()) < 0.0


SIGNS = {
    ("angiogenesis", "sprouting"): "vessel_density+ oxygen+ HIF1A- VEGF- endothelial- drive_osteogenic+",
    ("angiogenesis", "migration"): "vessel_density+ oxygen+ HIF1A- VEGF- endothelial- drive_osteogenic+",
    ("angiogenesis", "proliferation"): "vessel_density+ oxygen+ HIF1A- VEGF- endothelial+ drive_osteogenic+",
    ("angiogenesis", "apoptosis"): "vessel_density- oxygen- HIF1A+ VEGF+ endothelial- drive_osteogenic-",
    ("angiogenesis", "HIF_expression"): "vessel_density+ oxygen+ HIF1A+ VEGF+ endothelial+ drive_osteogenic+",
    ("angiogenesis", "VEGF_expression"): "vessel_density+ oxygen+ HIF1A- VEGF+ endothelial+ drive_osteogenic+",
    ("angiogenesis", "bone_forming"): "vessel_density+ VEGF+ endothelial+ drive_osteogenic+",
    ("macrophage", "m1_drive"): "M1+ M2- TNFa+ IL1b+ IL6+ IL10- drive_osteogenic- drive_osteoclast+ drive_rankl+",
    ("macrophage", "m2_drive"): "M1- M2+ TNFa- IL1b- IL6- IL10+ drive_osteogenic+ drive_osteoclast- drive_rankl-",
    ("macrophage", "cytokine_production"): "M1+ M2- TNFa+ IL1b+ IL6+ IL10- drive_osteogenic- drive_rankl+",
    ("macrophage", "TNFa_expression"): "M1+ M2- TNFa+ IL1b+ IL6+ IL10- drive_osteogenic- drive_osteoclast+",
    ("macrophage", "IL10_expression"): "M1- M2+ TNFa- IL1b- IL6- IL10+ drive_osteogenic+ drive_angiogenic+",
    ("macrophage", "NLRP3_activity"): "IL1b+ IL6+ drive_osteogenic- drive_rankl+",
    ("macrophage", "IL1b_expression"): "IL1b+ IL6+ drive_osteogenic- drive_rankl+",
    ("macrophage", "IL6_expression"): "IL6+ drive_rankl+",
}
"""What rises (+) and what falls (-) with a parameter behind a port."""


def test_every_port_of_the_two_modules_has_its_signs() -> None:
    behind = {
        (module, name)
        for module in MODULES
        for port in load_card(module).ports
        for name in (*port.multiplies, *port.divides)
    }
    assert behind <= set(SIGNS)


@pytest.mark.parametrize(("module_id", "parameter"), SIGNS)
def test_a_port_moves_everything_one_way_for_any_values(module_id: str, parameter: str) -> None:
    factors = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    sets = MEMBERS // 10
    values = {name: np.repeat(drawn[:sets], factors.size) for name, drawn in draws(module_id, MEMBERS).items()}
    signs = {mark[:-1]: 1 if mark.endswith("+") else -1 for mark in SIGNS[module_id, parameter].split()}
    values[parameter] = np.tile(factors, sets)
    rest = steady_state(read_library_model(module_id), list(signs), parameters=values)
    for name, sign in signs.items():
        steps = sign * np.diff(rest[name].values.reshape(sets, factors.size), axis=1)
        assert steps.min() > 0.0, name


def test_an_inflammation_that_lasts_raises_M1_and_their_cytokines_for_any_values_and_M1_over_M2_for_most() -> None:
    levels, sets = np.array([0.0, 0.1, 0.3, 1.0]), MEMBERS
    values = {name: np.repeat(drawn[:sets], levels.size) for name, drawn in draws("macrophage", MEMBERS).items()}
    values["lasting_stimulus"] = np.tile(levels, sets)
    rising = ["macrophages", "M1", "TNFa", "IL1b"]
    rest = steady_state(read_library_model("macrophage"), [*rising, "M2"], parameters=values)
    for name in rising:
        assert np.diff(rest[name].values.reshape(sets, levels.size), axis=1).min() > 0.0, name
    ratio = (rest["M1"].values / rest["M2"].values).reshape(sets, levels.size)
    assert (ratio[:, 1:] > 1.0).mean(axis=0).min() >= 0.95  # cells that are recruited make IL-10, too


SATURATING = [
    ("angiogenesis", "sprouting", "vessel_density"),
    ("angiogenesis", "proliferation", "vessel_density"),
    ("angiogenesis", "VEGF_expression", "vessel_density"),
    ("angiogenesis", "HIF_expression", "vessel_density"),
    ("macrophage", "m1_drive", "M1"),
    ("macrophage", "m2_drive", "M2"),
    ("macrophage", "TNFa_expression", "M1"),
    ("macrophage", "IL10_expression", "M2"),
]


@pytest.mark.parametrize(("module_id", "parameter", "symbol"), SATURATING)
def test_a_response_saturates(module_id: str, parameter: str, symbol: str) -> None:
    """Doubling 8 times from health multiplies by more than doubling 8 times from there, and that again by more."""
    rest = steady_state(read_library_model(module_id), [symbol], parameters={parameter: 256.0 ** np.arange(4)})
    growth = np.diff(np.log(rest[symbol].values))
    assert np.all(np.diff(growth) < 0.0)
    assert growth[-1] < 0.05


@pytest.mark.parametrize("module_id", MODULES)
@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_no_state_falls_below_zero(module_id: str, factor: float) -> None:
    model = read_library_model(module_id)
    states = [state.id for state in model.states]
    behind = [name for module, name in SIGNS if module == module_id]
    one_by_one = {name: np.where(np.arange(len(behind)) == i, factor, 1.0) for i, name in enumerate(behind)}
    course = simulate(model, np.linspace(0.0, 60.0, 241), states, parameters=one_by_one)
    assert min(float(course[name].min()) for name in states) > 0.0


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize(
    ("parameter", "sign"),
    [
        ("macrophage__m1_drive", -1),
        ("macrophage__m2_drive", 1),
        ("macrophage__NLRP3_activity", -1),
        ("macrophage__IL10_expression", 1),
        ("angiogenesis__sprouting", 1),
        ("angiogenesis__HIF_expression", 1),
    ],
)
def test_bone_follows_a_signal_for_any_values_and_bone_forming_cells_for_most(
    core: str, parameter: str, sign: int
) -> None:
    model = joined(core, *MODULES)
    outputs = ["core__OBa", "bone__bone_volume_fraction"]
    values = {**all_draws(MODULES), parameter: np.full(MEMBERS, 1.2)}
    rest = steady_state(model, outputs, parameters=values)
    before = steady_state(model, outputs)
    moved = {name: np.sign(rest[name].values - float(before[name])) == sign for name in outputs}
    assert moved["bone__bone_volume_fraction"].all()
    assert moved["core__OBa"].mean() >= 0.85  # fewer osteoclasts free less TGF-beta, which bone-forming cells need


@pytest.mark.parametrize("core", CORES)
def test_cells_and_vessels_raise_each_other(core: str) -> None:
    coupled, alone = joined(core, "angiogenesis"), joined(core)
    supply = "core__D_OBu" if core == "pivonka2008" else "core__D_R"
    start = {one.id: one.value for one in alone.parameters}[supply]
    outputs = ["core__OBa", "angiogenesis__vessel_density"]
    more_cells = steady_state(coupled, outputs, parameters={supply: 1.2 * start})
    without = steady_state(alone, outputs[:1], parameters={supply: 1.2 * start})
    assert float(more_cells["angiogenesis__vessel_density"]) > 1.0
    assert float(more_cells["core__OBa"]) > float(without["core__OBa"])
