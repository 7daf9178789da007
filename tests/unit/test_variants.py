"""Rows of a design as parameter values: what a sweep computes is what resolving the edited scenario gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from questions import REGIMENS, bolus, swept

from bonesim.model.ode import OdeModel
from bonesim.scenario.variants import Variants
from bonesim.sweep.design import design

ULPS = 4e-16
"""Of a product of two or three factors that are taken in another order."""

SCHEDULE = Variants(
    swept(
        (bolus(every="1 day", count="2"),),
        {
            "doses[0].start": "[0 day, 1 day]",
            "doses[0].every": "[0.1 day, 1 day]",
            "doses[0].count": "[1, 2]",
            "doses[0].amount": "[1 ug, 2 ug]",
        },
    )
)


def without_values(model: OdeModel) -> tuple[Any, ...]:
    return model.states, model.rules, model.events, [(one.id, one.unit, one.initial) for one in model.parameters]


@pytest.mark.parametrize("name", REGIMENS)
def test_every_value_is_that_of_the_resolved_scenario(name: str) -> None:
    scenario = swept(*REGIMENS[name])
    variants = Variants(scenario)
    matrix = design(scenario, variants.axes)
    seen = []
    for variation in variants.variations(matrix):
        for place, row in enumerate(variation.rows):
            alone = variants.problem(matrix[row])
            assert without_values(alone.model) == without_values(variation.problem.model)
            for parameter in alone.model.parameters:
                value = variation.values.get(parameter.id)
                one = variation.problem.model.by_id[parameter.id].value if value is None else value[place]  # type: ignore[union-attr]
                assert one == pytest.approx(parameter.value, rel=ULPS, abs=0.0), parameter.id
            sizes = {**variation.problem.sizes, **{state: size[place] for state, size in variation.sizes.items()}}
            assert sizes == pytest.approx(dict(alone.sizes), rel=ULPS)
            for plan in alone.ledger:
                assert variation.scheduled[plan.group][place] == pytest.approx(
                    plan.scheduled * plan.per_unit, rel=4 * ULPS
                )
            seen.append(int(row))
    assert sorted(seen) == list(range(len(matrix)))


@settings(max_examples=25)
@given(start=st.floats(0.0, 1.0), every=st.floats(0.01, 1.0), amount=st.floats(1e-3, 1e3), count=st.integers(1, 4))
def test_a_schedule_of_any_numbers_is_that_of_the_resolved_scenario(
    start: float, every: float, amount: float, count: int
) -> None:
    row = np.array([start, every, float(count), amount])
    (variation,) = SCHEDULE.variations(row[None])
    alone = SCHEDULE.problem(row)
    assert without_values(alone.model) == without_values(variation.problem.model)
    for name, value in variation.values.items():
        assert value[0] == pytest.approx(alone.model.by_id[name].value, rel=ULPS, abs=0.0)  # type: ignore[union-attr]
