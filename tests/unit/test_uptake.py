"""What reaches cells by site, kind of cell and carrier; copies of cargo; what vesicles do on the way."""

from __future__ import annotations

from dataclasses import replace

import pytest
from questions import bolus, question
from signals import CELLS, PRIORS, at_rest, edge, log_odds, number, source, uptake_for

from bonesim.catalog import load_catalog
from bonesim.catalog.schema import Cargo, Source
from bonesim.network.compile import Network, compile_network
from bonesim.network.uptake import Exposure, Uptake
from bonesim.run import run
from bonesim.scenario.problem import Problem
from bonesim.scenario.resolve import resolve
from bonesim.simulate import simulate
from bonesim.trial import knocked_out, try_versions

HALF = uptake_for(2.0)  # keeps V50 vesicles in each cell, so that h = 1/2


def compiled(entry: Source, *uptake: Uptake, carriers: frozenset[str] = frozenset()) -> Network:
    """The network of one source whose vesicles reach cells by these flows; chondrocytes live in a joint."""
    return compile_network(
        [Exposure(entry, uptake or (Uptake("flow"),))],
        {},
        priors=PRIORS,
        cells={"bone": CELLS, "joint": number(1e6, "cell")},
        wanted=lambda cell, process: True,
        carriers=carriers,
        site_of=lambda cell, context: "joint" if cell == "chondrocyte" else "bone",
    )


def given(*edges: str, source: str = "macrophage_m2", **settings: str) -> Problem:
    """A scenario whose source has edges of the vesicle itself besides, all of strength 2."""
    shipped = load_catalog()
    own = tuple(edge(f"own_{process}", cargo=None, strength=2.0, ending=f"BMSC.{process}") for process in edges)
    entry = shipped.sources[source]
    entry = entry.model_copy(update={"edges": (*entry.edges, *own)})
    catalog = replace(shipped, sources={**shipped.sources, source: entry})
    return resolve(question(bolus(source, **settings)), catalog)


def test_a_cell_of_another_site_has_a_load_of_its_own() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", cargo="miR-2", ending="chondrocyte.proliferation"))
    model = compiled(entry, Uptake("flow"), Uptake("inflow", "joint")).model
    loads = {state.id for state in model.states if "vesicles_per_cell" in state.id}
    assert loads == {"cell_exo__vesicles_per_cell", "cell_exo__vesicles_per_cell_at_joint"}


def test_a_cell_that_no_vesicle_reaches_is_left_out_with_its_reason() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", cargo="miR-2", ending="chondrocyte.proliferation"))
    assert compiled(entry).left_out == {"b": "its vesicles do not reach the joint, given as they are"}


def test_all_cells_of_a_site_share_one_state() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", cargo="miR-2", ending="osteoblast.apoptosis"))
    model = compiled(entry).model
    assert sum("vesicles_per_cell" in state.id for state in model.states) == 1
    values = at_rest(compiled(entry), flow=HALF)
    assert values["BMSC__vesicles_of_cell_exo"] == values["osteoblast__vesicles_of_cell_exo"] == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["affinity_BMSC", "functional_fraction"])
def test_affinity_and_functional_fraction_multiply_what_can_act(name: str) -> None:
    network = compiled(source(edge("a", "A+")))
    values = at_rest(network, flow=HALF, **{name: 0.5})
    assert values["BMSC__vesicles_of_cell_exo"] == pytest.approx(1.0, rel=1e-12)
    assert log_odds(values) == pytest.approx(0.6 / 3, rel=1e-12)


def test_a_source_may_state_what_its_vesicles_prefer() -> None:
    entry = source(edge("a", "A+")).model_copy(update={"tropism": {"BMSC": number(3.0)}})
    values = at_rest(compiled(entry), flow=HALF)
    assert values["BMSC__vesicles_of_cell_exo"] == pytest.approx(6.0, rel=1e-12)


def test_an_effect_of_a_carrier_rests_on_the_vesicles_in_that_carrier_alone() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", cargo="miR-2", carrier="gel", ending="BMSC.proliferation"))
    flows = Uptake("free"), Uptake("held", carrier="gel")
    values = at_rest(compiled(entry, *flows), free=HALF, held=HALF / 2)
    assert values["BMSC__vesicles_of_cell_exo"] == pytest.approx(3.0, rel=1e-12)
    assert values["BMSC__vesicles_of_cell_exo_with_gel"] == pytest.approx(1.0, rel=1e-12)
    assert log_odds(values, "BMSC__proliferation") == pytest.approx(0.6 / 3, rel=1e-12)


def test_a_carrier_that_counts_as_given_asks_for_no_load_of_its_own() -> None:
    entry = source(edge("b", "B+", carrier="gel"))
    network = compiled(entry, carriers=frozenset({"gel"}))
    assert network.edges == ("b",)
    assert log_odds(at_rest(network, flow=HALF)) == pytest.approx(0.3, rel=1e-12)


