"""Vesicle kinetics as scenarios use them, through our solver, against closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.model.ode import OdeModel
from bonesim.scenario.exposure import dose_groups
from bonesim.simulate import simulate

LN2 = math.log(2)
PARTICLES = 2e11  # 100 ug
FAST, SLOW = LN2 * 1440 / 7, LN2 * 1440 / 340  # 1/day, of the rat
FAST_SHARE, BONE_SHARE = 0.9, 0.01
UPTAKE = LN2 * 12  # 1/day
DEPOT, DEPOT_SHARE = LN2, 0.5

RTOL = 1e-9
ERROR = 100 * RTOL
"""A hundred steps, each off by at most RTOL of a value; relative to the dose, of which atol is a share."""


LINEAR = {"endogenous_flux": 1e40}
"""So many vesicles of the body's own that no dose saturates uptake."""


def kinetics(*doses: str, given: dict[str, float] | None = None, **settings: str) -> OdeModel:
    """The kinetics module of the only group of a scenario, with its schedule, far from saturation; `given` wins."""
    (group,) = dose_groups(question(*doses, **settings), load_catalog())
    model = group.module.model
    values = LINEAR | (given or {})
    return model.with_(parameters=tuple(replace(one, value=values.get(one.id, one.value)) for one in model.parameters))


def course(model: OdeModel, times: np.ndarray, *names: str) -> np.ndarray:
    """(name, time) shares of the dose."""
    result = simulate(model, times, list(names), rtol=RTOL, atol=RTOL * PARTICLES * 1e-3, backend="numpy")
    return np.array([result[name].values for name in names]) / PARTICLES


def decay(times: np.ndarray, rate: float) -> np.ndarray:
    """exp(-rate t) from t = 0 on, 0 before."""
    return np.where(times >= 0, np.exp(-rate * np.maximum(times, 0)), 0)


def filling(times: np.ndarray, rate: float, length: float) -> np.ndarray:
    """What an infusion of 1 a day between 0 and `length` leaves of a compartment that loses `rate`."""
    during = -np.expm1(-rate * np.clip(times, 0, length)) / rate
    return during * np.exp(-rate * np.maximum(times - length, 0))


def blood(times: np.ndarray) -> np.ndarray:
    """Share of a bolus that is in blood."""
    return FAST_SHARE * decay(times, FAST) + (1 - FAST_SHARE) * decay(times, SLOW)


def test_blood_after_a_bolus_is_biexponential() -> None:
    times = np.concatenate([[0.0, 0.5], 1 + np.geomspace(1e-3, 3, 60)])
    (central,) = course(kinetics(bolus()), times, "central")
    assert central == pytest.approx(blood(times - 1), abs=ERROR)
    assert central[-1] == pytest.approx(0.1 * math.exp(-SLOW * 3), rel=1e-3)  # the slow phase alone is left


def test_repeated_boluses_are_the_sum_of_single_ones() -> None:
    times = np.linspace(0, 4, 161)
    (central,) = course(kinetics(bolus(start="0.5 day", every="12 h", count="4")), times, "central")
    assert central == pytest.approx(sum(blood(times - start) for start in (0.5, 1.0, 1.5, 2.0)), abs=ERROR)


@pytest.mark.parametrize("hours", [1, 6, 48])
def test_blood_during_and_after_an_infusion(hours: int) -> None:
    times = np.linspace(0, 4, 193)
    length = hours / 24
    (central,) = course(kinetics(bolus(over=f"{hours} h")), times, "central")
    both = FAST_SHARE * filling(times - 1, FAST, length) + (1 - FAST_SHARE) * filling(times - 1, SLOW, length)
    assert central == pytest.approx(both / length, abs=ERROR)


def test_infusions_that_overlap_are_the_sum_of_single_ones() -> None:
    times = np.linspace(0, 4, 193)
    doses = (bolus(over="36 h"), bolus(start="2 day", over="24 h"))
    (central,) = course(kinetics(*doses), times, "central")
    one, two = (course(kinetics(dose), times, "central")[0] for dose in doses)
    assert central == pytest.approx(one + two, abs=2 * ERROR)


def test_in_the_end_each_organ_holds_its_share() -> None:
    times = np.array([0.0, 10.0])
    names = ("liver", "lung", "spleen", "kidney", "cells")
    organs = course(kinetics(bolus(start="0 day"), duration="10 day"), times, *names)
    left = 0.1 * math.exp(-SLOW * 10)  # of the dose, still in blood or exchanging tissue, at most ten times that
    assert organs[:, -1] == pytest.approx([0.28, 0.07, 0.016, 0.01, BONE_SHARE], abs=ERROR + 10 * left)


