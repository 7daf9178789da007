"""What holds of arms and draws whatever is asked: they are paired, reproducible, and each is its own."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import OVX, bolus, question

from bonesim.compose.card import load_card
from bonesim.ensemble import Group, accepted, groups
from bonesim.results.members import stated
from bonesim.run import run
from bonesim.run import settings as solver_settings
from bonesim.scenario.arms import compared
from bonesim.scenario.load import known_names
from bonesim.scenario.schema import Scenario
from bonesim.solve.integrate import integrate

OUTPUTS = "[bone_volume_fraction, OBa, OCa, CTX]"
NAMES = ("bone_volume_fraction", "OBa", "OCa", "CTX")
KNOCK_OUTS = {
    "ko": "{without: [miR-690, miR-5106]}",
    "low": "{'doses[0].amount': 20 ug}",
    "shells": "{vesicles: empty}",
    "other": "{'doses[0].source': macrophage_m1}",
}


def asked(arms: tuple[str, ...] = (), draws: str = "{members: 6, seed: 5}", **more: str) -> Scenario:
    text = "{" + ", ".join(f"{name}: {KNOCK_OUTS[name]}" for name in arms) + "}"
    return question(bolus(every="1 day", count="2"), context=OVX, outputs=OUTPUTS, arms=text, uncertainty=draws, **more)


def same(one: xr.Dataset, other: xr.Dataset, arm: str) -> None:
    for name in NAMES:
        np.testing.assert_array_equal(one[name].sel(arm=arm).values, other[name].sel(arm=arm).values)


@pytest.fixture(scope="module")
def all_arms() -> xr.Dataset:
    return run(asked(tuple(KNOCK_OUTS)))


@settings(max_examples=6, deadline=None)
@given(order=st.permutations(list(KNOCK_OUTS)), count=st.integers(0, 4))
def test_an_arm_does_not_depend_on_the_others(order: list[str], count: int, all_arms: xr.Dataset) -> None:
    chosen = tuple(order[:count])
    found = run(asked(chosen))
    for arm in ("dosed", "vehicle", *chosen):
        same(found, all_arms, arm)


def test_the_stated_values_are_those_of_a_run_without_draws(all_arms: xr.Dataset) -> None:
    plain = question(bolus(every="1 day", count="2"), context=OVX, outputs=OUTPUTS)
    for arm in ("dosed", "vehicle"):
        same(run(plain), stated(all_arms), arm)


def test_the_same_seed_gives_the_same_bits_and_another_one_others(all_arms: xr.Dataset) -> None:
    same(run(asked()), all_arms, "dosed")
    other = run(asked(draws="{members: 6, seed: 6}"))
    assert (other["OBa"].sel(arm="vehicle").values[:, -1] != all_arms["OBa"].sel(arm="vehicle").values[:, -1]).all()


def test_arms_of_a_member_share_every_number_that_they_do_not_hold(all_arms: xr.Dataset) -> None:
    before_the_first_dose = all_arms["bone_volume_fraction"].values[:, :, :2]
    assert len(np.unique(before_the_first_dose[0, :, 0])) == 6
    for arm in before_the_first_dose[1:]:
        np.testing.assert_allclose(arm, before_the_first_dose[0], rtol=1e-5)


def batches() -> list[tuple[Group, object]]:
    comparison = compared(asked(tuple(KNOCK_OUTS)))
    found = groups(comparison, "auto")
    draws = accepted(comparison, found)
    return [(group, draws) for group in found]


@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_a_member_alone_has_the_bits_that_it_has_in_company(data: st.DataObject) -> None:
    group, draws = data.draw(st.sampled_from(batches()))
    batch, sizes = group.batch(draws), group.sizes(draws)
    together = integrate(group.kernels, batch, solver_settings(group.problem, batch, sizes))
    member = data.draw(st.integers(0, batch.members - 1))
    part = batch.part(slice(member, member + 1))
    own = {state: size[member : member + 1] for state, size in sizes.items()}
    alone = integrate(group.kernels, part, solver_settings(group.problem, part, own))
    np.testing.assert_array_equal(alone.y[..., 0], together.y[..., member])


@pytest.mark.parametrize("taken", ["{vesicles: empty}", "{without: [all]}"])
def test_without_every_edge_an_arm_is_the_vehicle(taken: str) -> None:
    acting = compared(asked()).arms[0].problem.acting
    edges = [edge for edge in acting if not edge.startswith("oestrogen")]
    change = taken.replace("all", ", ".join(edges))
    # Both arms take steps of their own, so they agree as far as either is solved: tightly here.
    scenario = question(
        bolus(),
        context=OVX,
        outputs=OUTPUTS,
        arms=f"{{out: {change}}}",
        uncertainty="{members: 4}",
        solver__rtol="1e-12",
    )
    result = run(scenario)
    for name in NAMES:
        out, vehicle = (result[name].sel(arm=arm).values for arm in ("out", "vehicle"))
        np.testing.assert_allclose(out, vehicle, rtol=1e-9)
        assert np.abs(result[name].sel(arm="dosed").values / vehicle - 1).max() > 1e-6


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_free_cargo_does_less_than_a_hundredth_of_its_dose_in_vesicles(seed: int) -> None:
    arms = "{free: {vesicles: free_cargo}, hundredth: {'doses[0].amount': 1 ug}}"
    draws = f"{{members: 3, seed: {seed}}}"
    result = run(
        question(bolus(), context=OVX, outputs="[macrophage_m2.vesicles_per_cell]", arms=arms, uncertainty=draws)
    )
    peak = result["macrophage_m2.vesicles_per_cell"].max("time")
    assert (peak.sel(arm="free") <= peak.sel(arm="hundredth") * (1 + 1e-4)).all()
    assert (peak.sel(arm="free") > 0).all()


@pytest.mark.parametrize("core", ["pivonka2008", "lemaire2004"])
def test_every_draw_of_every_module_starts_at_rest_and_arrives(core: str) -> None:
    modules = f"[{', '.join(one for one in known_names().modules if load_card(one).joins)}]"
    # A draw that does not start at rest stops the run.
    result = run(asked(draws="{members: 60}", model__core=core, model__modules=modules))
    assert (result["status"] == 0).all()
