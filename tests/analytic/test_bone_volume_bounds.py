"""Bone volume stays between 0 and 1 and returns to health: the claims of the card of bone_volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import roadrunner

MODULE = Path(__file__).parents[2] / "models" / "sbml" / "tissue" / "bone_volume.xml"
INSIDE = np.concatenate([[1e-6, 1e-3], np.linspace(0.01, 0.99, 99), [1 - 1e-3, 1 - 1e-6]])
DRIVES = [(1.0, 1.0), (5.0, 1.0), (1.0, 5.0), (0.2, 1.0), (3.0, 0.5)]


def engine(**parameters: float) -> Any:
    """Load the module with `parameters` changed."""
    runner = roadrunner.RoadRunner(str(MODULE))
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-12
    runner.integrator.maximum_num_steps = 1_000_000
    for name, value in parameters.items():
        runner[name] = value
    return runner


def rate(runner: Any, volume: float) -> float:
    """Give the rate of change (1/day) at a bone volume fraction."""
    runner["bone_volume_fraction"] = volume
    return float(runner["bone_volume_fraction'"])


def test_surface_is_nothing_in_solid_bone_and_positive_in_any_porous_tissue() -> None:
    runner = engine()
    coefficients = [runner[f"s{power}"] for power in (5, 4, 3, 2, 1)]
    roots = np.roots(coefficients)  # of S(f)/f; no real one in (0, 1] means S > 0 there, since S'(0) = s1 > 0
    assert coefficients[-1] > 0
    assert not [root.real for root in roots if abs(root.imag) < 1e-9 and 0 < root.real <= 1]
    runner["bone_volume_fraction"] = 1.0
    assert runner["surface"] == 0.0
    runner["bone_volume_fraction"] = 0.0
    assert runner["surface"] == pytest.approx(0.1, abs=1e-12)  # sum of the coefficients, 1/mm


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("forming", "resorbing"), DRIVES)
def test_the_sign_of_the_rate_is_that_of_the_drives_against_the_volume(
    forming: float, resorbing: float, exponent: float
) -> None:
    runner = engine(formation_drive=forming, resorption_drive=resorbing, mechanostat_exponent=exponent)
    for volume in INSIDE:
        excess = forming / resorbing * (runner["BV_healthy"] / volume) ** exponent - 1.0
        if abs(excess) > 1e-9:
            assert np.sign(rate(runner, volume)) == np.sign(excess)


@pytest.mark.parametrize(("forming", "resorbing"), DRIVES)
@pytest.mark.parametrize("start", [1e-3, 0.287, 0.999])
def test_volume_settles_inside_from_any_start(start: float, forming: float, resorbing: float) -> None:
    runner = engine(formation_drive=forming, resorption_drive=resorbing, bone_volume_fraction=start)
    attractor = min(runner["BV_healthy"] * forming / resorbing, 1.0)
    course = runner.simulate(0.0, 20000.0, 2001, ["bone_volume_fraction"])[:, 0]
    assert course.min() > 0.0
    assert course.max() <= 1.0 + 1e-9  # solid bone is approached; the solver may stand off by its tolerance
    assert course[-1] == pytest.approx(attractor, rel=1e-6)


@pytest.mark.parametrize("exponent", [0.5, 1.0, 3.0])
def test_health_is_a_stable_rest_with_the_stated_rate(exponent: float) -> None:
    runner = engine(mechanostat_exponent=exponent)
    health = runner["BV_healthy"]
    assert rate(runner, health) == 0.0
    step = 1e-5
    slope = (rate(runner, health + step) - rate(runner, health - step)) / (2 * step)
    # A central difference is off by step^2 times a third derivative of order turnover/BV_healthy^3.
    assert slope == pytest.approx(-exponent * runner["turnover"] / health, rel=1e-6)


def test_markers_are_1_in_health_and_follow_the_activity_of_cells() -> None:
    runner = engine()
    assert (runner["P1NP"], runner["CTX"]) == (1.0, 1.0)
    runner["k_resorption"] = 0.5
    assert (runner["P1NP"], runner["CTX"]) == (1.0, 0.5)