def test_a_local_depot_empties_into_bone_and_from_there_into_cells() -> None:
    times = np.linspace(0, 4, 81)
    alone = kinetics(bolus(route="local"), given={"share_blood": 0.0})
    depot, bone, cells, elsewhere = course(alone, times, "depot", "bone", "cells", "elsewhere")
    after = times - 1
    in_depot, in_bone = decay(after, DEPOT), decay(after, UPTAKE)
    held = DEPOT_SHARE * DEPOT / (UPTAKE - DEPOT) * (in_depot - in_bone)
    gone = np.where(after >= 0, 1 - in_depot, 0)
    assert depot == pytest.approx(in_depot, abs=ERROR)
    assert bone == pytest.approx(held, abs=ERROR)
    assert cells == pytest.approx(DEPOT_SHARE * gone - held, abs=ERROR)
    assert elsewhere == pytest.approx((1 - DEPOT_SHARE) * gone, abs=ERROR)


def test_an_infusion_into_a_depot() -> None:
    times = np.linspace(0, 4, 81)
    (depot,) = course(kinetics(bolus(route="local", over="1 day")), times, "depot")
    assert depot == pytest.approx(filling(times - 1, DEPOT, 1.0), abs=ERROR)


IV_PLACES = ("central", "peripheral", "liver", "lung", "spleen", "kidney", "bone", "cells", "elsewhere")
DEPOT_PLACES = ("depot", *IV_PLACES)
PLACES = {
    "intravenous": IV_PLACES,
    "local": DEPOT_PLACES,
    "subcutaneous": DEPOT_PLACES,
    "intraperitoneal": DEPOT_PLACES,
    "intramuscular": DEPOT_PLACES,
    "intra_articular": ("site", *DEPOT_PLACES),
    "intradiscal": ("site", *DEPOT_PLACES),
}


@pytest.mark.parametrize("route", PLACES)
def test_what_is_given_by_any_route_is_all_there(route: str) -> None:
    """With the usual numbers, saturation included: nothing leaves the places of the body."""
    times = np.linspace(0, 4, 17)
    (group,) = dose_groups(question(bolus(route=route)), load_catalog())
    assert set(group.compartments) == set(PLACES[route])
    held = course(group.module.model, times, *PLACES[route])
    assert held.sum(axis=0) == pytest.approx(np.where(times >= 1, 1.0, 0.0), abs=1e-9)
    assert (held > -1e-9).all()


@pytest.mark.parametrize(("route", "half_life", "share"), [("subcutaneous", 1.0, 0.3), ("intraperitoneal", 0.25, 0.5)])
def test_what_leaves_the_site_reaches_blood(route: str, half_life: float, share: float) -> None:
    """All that leaves blood, and is in it, is the share that was absorbed."""
    times = np.array([0.0, 1.0 + half_life, 4.0])
    model = kinetics(bolus(route=route))
    depot, *blood_and_after = course(model, times, "depot", "central", "peripheral", "cleared")
    gone = 1 - decay(times - 1, LN2 / half_life)
    assert depot[1:] == pytest.approx(1 - gone[1:], abs=ERROR)
    assert np.sum(blood_and_after, axis=0)[1:] == pytest.approx(share * gone[1:], abs=ERROR)


def test_what_is_given_into_a_joint_stays_out_of_bone_but_for_what_blood_brings() -> None:
    times = np.array([0.0, 4.0])
    site, bone, cells = course(kinetics(bolus(route="intra_articular")), times, "site", "bone", "cells")[:, -1]
    assert cells == pytest.approx(0.5, abs=0.03)  # the share of the site, and a hundredth of what reached blood
    assert bone < 0.001
    assert site < 0.01


def test_a_carrier_frees_a_burst_and_the_rest_by_half_lives() -> None:
    times = np.array([0.0, 1.0, 2.0, 4.0])
    model = kinetics(bolus(route="local", carrier="cha_sf_gcs_dfpeg"))
    (carrier,) = course(model, times, "carrier")
    assert carrier[1:] == pytest.approx(0.9 * np.exp(-LN2 / 9.2 * (times[1:] - 1)), abs=ERROR)


def test_a_carrier_that_releases_evenly_is_empty_in_the_end() -> None:
    times = np.array([0.0, 1.0, 2.5, 3.5, 6.0, 8.0])
    model = kinetics(bolus(route="local", carrier="beta_tcp"), duration="8 day")
    (carrier,) = course(model, times, "carrier")
    assert carrier == pytest.approx([0.0, 0.9, 0.9 * 0.7, 0.9 * 0.5, 0.0, 0.0], abs=ERROR)


def test_two_carriers_that_release_at_once_release_twice_as_fast() -> None:
    times = np.linspace(0, 9, 37)
    doses = (bolus(route="local", carrier="beta_tcp"), bolus(route="local", carrier="beta_tcp", start="3 day"))
    names = ("carrier", "depot")
    both = course(kinetics(*doses, duration="9 day"), times, *names)
    one, two = (course(kinetics(dose, duration="9 day"), times, *names) for dose in doses)
    assert both == pytest.approx(one + two, abs=2 * ERROR)


