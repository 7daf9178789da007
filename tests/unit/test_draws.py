"""Draws from ranges: where members lie, which numbers share a draw, and what a draw does to an arm."""

from __future__ import annotations

import numpy as np
import pytest
from questions import OVX, bolus, question

from bonesim.ensemble import accepted, groups
from bonesim.errors import InputError
from bonesim.model.ode import Parameter
from bonesim.scenario.arms import Arm, Comparison, compared
from bonesim.scenario.comparison import UncertaintyChoice
from bonesim.scenario.draws import Draws, Range, drawn_values, ranges

CHOICE = UncertaintyChoice(members=50, seed=3)


def arms(*doses: str, **more: str) -> tuple[Arm, ...]:
    return compared(question(*(doses or (bolus(),)), context=OVX, **more)).arms


def test_each_member_has_another_part_of_a_range() -> None:
    positions = Draws(CHOICE).positions("V50")
    assert sorted((positions * 50).astype(int)) == list(range(50))


def test_a_draw_depends_on_name_seed_and_number_of_members_alone() -> None:
    one, two = Draws(CHOICE), Draws(CHOICE)
    one.positions("hill")
    np.testing.assert_array_equal(one.positions("V50"), two.positions("V50"))
    others = [UncertaintyChoice(members=50, seed=4), UncertaintyChoice(members=51, seed=3)]
    assert all(Draws(other).positions("V50")[0] != two.positions("V50")[0] for other in others)
    assert (two.positions("V50") != two.positions("hill")).all()


def test_members_that_are_renewed_move_in_every_range_and_the_others_stay() -> None:
    draws = Draws(CHOICE)
    before = draws.positions("V50").copy()
    chosen = np.arange(50) % 7 == 0
    draws.renew(chosen)
    assert ((draws.positions("V50") != before) == chosen).all()


@pytest.mark.parametrize(
    ("low", "high", "middle"), [(0.1, 10.0, 1.0), (-10.0, -0.1, -1.0), (-1.0, 3.0, 1.0), (0.0, 2.0, 1.0)]
)
def test_half_of_a_range_lies_on_its_logarithm_unless_it_holds_0(low: float, high: float, middle: float) -> None:
    span = Range("k", low, high, middle)
    assert span.at(np.array([0.0, 0.5, 1.0])) == pytest.approx([low, middle, high])


def test_every_number_with_a_range_is_drawn_within_it_in_the_unit_of_the_model() -> None:
    arm = arms()[0]
    values = drawn_values(arm, Draws(CHOICE))
    for name, said in arm.problem.numbers.items():
        symbol = arm.problem.model.by_id.get(name)
        if isinstance(symbol, Parameter) and symbol.initial is None and said.get("low", 0) < said.get("high", 0):
            per = symbol.value / said["value"]
            assert values[name].min() >= said["low"] * per * (1 - 1e-12), name
            assert values[name].max() <= said["high"] * per * (1 + 1e-12), name
            assert len(np.unique(values[name])) == 50
    assert not {"core__A_OBa", "bone__k_formation", "macrophage_m2_intravenous__k_uptake"} & set(values)


def drawn(arm: Arm, number: str) -> np.ndarray:
    """Values of a number behind parameters over the stated one."""
    span = ranges(arm.problem)[number]
    return np.asarray(span.at(Draws(CHOICE).positions(span.key)) / span.stated)


def test_amounts_follow_their_lot_by_the_way_in_which_they_are_counted() -> None:
    arm = arms(bolus(), bolus(amount="1e10 particles", start="2 day"))[0]
    values = drawn_values(arm, Draws(CHOICE))
    per_ug, spread = (drawn(arm, f"macrophage_m2__{name}") for name in ("particles_per_ug", "lot_spread"))
    assert values["macrophage_m2_intravenous__dose0_amount"] == pytest.approx(2e11 * per_ug)
    assert values["macrophage_m2_intravenous__dose1_amount"] == pytest.approx(1e10 * spread)
    assert (spread.min(), spread.max()) == pytest.approx((0.44, 2.25), rel=0.05)
    assert "macrophage_m2__lot_spread" not in arms(bolus())[0].problem.numbers


def test_doses_that_are_counted_in_two_ways_and_infused_together_add_up() -> None:
    arm = arms(bolus(over="1 day"), bolus(amount="1e10 particles", over="1 day"))[0]
    values = drawn_values(arm, Draws(CHOICE))
    per_ug, spread = (drawn(arm, f"macrophage_m2__{name}") for name in ("particles_per_ug", "lot_spread"))
    assert values["macrophage_m2_intravenous__rate0"] == pytest.approx(2e11 * per_ug + 1e10 * spread)


def test_a_lot_of_another_source_is_another_draw() -> None:
    arm = arms(bolus(amount="1e10 particles"), bolus("macrophage_m1", amount="1e10 particles"))[0]
    one, other = (drawn(arm, f"macrophage_{name}__lot_spread") for name in ("m2", "m1"))
    assert np.corrcoef(one, other)[0, 1] < 0.9


