"""The arms of a scenario: what each solves, what it holds, and what is told of one that cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from questions import OVX, bolus, question

from bonesim.catalog import load_catalog
from bonesim.errors import InputError
from bonesim.model.ode import Parameter
from bonesim.resources import data_root
from bonesim.results.store import summary
from bonesim.run import run
from bonesim.scenario.arms import Arm, compared
from bonesim.scenario.derived import arm_scenario
from bonesim.scenario.load import load_scenario
from bonesim.scenario.schema import Scenario

M2 = load_catalog().sources["macrophage_m2"]


def asked(arms: str, *doses: str, **more: str) -> Scenario:
    return question(*(doses or (bolus(),)), context=OVX, arms=arms, **more)


def arm(arms: str, *doses: str, **more: str) -> Arm:
    """The first further arm."""
    return compared(asked(arms, *doses, **more)).arms[2]


def strengths(one: Arm) -> set[str]:
    """Edges that an arm holds at 0."""
    assert set(one.held.values()) <= {0.0}
    return {name.removeprefix("strength_") for name in one.held}


def test_dosed_and_vehicle_are_always_there_and_come_first() -> None:
    assert [one.name for one in compared(question(bolus())).arms] == ["dosed", "vehicle"]
    named = compared(asked("{z: {vesicles: empty}, a: {vesicles: empty}}")).arms
    assert [one.name for one in named] == ["dosed", "vehicle", "z", "a"]


def test_the_vehicle_holds_every_amount_at_0() -> None:
    dosed, vehicle = compared(question(bolus(), bolus("macrophage_m1", over="6 h"))).arms
    assert dosed.held == {}
    assert set(vehicle.held.values()) == {0.0}
    assert set(vehicle.held) == {
        "macrophage_m2_intravenous__dose0_amount",
        "macrophage_m1_intravenous__rate0",
    }  # the rate after the infusion is 0 anyway


def test_the_scenario_of_an_arm_is_the_whole_with_its_changes() -> None:
    scenario = asked("{low: {'doses[0].amount': 3 ug, 'subject.mass': 300 g}}", uncertainty="{members: 5}")
    own = arm_scenario(scenario, "low")
    assert str(own.doses[0].amount) == "3 ug"
    assert str(own.subject.mass) == "300 g"
    changed = {"doses", "subject", "arms", "uncertainty"}
    assert own.model_dump(exclude=changed) == scenario.model_dump(exclude=changed)
    assert own.arms == {}
    assert own.uncertainty is None


def test_an_arm_may_have_other_doses_and_another_disease() -> None:
    assert arm("{none: {doses: []}}").problem.ledger == ()
    assert "oestrogen__level" not in arm("{healthy: {context: []}}").problem.model.by_id


def test_an_edge_is_taken_out_by_its_id() -> None:
    edge = "m2_mir690_irs1_taz_osteogenesis"
    assert strengths(arm(f"{{ko: {{without: [{edge}]}}}}")) == {edge}


@pytest.mark.parametrize("name", ["miR-26a-5p", "miRNA-26a-5p"])
def test_a_cargo_is_taken_out_with_all_its_edges_by_name_or_alias(name: str) -> None:
    wanted = {"m2_mir26a5p_runx2_osteogenesis", "m2_mir26a5p_alp_osteogenesis"}
    assert strengths(arm(f"{{ko: {{without: [{name}]}}}}")) == wanted


def test_a_link_of_a_mediator_is_taken_out_by_its_id() -> None:
    assert arm("{ko: {without: [oestrogen_osteoclast_apoptosis]}}").held == {"gain_oestrogen_osteoclast_apoptosis": 0.0}


def test_a_module_is_taken_out_by_its_switches() -> None:
    one = arm("{ko: {without: [wnt_sclerostin]}}", model__modules="[wnt_sclerostin]")
    assert one.held
    for name, value in one.held.items():
        parameter = one.problem.model.by_id[name]
        assert isinstance(parameter, Parameter)
        assert (parameter.value, value) == (1.0, 0.0)
        assert name.startswith("wnt_sclerostin__")
        assert name.endswith(("_drive_on", "_given_on"))


def test_empty_vesicles_have_no_edge_left() -> None:
    one = arm("{shells: {vesicles: empty}}")
    assert strengths(one) == {edge.id for edge in M2.edges} & {*one.problem.acting}
    assert len(one.held) > 1


def test_what_differs_in_strengths_alone_shares_the_problem() -> None:
    arms = compared(asked("{ko: {without: [miR-690]}, shells: {vesicles: empty}, low: {'doses[0].amount': 3 ug}}")).arms
    assert [one.problem is arms[0].problem for one in arms] == [True, True, True, True, False]


def test_free_cargo_enters_in_the_share_that_the_prior_says() -> None:
    prior = load_catalog().priors["free_cargo_entry"]
    one = arm("{free: {vesicles: free_cargo}}")
    parameter = one.problem.model.by_id["free_cargo_entry"]
    assert isinstance(parameter, Parameter)
    assert parameter.value == prior.value
    assert one.problem.numbers["free_cargo_entry"]["why"] == prior.why
    assert "free_cargo_entry" not in compared(question(bolus())).arms[0].problem.model.by_id


def test_an_arm_is_to_get_what_its_own_doses_say() -> None:
    dosed, vehicle, low = compared(asked("{low: {'doses[0].amount': 3 ug, 'doses[0].every': 1 day}}",
                                         bolus(every="12 h", count="2"))).arms  # fmt: skip
    assert [one.scheduled(one.problem.ledger[0]) for one in (dosed, vehicle, low)] == [200.0, 0.0, 6.0]


def test_amounts_belong_to_a_lot_by_the_way_in_which_they_are_counted() -> None:
    doses = (bolus(), bolus(amount="1e10 particles", start="2 day", every="1 day", count="2"))
    lot, counted = compared(question(*doses)).arms[0].lots
    assert (lot.numbers, lot.group) == (("macrophage_m2__particles_per_ug",), "macrophage_m2_intravenous")
    assert lot.amounts == {
        "macrophage_m2_intravenous__dose0_amount": 2e11,
        "macrophage_m2_intravenous__dose1_amount": 0.0,
    }
    assert (lot.given, lot.size) == (2e11, 2e11)
    assert counted.numbers == ("macrophage_m2__lot_spread",)
    assert counted.amounts == {
        "macrophage_m2_intravenous__dose0_amount": 0.0,
        "macrophage_m2_intravenous__dose1_amount": 1e10,
    }
    assert (counted.given, counted.size) == (2e10, 1e10)


FAULTS = {
    "{a: {without: [miR-691]}}": (
        "--set arms.a.without[0]: no edge, cargo or module 'miR-691' acts in this arm\n  try: did you mean 'miR-690'?"
    ),
    "{a: {without: [m2_loc103691165_osteogenesis]}}": (
        "--set arms.a.without[0]: edge 'm2_loc103691165_osteogenesis' does not act here: "
        "acts in context fracture only\n  try: leave it out"
    ),
    "{a: {'doses[0].source': macrophage_m1, without: [m2_mir690_irs1_taz_osteogenesis]}}": (
        "--set arms.a.without[0]: no edge, cargo or module 'm2_mir690_irs1_taz_osteogenesis' acts in this arm\n"
    ),
    "{a: {doses: [], vesicles: empty}}": (
        "--set arms.a.vesicles: nothing is dosed in this arm\n  try: leave it out, or add a dose"
    ),
}


@pytest.mark.parametrize("arms", FAULTS)
def test_what_an_arm_cannot_be_is_told_at_its_place(arms: str) -> None:
    with pytest.raises(InputError) as caught:
        compared(asked(arms))
    assert str(caught.value).startswith(FAULTS[arms])


def test_an_output_that_an_arm_does_not_have_is_told_at_the_arm() -> None:
    with pytest.raises(InputError) as caught:
        compared(asked("{a: {doses: []}}", outputs="[macrophage_m2_intravenous.bone]"))
    message = "--set arms.a: outputs[0]: the model has no quantity 'macrophage_m2_intravenous.bone'\n"
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("change", "own"),
    [
        ("{'doses[0].amount': 3 ug}", False),
        ("{without: [miR-690]}", False),
        ("{'doses[0].source': macrophage_m1}", False),
        ("{model.core: lemaire2004}", True),
        ("{subject.mass: 300 g}", True),
        ("{context: []}", True),
        ("{without: [angiogenesis]}", True),
        ("{without: [oestrogen_osteoclast_apoptosis]}", True),
    ],
)
def test_an_arm_with_another_subject_disease_or_model_has_a_vehicle_of_its_own(change: str, own: bool) -> None:
    scenario = asked(f"{{own: {change}}}", model__modules="[angiogenesis]", uncertainty="{members: 4}")
    result = run(scenario)
    found = summary(result)
    row = found["outputs"]["bone_volume_fraction"]["arms"]["own"]
    assert found.get("own_vehicle", []) == (["own"] if own else [])
    assert row.get("vehicle") == ("own" if own else None)
    assert list(found["status"]) == list(result["arm"].values) == ["dosed", "vehicle", "own"]
    assert {line["arm"] for line in found["ledger"]} <= {"dosed", "vehicle", "own"}
    assert row["against_vehicle_percent"] is not None
    assert set(row["against_vehicle_percent_quantiles"]) == {"5", "50", "95"}


ELSEWHERE = {"model.core": "lemaire2004", "subject.mass": "300 g", "doses[0].amount": "40 ug"}


def test_the_difference_of_such_an_arm_is_that_of_a_scenario_of_its_own() -> None:
    changes = ", ".join(f"'{key}': {value}" for key, value in ELSEWHERE.items())
    drawn = {"uncertainty": "{members: 6}"}
    beside = run(asked(f"{{own: {{{changes}}}}}", **drawn))
    alone = run(asked("{}", **drawn, **{key.replace(".", "__"): value for key, value in ELSEWHERE.items()}))
    rows = summary(beside)["outputs"]["OBa"]["arms"]["own"], summary(alone)["outputs"]["OBa"]["arms"]["dosed"]
    vehicle = summary(alone)["outputs"]["OBa"]["arms"]["vehicle"]
    assert {key: value for key, value in rows[0].items() if not key.startswith("vehicle")} == rows[1]
    assert rows[0]["vehicle_final"] == vehicle["final"]
    assert rows[1]["against_vehicle_percent"] != 0
    for name in ("OBa", "OBa_stated"):
        own = beside[name.replace("OBa", "OBa_vehicle")]
        assert own.dims == beside[name].dims
        assert (own.sel(arm="own").values == alone[name].sel(arm="vehicle").values).all()
        assert (own.sel(arm="dosed").values == beside[name].sel(arm="vehicle").values).all()


def test_an_undosed_arm_does_not_differ_from_its_own_vehicle() -> None:
    found = summary(run(asked("{none: {model.core: lemaire2004, doses: []}}")))
    row = found["outputs"]["OBa"]["arms"]["none"]
    assert (row["against_vehicle_percent"], row["largest_against_vehicle_percent"]) == (0.0, 0.0)
    assert row["vehicle_baseline"] != found["outputs"]["OBa"]["baseline"]


FRACTURE = data_root() / "scenarios" / "fracture_m2_hydrogel.yaml"
HEALING = "[new_bone, inflammation, cartilage, callus_vessels]"


@pytest.mark.parametrize("out", [("macrophage",), ("angiogenesis",), ("angiogenesis", "macrophage")])
def test_an_arm_without_modules_is_a_scenario_without_them(out: tuple[str, ...]) -> None:
    """Macrophages give their numbers to callus and IL-6 to vessels; vessels give their density to callus."""
    both = ("angiogenesis", "macrophage")
    asked_for = {"outputs": HEALING, "duration": "3 week", "record.every": "1 day", "solver.rtol": "1e-8"}
    rest = ", ".join(module for module in both if module not in out)
    scenario = {"model.modules": f"[{', '.join(both)}]", "arms": f"{{ko: {{without: [{', '.join(out)}]}}}}"}
    beside = run(load_scenario(FRACTURE, asked_for | scenario))
    alone = run(load_scenario(FRACTURE, asked_for | {"model.modules": f"[{rest}]"}))
    moved = False
    for name in ("new_bone", "inflammation", "cartilage", "callus_vessels", "OBa", "OCa"):
        size = float(np.abs(alone[name]).max())
        knocked_out, without = beside[name].sel(arm="ko").values, alone[name].sel(arm="dosed").values
        assert knocked_out == pytest.approx(without, abs=1e-6 * size)
        moved = moved or float(np.abs(beside[name].sel(arm="dosed").values - without).max()) > 1e-2 * size
        if f"{name}_vehicle" in beside:
            vehicle = beside[f"{name}_vehicle"].sel(arm="ko").values
            assert vehicle == pytest.approx(alone[name].sel(arm="vehicle").values, abs=1e-6 * size)
    assert moved


@pytest.mark.parametrize("module", ["wnt_sclerostin", "rankl_opg", "angiogenesis", "macrophage"])
def test_a_module_beside_a_core_is_out_as_if_it_were_not_named(module: str) -> None:
    beside = run(asked(f"{{ko: {{without: [{module}]}}}}", model__modules=f"[{module}]", solver__rtol="1e-8"))
    alone = run(asked("{}", solver__rtol="1e-8"))
    for name in ("bone_volume_fraction", "OBa", "OCa"):
        expected = alone[name].sel(arm="dosed").values
        assert beside[name].sel(arm="ko").values == pytest.approx(expected, rel=1e-6)
