"""Ranges that are stated for numbers, and axes that leave them."""

from __future__ import annotations

import pytest
from questions import bolus, swept

from bonesim.scenario.stated import Stated
from bonesim.scenario.variants import Variants
from bonesim.sweep.plan import plan

SLOW = "macrophage_m2_intravenous.t_half_slow"
KIM = "(measured: Kim et al. 2019, doi:10.3390/pharmaceutics11120649)"


def said_of(path: str, values: str) -> list[str]:
    """The notices on a sweep of one path."""
    return plan(swept((bolus(),), {path: values})).notices


@pytest.mark.parametrize(
    ("path", "values", "said"),
    [
        (SLOW, "{low: 2 h, high: 9 h}", f"takes 2 to 9 h, beyond the range stated for it, 2.48333 to 13.2 h {KIM}"),
        (SLOW, "[800 min]", f"takes 800 min, beyond the range stated for it, 149 to 792 min {KIM}"),
        (
            "core.alpha_TGFb",
            "[1 pM, 0.0015 nM]",
            "takes 1 to 1.5 pM, beyond the range stated for it, 1 pM (assumed: bone-models code, CellML exposure)",
        ),
        (
            "V50",
            "{low: 0.01 particle/cell, high: 10 particle/cell, scale: log}",
            "takes 0.01 to 10 particle/cell, beyond the range stated for it, 0.1 to 10 particle/cell (assumed: "
            "Vesicles inside a cell that give half of the effect. At 0.00825 copies of an abundant miRNA per ...)",
        ),
    ],
)
def test_a_range_that_is_left_is_told(path: str, values: str, said: str) -> None:
    assert said_of(path, values) == [f"{path} {said}"]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (SLOW, "[149 min, 792 min]"),
        (SLOW, f"[{149 / 60!r} h, 13.2 h]"),
        ("A_OBa", "[0 1/day, 100 1/day]"),
        ("doses[0].amount", "[1 ug, 1000 ug]"),
    ],
)
def test_nothing_is_told_within_the_range_nor_where_none_is_stated(path: str, values: str) -> None:
    assert said_of(path, values) == []


def test_a_number_without_a_range_that_goes_below_0_is_told() -> None:
    said = "A_OBa takes -0.0001 to 0.002 1/h, below 0, where the scenario has 0.007875 1/h"
    assert said_of("A_OBa", "[-1e-4 1/h, 0.002 1/h]") == [said]


def test_both_ends_count() -> None:
    (axis,) = Variants(swept((bolus(),), {"hill": "{low: 1, high: 2}"})).axes
    ranges = {(1.0, 2.0): True, (1.1, 2.0): False, (1.0, 1.9): False, (0.0, 3.0): True}
    assert {ends: Stated(*ends, "assumed", "").holds(axis) for ends in ranges} == ranges