def test_cells_of_a_site_are_one_draw_wherever_they_count() -> None:
    arm = arms(
        bolus(route="intra_articular"), bolus("macrophage_m1", route="intra_articular"), bolus(route="intradiscal")
    )[0]
    values = drawn_values(arm, Draws(CHOICE))
    marrow = drawn(arm, "marrow_target_cells")
    for name, cells, stated in [
        ("macrophage_m2_intra_articular", "joint_target_cells", 5e6 / 3e9),
        ("macrophage_m1_intra_articular", "joint_target_cells", 5e6 / 3e9),
        ("macrophage_m2_intradiscal", "disc_target_cells", 3e5 / 3e9),
    ]:
        assert values[f"{name}__site_cells"] == pytest.approx(stated * drawn(arm, cells) / marrow)
    assert values["marrow_target_cells"] == pytest.approx(3e9 * marrow)
    assert arm.problem.numbers["macrophage_m2_intradiscal__site_cells"]["basis"] == "computed"


def test_the_body_secretes_as_much_for_its_mass_in_all_arms_and_for_all_routes() -> None:
    arm, _, heavy = arms(bolus(), bolus(route="local"), arms="{heavy: {subject.mass: 350 g}}")
    light, more = (drawn_values(one, Draws(CHOICE)) for one in (arm, heavy))
    secretion = drawn(arm, "endogenous_secretion") * drawn(arm, "macrophage_m2__particles_per_ug")
    for group in ("macrophage_m2_intravenous", "macrophage_m2_local"):
        flux = light[f"{group}__endogenous_flux"]
        assert flux == pytest.approx(180 * 1440 * 2e9 * secretion)
        assert more[f"{group}__endogenous_flux"] == pytest.approx(1.4 * flux)
    shared = light.keys() & more.keys() - {name for name in light if name.endswith("_flux")}
    for name in shared:
        stated = [one.problem.stated(name) for one in (arm, heavy)]
        assert more[name] / stated[1] == pytest.approx(light[name] / stated[0]), name


def test_what_kinetics_say_of_the_body_is_drawn_once_for_all_sources_and_routes() -> None:
    arm = arms(bolus(), bolus("macrophage_m1"), bolus(route="local"))[0]
    values = drawn_values(arm, Draws(CHOICE))
    iv, other, local = "macrophage_m2_intravenous", "macrophage_m1_intravenous", "macrophage_m2_local"
    np.testing.assert_array_equal(values[f"{iv}__share_liver"], values[f"{other}__share_liver"])
    np.testing.assert_array_equal(values[f"{iv}__share_bone"], values[f"{local}__share_bone"])
    assert np.corrcoef(values[f"{local}__share_site"], values[f"{local}__share_bone"])[0, 1] < 0.9


def test_what_an_arm_holds_is_not_drawn() -> None:
    _, vehicle, out = arms(arms="{ko: {without: [miR-690]}}")
    assert "strength_m2_mir690_irs1_taz_osteogenesis" not in drawn_values(out, Draws(CHOICE))
    assert "macrophage_m2_intravenous__dose0_amount" not in drawn_values(vehicle, Draws(CHOICE))


def with_ranges(comparison: Comparison, **spans: tuple[float, float]) -> Comparison:
    """A comparison whose numbers have other ranges."""
    for name, (low, high) in spans.items():
        for arm in comparison.arms:
            arm.problem.numbers[name] |= {"low": low, "high": high}  # type: ignore[index, operator]
    return comparison


def test_a_member_whose_shares_are_more_than_the_whole_is_drawn_again() -> None:
    name = "macrophage_m2_intravenous__share_liver"
    scenario = question(bolus(), context=OVX, uncertainty="{members: 60, seed: 2}")
    comparison = with_ranges(compared(scenario), **{name: (0.15, 1.5)})
    found = groups(comparison, "numpy")
    draws = accepted(comparison, found)
    assert 0 < np.count_nonzero(draws.rounds) < 60
    left = [row for row, one in enumerate(comparison.arms[0].problem.model.parameters) if one.id.endswith("elsewhere")]
    batch = found[0].batch(draws)
    assert (batch.parameters[left] >= 0).all()
    fresh = found[0].batch(Draws(comparison.uncertainty)).parameters
    kept = np.tile(np.concatenate([[True], draws.rounds == 0]), 2)
    np.testing.assert_array_equal(batch.parameters[:, kept], fresh[:, kept])


def test_ranges_that_cannot_hold_together_are_told() -> None:
    scenario = question(bolus(), context=OVX, uncertainty="{members: 4}")
    comparison = with_ranges(compared(scenario), macrophage_m2_intravenous__share_liver=(1.5, 1.6))
    with pytest.raises(InputError, match="4 of 4 members were drawn 100 times, and a computed number is negative"):
        accepted(comparison, groups(comparison, "numpy"))
