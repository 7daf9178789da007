"""RANKL, OPG and RANK: the root of the binding balance, titration one by one, and what the drive does with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from bonesim.compose.module import load_module
from bonesim.simulate import simulate
from bonesim.steady import steady_state

MODULE = "rankl_opg"
DEFAULT = {one.id: one.value for one in load_module(MODULE, MODULE).model.parameters}
TIGHT = {"K_OPG": 1e-4, "K_RANK": 1e-4, "RANK": 1e-6, "OPG_healthy": 1e-6, "RANKL_healthy": 1.0}
"""Constants far below the levels; of healthy binding partners there are next to none."""


def bound(ligand: float, OPG: float, RANK: float) -> float:
    """Ligand on OPG and RANK beside so much that is free."""
    return OPG * ligand / (DEFAULT["K_OPG"] + ligand) + RANK * ligand / (DEFAULT["K_RANK"] + ligand)


@pytest.mark.parametrize("ligand", [0.0, 0.3, 20.0])
@pytest.mark.parametrize("decoy", [0.0, 5.0, 300.0])
@pytest.mark.parametrize("opg", [0.0, 40.0])
def test_free_ligand_is_the_root_of_the_balance(ligand: float, decoy: float, opg: float) -> None:
    given = {"vesicle_rankl": ligand, "vesicle_rank": decoy, "given_OPG": opg}
    rest = steady_state(MODULE, ["RANKL", "OPG", "drive"], parameters=given)
    healthy, OPG, RANK = DEFAULT["RANKL_healthy"], DEFAULT["OPG_healthy"] + opg, DEFAULT["RANK"] + decoy
    everything = healthy + bound(healthy, DEFAULT["OPG_healthy"], DEFAULT["RANK"]) + ligand
    root = brentq(lambda free: free + bound(free, OPG, RANK) - everything, 0.0, everything, xtol=1e-14)
    occupied = root / (DEFAULT["K_RANK"] + root)
    assert float(rest["RANKL"]) == pytest.approx(root, rel=1e-8)
    assert float(rest["OPG"]) == pytest.approx(OPG * DEFAULT["K_OPG"] / (DEFAULT["K_OPG"] + root), rel=1e-8)
    assert float(rest["drive"]) == pytest.approx(occupied * (DEFAULT["K_RANK"] + healthy) / healthy, rel=1e-8)


@pytest.mark.parametrize("decoy", ["vesicle_rank", "given_OPG"])
def test_where_binding_is_tight_each_decoy_takes_one_ligand(decoy: str) -> None:
    amounts = np.array([0.0, 0.2, 0.5, 0.9])
    rest = steady_state(MODULE, ["RANKL"], parameters={**TIGHT, decoy: amounts})
    # Of each decoy K/(K + RANKL) stays empty, at most 1e-4/0.1 of 0.9.
    np.testing.assert_allclose(rest["RANKL"], 1.0 - amounts, atol=1e-3)


def test_more_decoy_than_ligand_leaves_next_to_none() -> None:
    rest = steady_state(MODULE, ["RANKL"], parameters={**TIGHT, "vesicle_rank": 3.0})
    # RANKL (D - T)/K = T with D = 3 and T = 1, to first order in K.
    assert float(rest["RANKL"]) == pytest.approx(0.5e-4, rel=1e-3)


def test_ligand_that_meets_as_much_decoy_changes_nothing() -> None:
    rest = steady_state(MODULE, ["RANKL"], parameters={**TIGHT, "vesicle_rankl": 2.0, "vesicle_rank": 2.0})
    assert float(rest["RANKL"]) == pytest.approx(1.0, rel=3e-4)


@pytest.mark.parametrize(("given", "sign"), [("vesicle_rankl", 1), ("vesicle_rank", -1), ("given_OPG", -1)])
def test_the_drive_answers_to_a_dose_without_turning_back(given: str, sign: int) -> None:
    amounts = np.concatenate([[0.0], np.geomspace(1e-3, 1e4, 15)])
    drive = steady_state(MODULE, ["drive"], parameters={given: amounts})["drive"].values
    assert (sign * np.diff(drive) > 0).all()


def test_the_drive_saturates_where_all_rank_is_occupied() -> None:
    rest = steady_state(MODULE, ["drive", "occupancy_alone"], parameters={"vesicle_rankl": 1e7})
    assert float(rest["drive"]) == pytest.approx(1.0 / float(rest["occupancy_alone"]), rel=1e-5)
    assert float(rest["drive"]) == pytest.approx(1.0 + DEFAULT["K_RANK"] / DEFAULT["RANKL_healthy"], rel=1e-5)


def test_what_is_given_leaves_what_the_body_makes_as_it_is() -> None:
    outputs, times = ["RANKL_alone", "RANKL_total", "OPG_total"], [0.0, 0.05, 1.0, 10.0]
    cells = {"preosteoblasts": 1.4, "bone_forming_cells": 0.8}
    given = {"vesicle_rankl": 3.0, "vesicle_rank": 20.0, "given_OPG": 7.0}
    alone, treated = (
        simulate(MODULE, times, outputs, parameters=values, rtol=1e-9) for values in (cells, cells | given)
    )
    for name in outputs:
        np.testing.assert_allclose(treated[name], alone[name], rtol=1e-7, err_msg=name)


def test_free_ligand_comes_to_its_balance_within_hours() -> None:
    course = simulate(MODULE, [0.0, 0.25, 50.0], ["RANKL"], parameters={"vesicle_rankl": 1.0}, rtol=1e-9)["RANKL"]
    # The rate of approach is at least `binding`, 24 1/day: after 6 hours at most e^-6 of the way is left.
    assert abs(float(course[1] - course[2])) <= np.exp(-6.0) * float(course[2] - course[0])
