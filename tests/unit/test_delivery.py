"""Routes and carriers of a dose: what is refused, what the ledger says of a carrier and of the body's own vesicles."""

from __future__ import annotations

import json

import pytest
import xarray as xr
from questions import bolus, question

from bonesim.errors import InputError
from bonesim.run import run
from bonesim.scenario.resolve import resolve

ABLE = "endogenous, intra_articular, intradiscal, intramuscular, intraperitoneal, intravenous, local, subcutaneous"
REFUSED = {
    "by mouth": (
        bolus(route="oral"),
        "--set doses[0].route: vesicles are not given by 'oral': no kinetics of vesicles by mouth are known, "
        f"and only drugs are given so\n  try: one of {ABLE}",
    ),
    "a gel in blood": (
        bolus(carrier="cha_sf_gcs_dfpeg"),
        "--set doses[0].carrier: 'cha_sf_gcs_dfpeg' holds vesicles at a site, and 'intravenous' gives them into blood\n"
        "  try: route: local",
    ),
    "an infusion of a gel": (
        bolus(route="local", carrier="beta_tcp", over="1 h"),
        "--set doses[0].over: 'beta_tcp' is put in place at once, and this dose is an infusion\n  try: leave it out",
    ),
    "a carrier that is not known": (
        bolus(route="local", carrier="beta_tpc"),
        "--set doses[0].carrier: unknown carrier 'beta_tpc'\n  try: did you mean 'beta_tcp'?",
    ),
    "secretion of an amount": (
        bolus(route="endogenous", over="2 day"),
        "--set doses[0].amount: '100 ug' is no amount a day, and by 'endogenous' the body secretes day by day\n"
        "  try: e.g. '5 ug/day', with `over: 14 day`",
    ),
    "secretion without an end": (
        bolus(route="endogenous", amount="5 ug/day"),
        "--set doses[0].amount: '5 ug/day' is an amount a day, and nothing says for how long\n  try: over: 14 day",
    ),
    "an injection day by day": (
        bolus(amount="5 ug/day", over="2 day"),
        "--set doses[0].amount: '5 ug/day' is an amount a day, and by 'intravenous' vesicles are given at once or over "
        "a time\n  try: the whole amount, e.g. '100 ug', or route: endogenous",
    ),
    "secretion in a carrier": (
        bolus(route="endogenous", amount="5 ug/day", over="2 day", carrier="creka"),
        "--set doses[0].carrier: what the body secretes has no carrier\n  try: leave it out",
    ),
}


def line_of(result: xr.Dataset, arm: str = "dosed") -> dict[str, float]:
    (line,) = (line for line in json.loads(result.attrs["ledger"]) if line["arm"] == arm)
    return dict(line)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_given_so_is_refused(name: str) -> None:
    dose, message = REFUSED[name]
    with pytest.raises(InputError) as caught:
        question(dose)
    assert str(caught.value) == message


def test_an_amount_in_cells_needs_a_lot_that_knows_them() -> None:
    with pytest.raises(InputError) as caught:
        resolve(question(bolus(amount="1e6 cells")))
    assert str(caught.value) == (
        "--set doses[0].amount: '1e6 cells' is in parent cells, and the lot does not say how many vesicles a cell gave"
        "\n  try: an amount in ug or particles, or particles_per_cell in the lot"
    )


@pytest.mark.parametrize(("carrier", "left"), [("cha_sf_gcs_dfpeg", 0.9 * 0.5 ** (3 / 9.2)), ("beta_tcp", 0.9 * 0.4)])
def test_released_and_retained_are_what_was_delivered(carrier: str, left: float) -> None:
    """Three days after the dose: a half-life of 9.2 days, or three of five days of even release."""
    line = line_of(run(question(bolus(route="local", carrier=carrier)), backend="numpy"))
    assert line["carrier"] == carrier
    assert line["delivered"] == pytest.approx(100.0, rel=1e-9)
    assert line["released"] + line["retained"] == pytest.approx(line["delivered"], rel=1e-12)
    assert line["retained"] == pytest.approx(100 * left, rel=1e-5)


def test_without_a_carrier_all_is_released() -> None:
    result = run(question(bolus(route="local")), backend="numpy")
    line = line_of(result)
    assert (line["carrier"], line["released"], line["retained"]) == (None, line["delivered"], 0.0)
    assert line_of(result, "vehicle")["share_of_flux"] == 0.0


def test_secretion_delivers_its_amount_a_day_over_its_time() -> None:
    line = line_of(run(question(bolus(route="endogenous", amount="50 ug/day", over="2 day")), backend="numpy"))
    assert (line["unit"], line["scheduled"]) == ("ug", 100.0)
    assert line["delivered"] == pytest.approx(100.0, rel=1e-9)


def test_a_dose_is_a_small_part_of_what_the_body_secretes() -> None:
    """180 ug a minute in a rat of 250 g, for the three days from the dose to the end of the run."""
    line = line_of(run(question(bolus(), subject__mass="250 g"), backend="numpy"))
    assert line["endogenous"] == pytest.approx(180 * 1440 * 3)
    assert line["share_of_flux"] == pytest.approx(100 / (100 + 180 * 1440 * 3), rel=1e-9)


def test_doses_in_different_carriers_are_groups_of_their_own() -> None:
    doses = (bolus(route="local"), bolus(route="local", carrier="creka"), bolus(route="local", start="2 day"))
    plans = resolve(question(*doses)).ledger
    assert [(plan.group, plan.doses) for plan in plans] == [
        ("macrophage_m2_local", (0, 2)),
        ("macrophage_m2_local_creka", (1,)),
    ]


def test_an_effect_that_asks_for_a_carrier_acts_with_it() -> None:
    bare, held = (
        resolve(question(bolus(route="local", **carrier))) for carrier in ({}, {"carrier": "ha_hydrogel_sdf1a"})
    )
    edge = "m2_sdf1a_gel_bmsc_proliferation"
    assert bare.left_out[edge] == "acts with carrier ha_hydrogel_sdf1a only"
    assert edge in held.acting


def test_an_intravenous_scenario_has_no_state_that_it_does_not_need() -> None:
    kinetics = [state.id for state in resolve(question(bolus())).model.states if "macrophage_m2_intra" in state.id]
    assert len(kinetics) == 9
    states = {
        dose: sum(state.id.startswith("macrophage_m2_") for state in resolve(question(bolus(**keys))).model.states)
        for dose, keys in {
            "free": {"route": "local"},
            "in a carrier": {"route": "local", "carrier": "beta_tcp"},
            "in a joint": {"route": "intra_articular"},
        }.items()
    }
    assert states == {"free": 8, "in a carrier": 9, "in a joint": 9}
