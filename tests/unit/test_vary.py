"""The paths of a sweep: what they name, and what is told of those that name nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from questions import bolus, swept

from bonesim.errors import InputError
from bonesim.resources import data_root
from bonesim.scenario.load import load_scenario
from bonesim.scenario.variants import Variants
from bonesim.scenario.vary import Axis
from bonesim.sweep.plan import plan

SCENARIO = data_root() / "scenarios" / "ovx_m2.yaml"
AMOUNT = "doses[0].amount"
REPEATED = bolus(every="12 h", count="3")

REFUSED = {
    "doses[0].amout: [1 ug, 2 ug]": (
        "'doses[0].amout' is no quantity of this scenario that a sweep can vary\n  try: did you mean 'doses[0].amount'?"
    ),
    "doses[1].amount: [1 ug, 2 ug]": (
        "'doses[1].amount' is no quantity of this scenario that a sweep can vary\n"
        "  try: did you mean 'doses[0].amount'?"
    ),
    "core.A_OBx: [0.1 1/day]": (
        "'core.A_OBx' is no quantity of the scenario, and the model has no quantity 'core.A_OBx'\n"
        "  try: did you mean 'core.A_OBa'?"
    ),
    "dose[0].amount: [1 ug]": (
        "'dose[0].amount' is no quantity of the scenario, and the model has no quantity 'dose[0].amount'\n"
        "  try: did you mean 'doses[0].amount'?"
    ),
    "doses[0].source: [macrophage_m1]": (
        "'doses[0].source' is no quantity of this scenario that a sweep can vary\n"
        "  try: one of subject.mass, context[0].start, doses[0].amount, doses[0].start, doses[0].every, "
        "doses[0].count, doses[0].over"
    ),
    "OBa: [1 pM, 2 pM]": "'OBa' is computed; only a parameter can be varied\n  try: did you mean 'I_OBa'?",
    "alpha: [1 1/day]": (
        "'alpha' is computed by an initial assignment, so that a value for it would change nothing\n"
        "  try: vary what it is computed from"
    ),
    "dose0_amount: [1 particles]": (
        "'dose0_amount' follows from the scenario\n"
        "  try: vary one of subject.mass, context[0].start, doses[0].amount, doses[0].start, doses[0].every, "
        "doses[0].count, doses[0].over"
    ),
    "doses[0].amount: [1, 2]": "1 has no unit\n  try: write a unit, e.g. '1 ug'",
    "doses[0].amount: [1 day]": (
        "'1 day' is a time, not a mass, a count of particles, a count of cells, a mass per mass, "
        "a count of particles per mass, a count of cells per mass, a mass per time or a count of particles per time\n"
        "  try: write it in ug, particles, cells, ug/kg, particles/kg, cells/kg, ug/day or particles/day, "
        "e.g. '100 ug'"
    ),
    "doses[0].amount: [1 ug, 1e10 particles]": (
        "'1 ug' and '1e10 particles' cannot be compared\n  try: write all values in one unit"
    ),
    "doses[0].amount: [1 ug, 2 g]": (
        "'2 g' is out of range (at least 0, at most 1 g)\n  try: check the number and its unit"
    ),
    "doses[0].amount: [1 ug, 1e-10 ug]": (
        "'1e-10 ug' is less than the smallest dose, 1e-9 ug\n  try: 1e-9 ug or more, or 0 ug for none"
    ),
    "doses[0].amount: [1 ug, 1000 ng]": "a value is given twice\n  try: give it once",
    "doses[0].count: [1.5]": "'1.5' is no count\n  try: a whole number from 1 to 100000",
    "doses[0].amount: {low: 1 ug, high: 2 ug}": (
        "a grid needs to know how many values\n  try: count: 5, or a list of values"
    ),
    "doses[0].amount: {low: 3 ug, high: 2 ug, count: 3}": (
        "low, 3 ug, is not below high, 2 ug\n  try: exchange them, or give a list"
    ),
    "doses[0].start: {low: 0 h, high: 2 h, count: 3, scale: log}": (
        "a scale 'log' cannot begin at 0 h\n  try: a low above 0, or scale: linear"
    ),
    "doses[0].count: {low: 1, high: 3, count: 5}": (
        "there are not 5 whole numbers between 1 and 3 at these distances\n  try: a smaller count, or a list"
    ),
    "V50: [1]": "1 has no unit\n  try: write a unit, e.g. '1 particle/cell'",
    "V50: [1 ug]": (
        "'1 ug' is a mass, not a count of particles per count of cells\n"
        "  try: write it in particle/cell, e.g. '1e10 particle/cell'"
    ),
    "doses[0].start: [0 day, 3.5 day]": (
        "member 1 (doses[0].start 3.5 day): dose 3 of 3 begins at 4.5 day, after the end of the run at 4 day\n"
        "  try: values that keep all doses within the run, or a longer duration"
    ),
}


@pytest.mark.parametrize("line", REFUSED)
def test_message(line: str) -> None:
    path, _, values = line.partition(": ")
    with pytest.raises(InputError) as caught:
        plan(swept((REPEATED,), {path: values}, kind="grid", members=100))
    place, _, said = str(caught.value).partition('": ' if "[" in path or "." in path else f"{path}: ")
    assert place.startswith("--set sweep.vary.")
    assert said == REFUSED[line]


def test_a_message_says_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    section = 'sweep:\n  vary:\n    "doses[0].amount": [10 ug, 30 ug]\n    "doses[0].evry": [1 day]\n    hil: [1, 2]\n'
    file.write_text(SCENARIO.read_text() + section)
    with pytest.raises(InputError) as caught:
        plan(load_scenario(file))
    line = len(SCENARIO.read_text().splitlines()) + 4
    assert str(caught.value).splitlines() == [
        f"{file}:{line}: sweep.vary.\"doses[0].evry\": 'doses[0].evry' is no quantity of this scenario that a sweep "
        "can vary",
        "  try: did you mean 'doses[0].every'?",
        f"{file}:{line + 1}: sweep.vary.hil: 'hil' is no quantity of the scenario, and the model has no quantity 'hil'",
        "  try: did you mean 'hill'?",
    ]


def axes(vary: dict[str, str], kind: str = "grid") -> tuple[Axis, ...]:
    return Variants(swept((REPEATED,), vary, kind=kind, members=1000)).axes


def test_values_are_kept_in_the_unit_of_the_first() -> None:
    (axis,) = axes({AMOUNT: "[500 ng, 1 ug, 0.002 mg]"})
    assert axis.unit == "ng"
    assert axis.levels == pytest.approx((500.0, 1000.0, 2000.0), rel=1e-15)
    assert (axis.text(500.0), axis.label) == ("500.0 ng", "amount")


def test_a_range_has_its_ends_and_even_distances() -> None:
    linear, log, whole = axes(
        {
            "doses[0].every": "{low: 2 h, high: 1 day, count: 3}",
            AMOUNT: "{low: 1 ug, high: 100 ug, count: 5, scale: log}",
            "doses[0].count": "{low: 1, high: 4, count: 4}",
        }
    )
    assert linear.levels == (2.0, 13.0, 24.0)
    assert np.diff(np.log(log.levels)) == pytest.approx(np.log(100) / 4, rel=1e-12)
    assert (log.levels[0], log.levels[-1]) == (1.0, 100.0)
    assert (whole.levels, whole.text(4.0)) == ((1.0, 2.0, 3.0, 4.0), "4")


def test_a_list_spaced_by_ratio_is_shown_so() -> None:
    even, ratio = axes({AMOUNT: "[10 ug, 20 ug, 30 ug]", "V50": "[1 particle/cell, 3 particle/cell, 10 particle/cell]"})
    assert (even.log, ratio.log) == (False, True)


def test_two_names_of_one_parameter() -> None:
    with pytest.raises(InputError, match=r"'core\.A_OBa' and 'A_OBa' are one quantity"):
        axes({"A_OBa": "[0.1 1/day]", "core.A_OBa": "[0.2 1/day]"})


def test_what_moves_no_number_is_refused() -> None:
    with pytest.raises(InputError, match=r"'subject.mass' changes nothing in this scenario\n  try: leave it out"):
        plan(swept((), {"subject.mass": "[200 g, 300 g]"}, kind="grid", members=10))
