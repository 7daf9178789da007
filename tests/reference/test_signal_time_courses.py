"""Modules of signals against published courses in time: cytokines and cells after an injury, growth of vessels."""

from __future__ import annotations

import numpy as np
import pytest
from equations import model

from bonesim.compose.card import Port
from bonesim.compose.link import compose
from bonesim.compose.module import Module, load_module
from bonesim.model.ode import OdeModel
from bonesim.simulate import simulate

HOURS = np.arange(0.0, 28 * 24 + 1)


def injured(half_life: float) -> OdeModel:
    """Macrophages after an injury of 1 that fades with a half-life in days."""
    port = Port(name="injury", direction="out", symbol="injury")
    fading = Module("", model({"injury": (1.0, f"-{np.log(2) / half_life}*injury")}), offers=(port,))
    return compose("injured", [load_module("macrophage", "macrophage"), fading], [])


@pytest.fixture(scope="module")
def course() -> dict[str, np.ndarray]:
    names = ("macrophages", "M1", "M2", "TNFa", "IL1b", "IL6", "share_M1")
    outputs = [f"macrophage__{name}" for name in names]
    result = simulate(injured(0.5), HOURS / 24, outputs)
    return {name: result[f"macrophage__{name}"].values for name in names}


@pytest.mark.parametrize("cytokine", ["TNFa", "IL1b", "IL6"])
def test_cytokines_peak_after_about_a_day_and_are_back_within_a_week(
    course: dict[str, np.ndarray], cytokine: str
) -> None:
    """After a fracture TNF-alpha, IL-1 and IL-6 peak at 24 h and fall back by 72 h to a week.

    Reviewed by Marsell and Einhorn 2011, doi:10.1016/j.injury.2011.03.031.
    """
    rise = course[cytokine] - 1.0
    assert 18.0 <= HOURS[rise.argmax()] <= 36.0
    assert rise[72] < rise.max() / 3
    assert rise[7 * 24] < 0.05 * rise.max()


def test_M2_macrophages_follow_M1(course: dict[str, np.ndarray]) -> None:
    assert HOURS[course["M1"].argmax()] < 48.0
    assert 3 * 24.0 <= HOURS[course["M2"].argmax()] <= 7 * 24.0


def test_numbers_on_day_1_are_those_of_injured_tibiae(course: dict[str, np.ndarray]) -> None:
    """The data to which two parameters are fitted: Lo et al. 2021, doi:10.1038/s41598-021-84888-1, mouse, day 1.

    Of 48304 (SD 14158) monocytes and 27000 (SD 5646) macrophages 10089 (SD 2598) and 7444 (SD 1854) are M1; uninjured
    bone has 14377 and 28209.
    """
    total, healthy, pro = 48304 + 27000, 14377 + 28209, 10089 + 7444
    spread = np.hypot(14158, 5646) / healthy, np.hypot(2598, 1854) / total
    stays = 2.0 / (2.0 + 0.15)  # of the cells that are called, those that are not lost on the way
    share = stays * course["share_M1"][24] * course["M1"][24] / course["macrophages"][24]
    assert course["macrophages"][24] == pytest.approx(total / healthy, abs=spread[0])
    assert share == pytest.approx(pro / total, abs=spread[1])


@pytest.mark.parametrize("vegf", [0.2, 2.0, 5.0])
def test_vessels_follow_VEGF_within_one_to_three_weeks(vegf: float) -> None:
    """Capillaries regress within 1 to 3 weeks without VEGF, and most are back 2 weeks later (Kamba et al. 2006)."""
    days = np.linspace(0.0, 120.0, 481)
    vessels = simulate("angiogenesis", days, ["vessel_density"], parameters={"VEGF_expression": vegf})["vessel_density"]
    done = (vessels.values - 1.0) / (vessels.values[-1] - 1.0)
    assert 3.0 <= days[np.argmax(done > 0.5)] <= 14.0
    assert 7.0 <= days[np.argmax(done > 0.9)] <= 28.0
