"""The signal network: exact rest, closed form of a chain, signs, knock-outs, conditions."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from signals import at_rest, edge, factor, ids, log_odds, network, number, source, start_of, uptake_for

from bonesim.catalog import load_catalog
from bonesim.catalog.schema import Edge
from bonesim.errors import InputError
from bonesim.model.check import well_posed
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Num
from bonesim.model.ode import OdeModel, Parameter
from bonesim.network.compile import Network

EPS = 2.0**-52
OSTEOGENESIS = "BMSC__osteogenic_differentiation"
HALF = uptake_for(2.0)  # keeps V50 vesicles in each cell, so that h = 1/2
DIRECTIONS = [way for length in (1, 2, 3) for way in itertools.product("+-", repeat=length)]
RICH = (
    edge("a", "IRS1+ TAZ+"),
    edge("b", "SIK2-", cargo="miR-2"),
    edge("c", "SIK3-", cargo="miR-2"),
    edge("d", cargo=None),
    edge("e", "COL2+", cargo=None, strength=0.3),
    edge("f", "BCL2-", effect=-1, ending="BMSC.apoptosis", cargo="miR-2"),
)


def closed(compiled: Network, *inputs: str) -> OdeModel:
    """The network as a model of its own, its inputs as parameters."""
    parameters = (*compiled.model.parameters, *(Parameter(name, 1.0) for name in inputs))
    return well_posed(compiled.model.with_(parameters=parameters))


@hypothesis_settings(max_examples=60)
@given(
    strength=st.floats(0, 20),
    basal_node=st.floats(1e-9, 1 - 1e-9),
    basal_process=st.floats(1e-9, 1 - 1e-9),
    tau=st.floats(1e-3, 1e3),
    hill=st.floats(1, 4),
)
def test_the_basal_state_is_exact_whatever_the_numbers_are(
    strength: float, basal_node: float, basal_process: float, tau: float, hill: float
) -> None:
    edges = (edge("a", "A+ B- C+", strength=strength), edge("b", "D-", cargo="miR-2", effect=-1, strength=strength))
    priors = {
        "basal_node": number(basal_node),
        "basal_process": number(basal_process),
        "tau_node": number(tau, "day"),
        "tau_process": number(tau, "day"),
        "hill": number(hill),
    }
    hormone = factor(("h", "BMSC.osteogenic_differentiation", -0.7))
    compiled = network(source(*edges), factors={"level": hormone}, priors=priors)
    values = start_of(compiled.model, uptake_cell_exo=0.0, level=1.0)
    assert values[OSTEOGENESIS] == 1.0
    for state in compiled.model.states:
        # b u/(1 - b + b u) at u = 1 takes three rounded operations; subtraction from y and division by tau two more.
        assert abs(evaluate(state.rate, values)) <= 5 * EPS * abs(values[state.id]) / tau


@pytest.mark.parametrize("load", [0.01, 2.0, 50.0])
@pytest.mark.parametrize("chain", ["", "A+", "A-", "A+ B-", "A- B- C+", "A+ B+ C- D+ E-"])
@pytest.mark.parametrize("effect", [1, -1])
def test_one_chain_moves_the_log_odds_of_its_process_by_effect_times_strength_times_h(
    effect: Literal[1, -1], chain: str, load: float
) -> None:
    compiled = network(source(edge("a", chain, effect=effect, strength=0.8)))
    values = at_rest(compiled, uptake_cell_exo=uptake_for(load))
    assert values["cell_exo__vesicles_per_cell"] == pytest.approx(load, rel=1e-12)
    assert log_odds(values) == pytest.approx(effect * 0.8 * load / (load + 2.0), rel=1e-12)


@pytest.mark.parametrize("effect", [1, -1])
@pytest.mark.parametrize("directions", DIRECTIONS, ids="".join)
def test_signs_of_nodes_are_their_directions_and_that_of_the_process_is_the_effect(
    directions: tuple[str, ...], effect: Literal[1, -1]
) -> None:
    chain = " ".join(f"N{place}{direction}" for place, direction in enumerate(directions))
    compiled = network(source(edge("a", chain, effect=effect)))
    values = at_rest(compiled, uptake_cell_exo=HALF)
    nodes = ids([state.id for state in compiled.model.states], "_by_")
    moves = [math.copysign(1, values[node] - values["basal_node"]) for node in nodes]
    assert moves == [1 if direction == "+" else -1 for direction in directions]
    assert math.copysign(1, values[OSTEOGENESIS] - 1) == effect


def test_parallel_chains_of_one_cargo_share_its_strength() -> None:
    alone = at_rest(network(source(edge("a", "A+"))), uptake_cell_exo=HALF)
    three = source(edge("a", "A+"), edge("b", "B-"), edge("c", "C+ D+"))
    assert log_odds(at_rest(network(three), uptake_cell_exo=HALF)) == pytest.approx(log_odds(alone), rel=1e-12)


def test_cargos_that_move_a_process_the_same_way_share_the_strength_of_the_vesicles() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", cargo="miR-2"), edge("c", "C+ D-", cargo="miR-2", strength=1.2))
    values = at_rest(network(entry), uptake_cell_exo=HALF)
    assert log_odds(values) == pytest.approx((0.6 / 2 + 0.6 / 4 + 1.2 / 4) / 2, rel=1e-12)


def test_cells_of_one_pool_share_what_a_source_does_to_its_process() -> None:
    entry = source(
        edge("a", "A+"),
        edge("b", "A+", ending="MSC.osteogenic_differentiation"),
        edge("c", "C+", ending="MSC.apoptosis"),
        edge("d", "D+", ending="osteoblast.osteogenic_differentiation"),
    )
    pools = {"BMSC": "stromal", "MSC": "stromal"}
    values = at_rest(network(entry, lineage=lambda cell: pools.get(cell, cell)), uptake_cell_exo=HALF)
    found = {name: log_odds(values, name.replace(".", "__")) for name in {one.port for one in entry.edges}}
    assert found == pytest.approx(
        {
            "BMSC.osteogenic_differentiation": 0.6 / 2 / 2,
            "MSC.osteogenic_differentiation": 0.6 / 2 / 2,
            "MSC.apoptosis": 0.6 / 2,
            "osteoblast.osteogenic_differentiation": 0.6 / 2,
        },
        rel=1e-12,
    )


def test_chains_to_another_process_or_the_other_way_do_not_share() -> None:
    entry = source(
        edge("a", "A+"),
        edge("b", "B+", cargo="miR-2", effect=-1, strength=0.8),
        edge("c", "C+", ending="BMSC.apoptosis"),
        edge("d", "D+", cargo="miR-2", ending="MSC.osteogenic_differentiation"),
    )
    values = at_rest(network(entry), uptake_cell_exo=HALF)
    assert log_odds(values) == pytest.approx(0.6 / 2 - 0.8 / 2, rel=1e-12)
    assert log_odds(values, "BMSC__apoptosis") == pytest.approx(0.6 / 2, rel=1e-12)
    assert log_odds(values, "MSC__osteogenic_differentiation") == pytest.approx(0.6 / 2, rel=1e-12)


def test_a_common_beginning_of_two_chains_of_one_cargo_is_one_state() -> None:
    entry = source(edge("a", "A+ B+"), edge("b", "A+ C-", ending="BMSC.apoptosis"))
    nodes = ids([state.id for state in network(entry).model.states], "_by_")
    assert nodes == ["BMSC__A_by_miR1_of_cell_exo", "BMSC__A_B_by_miR1_of_cell_exo", "BMSC__A_C_by_miR1_of_cell_exo"]


def test_a_node_that_stands_twice_in_a_chain_is_two_states() -> None:
    compiled = network(source(edge("a", "A+ B+ A-")))
    assert len(ids([state.id for state in compiled.model.states], "_by_")) == 3
    assert log_odds(at_rest(compiled, uptake_cell_exo=HALF)) == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize("hill", [1.0, 1.5, 2.0])
def test_action_is_none_without_load_half_at_v50_and_saturates(hill: float) -> None:
    compiled = network(source(edge("a", "A+")), priors={"hill": number(hill)})
    rule = compiled.model.by_id["BMSC__saturation_by_cell_exo"].expr  # type: ignore[union-attr]
    values = {"hill": hill, "V50": 2.0}
    actions = [evaluate(rule, {**values, "BMSC__vesicles_of_cell_exo": load}) for load in (0.0, 2.0, 1e12)]
    assert actions == pytest.approx([0.0, 0.5, 1.0], abs=1e-11)  # (V50/V)^n at 1e12 is 2e-12 at most
    full = at_rest(compiled, uptake_cell_exo=uptake_for(1e12))
    assert log_odds(full) == pytest.approx(0.6, rel=1e-11)
    assert full["BMSC__A_by_miR1_of_cell_exo"] == pytest.approx(2 / 3, rel=1e-11)  # odds doubled from 1:1


def test_knocking_a_cargo_out_removes_its_part_of_the_log_odds_and_nothing_else() -> None:
    compiled = network(source(*RICH))
    whole = at_rest(compiled, uptake_cell_exo=HALF)
    without = at_rest(compiled, uptake_cell_exo=HALF, strength_a=0.0)
    assert log_odds(whole) - log_odds(without) == pytest.approx(0.6 / 2 / 4, rel=1e-12)  # one of four cargos
    changed = {name for name in whole if whole[name] != without[name]}
    assert changed == {OSTEOGENESIS, f"{OSTEOGENESIS}_activity", "strength_a"}


@pytest.mark.parametrize("source_id", load_catalog().sources)
def test_parts_of_the_cargo_of_a_shipped_source_add_up(source_id: str) -> None:
    entry = load_catalog().sources[source_id]
    given_ = {f"uptake_{source_id}": HALF}
    everywhere = {
        "contexts": frozenset(one.context for one in entry.edges if one.context),
        "carriers": frozenset(one.conditions.carrier for one in entry.edges if one.conditions.carrier),
    }
    compiled = network(entry, **everywhere)
    assert set(compiled.edges) == {one.id for one in entry.edges}
    whole = at_rest(compiled, **given_)
    bundles = {one.cargo or one.id for one in entry.edges}
    out = {
        bundle: {f"strength_{one.id}": 0.0 for one in entry.edges if (one.cargo or one.id) != bundle}
        for bundle in sorted(bundles)
    }
    alone = [at_rest(compiled, **given_, **strengths) for strengths in out.values()]
    for _, _, process in compiled.activities:
        parts = sum(log_odds(values, process) for values in alone if process in values)
        assert log_odds(whole, process) == pytest.approx(parts, rel=1e-12)


def test_without_any_cargo_nothing_is_left() -> None:
    empty = source(*RICH).model_copy(update={"cargo": (), "edges": ()})
    compiled = network(empty)
    assert (compiled.model.states, compiled.model.parameters, compiled.activities) == ((), (), ())
    hormone = factor(("h", "BMSC.osteogenic_differentiation", -0.7))
    values = at_rest(network(empty, factors={"level": hormone}), level=1.0)
    assert values[OSTEOGENESIS] == 1.0


def test_edges_act_only_where_their_context_and_carrier_are() -> None:
    entry = source(
        edge("always", "A+"),
        edge("broken", "B+", cargo="miR-2", context="fracture"),
        edge("in_gel", "C+", cargo="miR-3", carrier="gel"),
    )
    bare = network(entry)
    assert bare.edges == ("always",)
    assert bare.left_out == {"broken": "acts in context fracture only", "in_gel": "acts with carrier gel only"}
    assert network(entry, contexts=frozenset({"fracture"})).edges == ("always", "broken")
    full = network(entry, contexts=frozenset({"fracture"}), carrier="gel")
    assert (full.edges, full.left_out) == (("always", "broken", "in_gel"), {})


def test_an_edge_left_out_by_its_context_keeps_its_share() -> None:
    entry = source(edge("a", "A+"), edge("b", "B+", context="fracture"))
    assert log_odds(at_rest(network(entry), uptake_cell_exo=HALF)) == pytest.approx(0.3 / 2, rel=1e-12)


def test_what_nothing_takes_is_pruned_with_its_reason() -> None:
    entry = source(edge("a", "A+"), edge("b", "A+ B+", ending="BMSC.migration"))
    hormone = factor(("h", "osteoclast.apoptosis", 0.8))
    compiled = network(
        entry, factors={"level": hormone}, wanted=lambda cell, process: process == "osteogenic_differentiation"
    )
    assert compiled.edges == ("a",)
    assert compiled.left_out == {
        "b": "no module of this scenario takes BMSC.migration",
        "h": "no module of this scenario takes osteoclast.apoptosis",
    }
    assert not ids([state.id for state in compiled.model.states], "B_by", "migration")


def test_a_source_of_which_nothing_acts_leaves_no_load() -> None:
    compiled = network(source(edge("a", "A+")), wanted=lambda cell, process: False)
    assert (compiled.model.states, compiled.model.rules) == ((), ())


def carried(*edges: Edge, by: tuple[str, str, str] = ("BMSC", "B", "osteogenic_differentiation")) -> dict[str, float]:
    """Resting values at h = 1/2 of a network of which a module takes over at one node."""
    compiled = network(source(*edges), carries=lambda *asked: asked == by)
    return at_rest(compiled, uptake_cell_exo=HALF)


@pytest.mark.parametrize(("chain", "effect", "sign"), [("A+ B+ C-", 1, 1), ("A+ B-", 1, -1), ("B+ C+", -1, 1)])
def test_a_chain_ends_at_the_first_node_that_a_module_carries_on(chain: str, effect: Literal[1, -1], sign: int) -> None:
    values = carried(edge("a", chain, effect=effect, strength=0.8))
    assert log_odds(values, "BMSC__B") == pytest.approx(sign * 0.4, rel=1e-12)
    assert OSTEOGENESIS not in values
    assert not any("C_by" in name for name in values)


def test_a_module_that_leads_elsewhere_takes_no_chain() -> None:
    values = carried(edge("a", "A+ B+", strength=0.8), by=("BMSC", "B", "apoptosis"))
    assert log_odds(values) == pytest.approx(0.4, rel=1e-12)
    assert "BMSC__B" not in values


def test_edges_of_one_cargo_that_pass_a_carried_node_share_its_strength() -> None:
    to_fat = edge("c", "B+ C-", effect=-1, strength=0.8, ending="BMSC.adipogenic_differentiation")
    both = network(
        source(edge("a", "A+ B+", strength=0.8), to_fat),
        carries=lambda cell, node, process: (cell, node) == ("BMSC", "B"),
    )
    assert log_odds(at_rest(both, uptake_cell_exo=HALF), "BMSC__B") == pytest.approx(0.4, rel=1e-12)
    assert both.activities == (("BMSC", "B", "BMSC__B"),)


def test_edges_without_a_named_cargo_stand_each_for_itself() -> None:
    entry = source(edge("a", "A+", cargo=None), edge("b", "A+", cargo=None))
    compiled = network(entry)
    nodes = ids([state.id for state in compiled.model.states], "_by_")
    assert nodes == ["BMSC__A_by_a_of_cell_exo", "BMSC__A_by_b_of_cell_exo"]
    assert log_odds(at_rest(compiled, uptake_cell_exo=HALF)) == pytest.approx(0.3, rel=1e-12)


@pytest.mark.parametrize(("level", "gain"), [(0.355, -0.655), (0.355, 0.834), (2.0, 1.0), (0.2, -3.0)])
def test_a_mediator_moves_the_odds_of_a_process_by_level_to_the_gain(level: float, gain: float) -> None:
    hormone = factor(("h", "BMSC.osteogenic_differentiation", gain))
    values = at_rest(network(factors={"level": hormone}), level=level)
    assert log_odds(values) == pytest.approx(gain * math.log2(level), rel=1e-12)


def test_vesicles_and_mediators_add_up_on_the_scale_of_log_odds() -> None:
    hormone = factor(("h", "BMSC.osteogenic_differentiation", 0.5))
    both = network(source(edge("a", "A+")), factors={"level": hormone})
    values = at_rest(both, uptake_cell_exo=HALF, level=0.25)
    assert log_odds(values) == pytest.approx(0.3 - 1.0, rel=1e-12)


def test_two_sources_with_one_cargo_have_nodes_of_their_own() -> None:
    one, two = source(edge("a", "A+"), id_="one"), source(edge("b", "A+", effect=-1, strength=0.2), id_="two")
    compiled = network(one, two)
    closed(compiled, "uptake_one", "uptake_two")
    values = at_rest(compiled, uptake_one=HALF, uptake_two=0.0)
    assert log_odds(values) == pytest.approx(0.3, rel=1e-12)
    assert values["BMSC__A_by_miR1_of_two"] == values["basal_node"]
    assert log_odds(at_rest(compiled, uptake_one=HALF, uptake_two=HALF)) == pytest.approx(0.3 - 0.1, rel=1e-12)


def test_numbers_reach_the_model_in_its_units_and_keep_their_origin() -> None:
    compiled = network(source(edge("a", "A+")))
    model = closed(compiled, "uptake_cell_exo")
    half_life = model.by_id["cargo_half_life"]
    assert isinstance(half_life, Parameter)
    assert (half_life.value, half_life.unit) == (0.5, "day")
    assert compiled.numbers["cargo_half_life"].unit == "h"
    assert compiled.numbers.keys() == {parameter.id for parameter in compiled.model.parameters}
    load = model.by_id["cell_exo__vesicles_per_cell"]
    assert (load.unit, load.initial) == ("particle/cell", Num(0.0))  # type: ignore[union-attr]


def test_a_prior_in_a_wrong_unit_is_told() -> None:
    with pytest.raises(InputError) as caught:
        network(source(edge("a", "A+")), priors={"V50": number(1.0, "ug/cell")})
    assert str(caught.value) == (
        "'ug/cell' does not convert to 'particle/cell': "
        "a mass per count of cells is not a count of particles per count of cells"
    )
