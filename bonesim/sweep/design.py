"""The design of a sweep: which value each member has on each axis. A pure function of the scenario's text and seed."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from bonesim.errors import InputError
from bonesim.scenario.schema import Scenario
from bonesim.scenario.sweep import MOST_MEMBERS, SweepChoice
from bonesim.scenario.vary import Axis


def design(scenario: Scenario, axes: Sequence[Axis]) -> np.ndarray:
    """(member, axis) values, each in the unit of its axis.

    - `grid`: every combination of the levels; the last axis changes fastest, as in nested loops.
    - `latin_hypercube`: n equal parts of each axis, one member in each (McKay et al. 1979,
      doi:10.1080/00401706.1979.10489755). An axis does not change what is drawn for another.
    - `sobol`: the scrambled low-discrepancy sequence (Owen 1998, doi:10.1145/272991.273010). A member does not
      depend on how many there are, so that a larger sweep begins with the smaller one.

    Raises
    ------
    InputError
        If a grid has more members than it may.
    """
    choice = scenario.sweep
    if choice is None:
        place, remedy = scenario.place("sweep"), 'sweep: {vary: {"doses[0].amount": [10 ug, 100 ug]}}'
        raise InputError("the scenario has no section 'sweep'", place=place, remedy=remedy)
    if choice.design == "grid":
        return _grid(scenario, choice, axes)
    members = choice.members or 0
    draw = {"latin_hypercube": _hypercube, "sobol": _sobol}[choice.design]
    positions = draw(choice.seed, members, len(axes))
    return np.column_stack([axis.at(position) for axis, position in zip(axes, positions.T, strict=True)])


def _grid(scenario: Scenario, choice: SweepChoice, axes: Sequence[Axis]) -> np.ndarray:
    count, most = prod(len(axis.levels) for axis in axes), choice.members or MOST_MEMBERS
    if count > most:
        key = "members" if choice.members else "vary"
        problem = f"the grid has {count} members, and {most} are allowed"
        raise InputError(problem, place=scenario.place(f"sweep.{key}"), remedy="fewer values, or another design")
    levels = np.meshgrid(*(axis.levels for axis in axes), indexing="ij")
    return np.column_stack([level.reshape(-1) for level in levels])


def _hypercube(seed: int, members: int, axes: int) -> np.ndarray:
    """(member, axis) positions, one in each of the n parts of every axis."""
    columns = []
    for axis in range(axes):
        random = np.random.default_rng([seed, axis])
        columns.append((random.permutation(members) + random.random(members)) / members)
    return np.minimum(np.column_stack(columns), np.nextafter(1.0, 0.0))


def _sobol(seed: int, members: int, axes: int) -> np.ndarray:
    """(member, axis) the first points of the sequence; whole powers of two are drawn, as its balance asks."""
    from scipy.stats import qmc

    points = qmc.Sobol(axes, scramble=True, rng=seed).random_base2((members - 1).bit_length())
    return np.asarray(points[:members])
