"""Vesicle kinetics as scenarios use them, through our solver, against closed forms."""

from __future__ import annotations

import math

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


def kinetics(*doses: str, **settings: str) -> OdeModel:
    """The kinetics module of the only group of a scenario, with its schedule."""
    (group,) = dose_groups(question(*doses, **settings), load_catalog())
    return group.module.model


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
    depot, bone, cells, elsewhere = course(kinetics(bolus(route="local")), times, "depot", "bone", "cells", "elsewhere")
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