def test_what_binds_at_the_site_leaves_the_depot_more_slowly() -> None:
    times = np.array([0.0, 1.0, 4.0])
    (depot,) = course(kinetics(bolus(route="local", carrier="creka")), times, "depot")
    assert depot[1:] == pytest.approx([1.0, 0.5], abs=ERROR)  # three days are one half-life


def test_homing_multiplies_the_odds_of_the_share_in_bone_and_the_rest_gives_way_in_proportion() -> None:
    times = np.array([0.0, 10.0])
    names = ("bone", "cells", "liver", "lung", "elsewhere")
    free, homing = (
        course(kinetics(bolus(start="0 day", **carrier), duration="10 day"), times, *names)[:, -1]
        for carrier in ({}, {"carrier": "alendronate_engineering"})
    )
    odds = [part[0] + part[1] for part in (free, homing)]
    odds = [share / (1 - share) for share in odds]
    assert odds[1] / odds[0] == pytest.approx(4.0, rel=1e-6)
    assert homing[2] / homing[3] == pytest.approx(free[2] / free[3], rel=1e-6)


def test_uptake_is_half_as_fast_where_the_interstitium_holds_the_capacity() -> None:
    (group,) = dose_groups(question(bolus()), load_catalog())
    model = group.module.model
    capacity = 6 * BONE_SHARE * model.by_id["endogenous_flux"].value / UPTAKE  # type: ignore[union-attr]
    result = simulate(model, [0.0, 1.0], ["uptake"], initial={"bone": capacity}, backend="numpy")
    assert float(result["uptake"][0]) == pytest.approx(UPTAKE * capacity / 2, rel=1e-12)


def test_the_body_secretes_a_mouses_flux_for_each_gram() -> None:
    """18 ug a minute in a mouse of 25 g are 180 in a rat of 250 g."""
    (group,) = dose_groups(question(bolus(), subject__mass="250 g"), load_catalog())
    assert group.module.model.by_id["endogenous_flux"].value == pytest.approx(180 * 1440 * 2e9)  # type: ignore[union-attr]


def test_blood_is_halved_within_the_half_lives_that_were_measured() -> None:
    """7 minutes for native vesicles, 6.85 to 8.79 for labelled ones."""
    minutes = np.linspace(5, 10, 501)
    (central,) = course(kinetics(bolus(start="0 day")), np.concatenate([[0.0], minutes / 1440]), "central")
    halved = minutes[np.searchsorted(-central[1:], -0.5)]
    assert 6.85 <= halved <= 8.79


def test_a_count_of_an_organ_is_never_below_what_it_cleared_and_is_all_of_it_in_the_end() -> None:
    times = np.concatenate([np.geomspace(1e-3, 1, 20), [10.0]])
    organs = ("liver", "lung", "spleen", "kidney")
    names = (*organs, *(f"label_{organ}" for organ in organs))
    seen = course(kinetics(bolus(start="0 day"), duration="10 day"), np.concatenate([[0.0], times]), *names)[:, 1:]
    cleared, label = seen[:4], seen[4:]
    assert (label >= cleared).all()
    assert label[:, -1] == pytest.approx(cleared[:, -1], rel=1e-3)


def test_what_phagocytes_clear_of_later_doses_is_lost_to_bone_and_lies_in_liver_and_spleen() -> None:
    """The share of the second dose that reaches bone is divided by the factor; the first has left blood by then."""
    times = np.array([0.0, 19.0, 40.0])
    doses = bolus(start="0 day", every="20 day", count="2")
    names = ("cells", "liver", "lung", "spleen")
    usual, faster = (
        course(kinetics(doses, given={"repeat_clearance": factor}, duration="40 day"), times, *names)
        for factor in (1.0, 4.0)
    )
    assert faster[:, 1] == pytest.approx(usual[:, 1], abs=ERROR)
    first, second = faster[:, 1], faster[:, 2] - faster[:, 1]
    assert second[[0, 2]] == pytest.approx(first[[0, 2]] / 4, abs=1e-6)
    liver, _, spleen = (first / (first[1] + first[3]))[1:]
    more = 3 / 4  # of the second dose is cleared besides
    assert second[[1, 3]] == pytest.approx([first[1] / 4 + more * liver, first[3] / 4 + more * spleen], abs=1e-6)


def test_only_doses_after_the_first_are_later_ones() -> None:
    once, secreted, together = (
        kinetics(*doses)
        for doses in (
            (bolus(),),
            (bolus(route="endogenous", amount="5 ug/day", over="2 day"),),
            (bolus(), bolus()),
        )
    )
    for model in (once, secreted, together):
        assert "later_start" not in model.by_id
        assert "later_doses" not in {event.id for event in model.events}
    several = kinetics(bolus(start="2 day"), bolus(start="1 day", every="18 h", count="2"))
    assert several.by_id["later_start"].value == 1.75  # type: ignore[union-attr]
