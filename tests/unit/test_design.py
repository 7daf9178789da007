"""Designs: the full product in its order, one member in each stratum, the same seed the same members."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from questions import bolus, swept

from bonesim.errors import InputError
from bonesim.scenario.schema import Scenario
from bonesim.scenario.sweep import SweepChoice
from bonesim.scenario.vary import Axis
from bonesim.sweep.design import design
from bonesim.sweep.plan import FEWEST, MOST, plan

BASE = swept((bolus(),), {"V50": "[1 particle/cell]"})


def axis(path: str, levels: tuple[float, ...] = (), low: float = 0.0, high: float = 1.0, **more: bool) -> Axis:
    return Axis(path, path, "dimensionless", path, levels, low, high, **more)


def of(kind: str, members: int | None = None, seed: int = 0) -> Scenario:
    choice = SweepChoice(design=kind, members=members, seed=seed, vary={"x": (1,)})  # type: ignore[arg-type]
    return BASE.model_copy(update={"sweep": choice})


def test_a_grid_is_the_product_of_its_levels_and_the_last_axis_is_fastest() -> None:
    levels = [(1.0, 5.0, 2.0), (0.5,), (10.0, 20.0)]
    matrix = design(of("grid"), [axis(str(number), one) for number, one in enumerate(levels)])
    assert matrix.tolist() == [list(row) for row in product(*levels)]


@given(members=st.integers(1, 300), axes=st.integers(1, 4), seed=st.integers(0, 2**40))
def test_a_latin_hypercube_has_one_member_in_each_stratum_of_each_axis(members: int, axes: int, seed: int) -> None:
    matrix = design(of("latin_hypercube", members, seed), [axis(str(number)) for number in range(axes)])
    strata = np.sort(np.floor(matrix * members), axis=0)
    assert (strata == np.arange(members)[:, None]).all()
    assert ((matrix >= 0.0) & (matrix < 1.0)).all()


def test_an_axis_does_not_change_what_is_drawn_for_another() -> None:
    one = design(of("latin_hypercube", 50), [axis("a")])
    two = design(of("latin_hypercube", 50), [axis("a"), axis("b")])
    assert (one[:, 0] == two[:, 0]).all()
    assert abs(np.corrcoef(two.T)[0, 1]) < 0.5


@pytest.mark.parametrize("kind", ["latin_hypercube", "sobol"])
def test_the_seed_decides(kind: str) -> None:
    axes = [axis("a"), axis("b")]
    first, again, other = (design(of(kind, 20, seed), axes) for seed in (5, 5, 6))
    assert (first == again).all()
    assert (first != other).all()


@given(fewer=st.integers(1, 100), more=st.integers(0, 100))
def test_a_larger_sobol_design_begins_with_the_smaller_one(fewer: int, more: int) -> None:
    axes = [axis("a"), axis("b"), axis("c")]
    small, large = (design(of("sobol", members), axes) for members in (fewer, fewer + more))
    assert (large[:fewer] == small).all()


def test_a_sobol_design_halves_every_axis_evenly() -> None:
    matrix = design(of("sobol", 64), [axis("a"), axis("b")])
    quarters = np.floor(matrix * 4).astype(int)
    assert np.unique(quarters, axis=0, return_counts=True)[1].tolist() == [4] * 16


def test_levels_are_drawn_equally_often() -> None:
    matrix = design(of("latin_hypercube", 30), [axis("a", (1.0, 10.0, 100.0))])
    assert np.unique(matrix, return_counts=True)[1].tolist() == [10, 10, 10]


def test_a_range_may_be_even_in_its_logarithm_or_in_whole_numbers() -> None:
    log, whole = axis("a", low=1.0, high=1e4, log=True), axis("b", low=2.0, high=5.0, whole=True)
    matrix = design(of("latin_hypercube", 400), [log, whole])
    assert np.median(matrix[:, 0]) == pytest.approx(100.0, rel=0.03)  # one stratum is a factor 1e4 ** (1 / 400)
    assert np.unique(matrix[:, 1], return_counts=True)[1].tolist() == [100] * 4


def test_a_grid_may_not_be_larger_than_its_members() -> None:
    with pytest.raises(InputError, match=r"the grid has 6 members, and 5 are allowed"):
        design(of("grid", 5), [axis("a", (1.0, 2.0)), axis("b", (1.0, 2.0, 3.0))])


def test_a_scenario_without_a_sweep_has_no_design() -> None:
    with pytest.raises(InputError, match="the scenario has no section 'sweep'"):
        plan(BASE.model_copy(update={"sweep": None}))


@given(members=st.integers(1, 100_000))
def test_chunks_are_all_members_once_and_in_order(members: int) -> None:
    planned = PLAN.__class__(PLAN.scenario, PLAN.variants, np.zeros((members, 1)), PLAN.chunk)
    assert [member for one in planned.chunks for member in range(one.start, one.stop)] == list(range(members))


def test_chunks_are_neither_tiny_nor_huge() -> None:
    for members, chunk in ((3, FEWEST), (16 * 100, 100), (10**6, MOST)):
        scenario = BASE.model_copy(update={"sweep": BASE.sweep.model_copy(update={"members": members})})  # type: ignore[union-attr]
        assert plan(scenario).chunk == chunk


PLAN = plan(BASE)