def test_copies_are_those_of_all_sources_where_their_number_is_known() -> None:
    cargo = (
        Cargo(name="miR-1", kind="miRNA", refs=(1,)),
        Cargo(name="lnc-1", kind="lncRNA", refs=(1,)),
        Cargo(name="mRNA-1", kind="mRNA", refs=(1,), copies_per_vesicle=number(0.5, "item/particle")),
    )
    edges = [edge(f"edge{place}", "A+", cargo=one.name) for place, one in enumerate(cargo)]
    network = compiled(source(*edges).model_copy(update={"cargo": cargo}))
    assert [(one.cell, one.cargo) for one in network.copies] == [("BMSC", "miR-1"), ("BMSC", "mRNA-1")]
    assert network.uncounted == (("BMSC", "lnc-1"),)
    values = at_rest(network, flow=HALF)
    assert [values[one.symbol] for one in network.copies] == pytest.approx([0.02, 1.0], rel=1e-12)


def test_homing_of_the_vesicles_multiplies_the_odds_of_the_share_in_bone() -> None:
    plain, homing = given(), given("ev_targeting")
    assert "own_ev_targeting" in homing.acting
    shares = [simulate(one.model, [0, 1], ["macrophage_m2_intravenous__into_bone"]) for one in (plain, homing)]
    odds = [share / (1 - share) for share in (float(one["macrophage_m2_intravenous__into_bone"][-1]) for one in shares)]
    assert odds[1] / odds[0] == pytest.approx(4.0, rel=1e-9)


def test_homing_of_one_source_leaves_the_other_alone() -> None:
    shipped = load_catalog()
    entry = shipped.sources["macrophage_m2"]
    own = edge("own", cargo=None, strength=2.0, ending="BMSC.ev_targeting")
    m2 = entry.model_copy(update={"edges": (*entry.edges, own)})
    catalog = replace(shipped, sources={**shipped.sources, "macrophage_m2": m2})
    model = resolve(question(bolus(), bolus("macrophage_m1")), catalog).model
    names = [f"macrophage_m{number}_intravenous__into_bone" for number in (1, 2)]
    one, two = (float(simulate(model, [0, 1], names)[name][-1]) for name in names)
    assert one == pytest.approx(0.01, rel=1e-12)
    assert two > 0.03


def test_without_the_edge_exactly_its_part_of_the_kinetics_is_gone() -> None:
    plain, homing = given(), given("ev_targeting", "ev_uptake")
    symbols = ["bone__bone_volume_fraction", "macrophage_m2_intravenous__cells"]
    whole, out = (
        try_versions(homing, [{}, knocked_out(homing, ["own_ev_targeting", "own_ev_uptake"])], symbols)
        .values[-1, :, :, 0]
        .T
    )
    (without,) = try_versions(plain, [{}], symbols).values[-1, :, :, 0].T
    assert out == pytest.approx(without, rel=1e-6)
    assert whole[1] > 3 * out[1]


def test_vesicles_that_stay_at_the_site_multiply_the_half_life_of_the_depot() -> None:
    problem = given("ev_retention", route="local")
    result = simulate(problem.model, [0, 1, 5], ["macrophage_m2_local__depot"])
    depot = result["macrophage_m2_local__depot"].values
    assert depot[-1] / depot[1] == pytest.approx(0.5, rel=1e-4)


def test_what_blood_does_not_know_is_left_out() -> None:
    assert given("ev_retention").left_out["own_ev_retention"] == "no module of this scenario takes BMSC.ev_retention"


def test_a_property_of_vesicles_is_1_where_none_are_given_and_shows_its_factor_where_they_are() -> None:
    problem = given("ev_uptake")
    assert problem.arm_values["macrophage_m2__given"] == (1.0, 0.0)
    (symbol,) = [name for cell, process, name in problem.activities if process == "ev_uptake"]
    trial = try_versions(problem, [{}, {"macrophage_m2__given": 0.0}], [symbol, "BMSC__ev_uptake"])
    assert trial.course(symbol)[-1] == pytest.approx([4.0, 1.0])
    assert (trial.course("BMSC__ev_uptake") == trial.course(symbol)).all()


def test_more_of_what_one_cell_takes_changes_no_other_cell() -> None:
    plain, eager = given(source="macrophage_m1"), given("ev_uptake", source="macrophage_m1")
    names = ["BMSC__vesicles_of_macrophage_m1", "preosteoblast__vesicles_of_macrophage_m1"]
    one, two = (try_versions(problem, [{}], names).values[-1, :, 0] for problem in (plain, eager))
    assert two / one == pytest.approx([4.0, 1.0], rel=1e-6)


def test_what_is_given_locally_reaches_cells_of_the_site_far_more_than_by_blood() -> None:
    scenario = question(bolus(), bolus("macrophage_m1", route="local"))
    result = run(scenario, backend="numpy")
    by_blood, at_site = (
        float(result[f"{name}.cells"].sel(arm="dosed")[-1])
        for name in ("macrophage_m2_intravenous", "macrophage_m1_local")
    )
    assert at_site > 10 * by_blood
