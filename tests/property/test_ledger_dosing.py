"""What was given is there: mass balance of a closed system for any regimen, rest and output grid."""

from __future__ import annotations

import numpy as np
import pytest
from equations import event, model, solve
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bonesim.model.ode import OdeModel, TimedEvent
from bonesim.solve.settings import Settings

MINUTE = 1 / 1440
times = st.one_of(st.floats(1e-6, 200.0), st.integers(0, 28).map(lambda week: 7.0 * week))
amounts = st.floats(-3.0, 12.0).map(lambda power: 10.0**power)
boluses = st.lists(st.tuples(times, amounts, st.floats(MINUTE, 30.0), st.integers(1, 6)), max_size=3)
infusions = st.lists(st.tuples(times, amounts, st.floats(-3.5, 2.0).map(lambda power: 10.0**power)), max_size=3)
grids = st.lists(st.floats(0.001, 60.0), min_size=1, max_size=12)
rates = st.tuples(*[st.floats(-2.0, 3.0).map(lambda power: 10.0**power)] * 4)


def closed_system(events: list[TimedEvent], absorption: float, k10: float, k12: float, k21: float) -> OdeModel:
    """Depot, two compartments and what has been eliminated: nothing leaves."""
    return model(
        {
            "depot": (0, "input - absorption*depot"),
            "central": (0, "absorption*depot - (k10 + k12)*central + k21*peripheral"),
            "peripheral": (0, "k12*central - k21*peripheral"),
            "gone": (0, "k10*central"),
        },
        {"absorption": absorption, "k10": k10, "k12": k12, "k21": k21, "input": 0.0},
        {"total": "depot + central + peripheral + gone"},
        events,
    )


@given(boluses=boluses, infusions=infusions, grid=grids, rest=st.sampled_from([0.0, 0.5, 1000.0]), rates=rates)
@settings(max_examples=40)
def test_what_is_in_the_system_is_what_was_scheduled(
    boluses: list[tuple[float, float, float, int]],
    infusions: list[tuple[float, float, float]],
    grid: list[float],
    rest: float,
    rates: tuple[float, float, float, float],
) -> None:
    t = np.concatenate([[0.0], rest + np.cumsum(grid)])
    events, scheduled = [], np.zeros_like(t)
    for first, amount, every, count in boluses:
        events.append(event(rest + first, every=every, count=count, depot=f"depot + {amount!r}"))
        for turn in range(count):
            # an output that misses a dose by rounding alone is the value after it
            scheduled += amount * (t + 4 * np.spacing(t) >= rest + first + turn * every)
    for start, amount, over in infusions:
        begin, end = rest + start, rest + start + over
        rate = amount / (end - begin)
        events += [event(begin, input=f"input + {rate!r}"), event(end, input=f"input - {rate!r}")]
        scheduled += rate * (np.clip(t, begin, end) - begin)
    solution = solve(closed_system(events, *rates), t, "total", settings=Settings(rtol=1e-4))
    assert solution.ok, solution.cause
    assert solution.stop_time[0] == t[-1]
    # A linear invariant is kept by every step and every interpolant to rounding, whatever the tolerance. After an
    # infusion a rounding error of the largest rate remains in `input`, times the time that follows.
    largest_rate = max((amount / over for _, amount, over in infusions), default=0.0)
    rounding = 1e-15 * largest_rate * (t - t[0])
    np.testing.assert_array_less(np.abs(solution.y[:, 0, 0] - scheduled), 1e-9 * scheduled + rounding + 1e-300)


@given(st.lists(times, min_size=1, max_size=8), st.lists(st.floats(0.01, 50.0), min_size=1, max_size=8))
@settings(max_examples=30)
def test_nothing_moves_without_a_reason(dose_times: list[float], grid: list[float]) -> None:
    """Doses into a compartment without rates add up to the bit, in the order of their times."""
    t = np.concatenate([[0.0], np.cumsum(grid)])
    events = [event(time, box=f"box + {0.1 * number}") for number, time in enumerate(dose_times, start=1)]
    solution = solve(model({"box": (0, 0), "one": (1, 0)}, events=events), t)
    by_time = sorted(range(len(dose_times)), key=lambda number: dose_times[number])
    for row, now in enumerate(t):
        expected = 0.0
        for number in by_time:
            if dose_times[number] <= now:
                expected += 0.1 * (number + 1)
        assert solution.y[row, 0, 0] == expected
        assert solution.y[row, 1, 0] == 1.0


# Infusions as formulas of time, three of them, into a system at rest; all that varies is a parameter.
PUMPS = ("one", "two", "three")
PUMPED = model(
    {
        "depot": (0, "inflow - absorption*depot"),
        "central": (0, "absorption*depot - k10*central"),
        "gone": (0, "k10*central"),
    },
    {"absorption": 1.0, "k10": 1.0} | {f"{what}_{pump}": 0.0 for pump in PUMPS for what in ("rate", "begin", "end")},
    {
        "total": "depot + central + gone",
        "inflow": " + ".join(f"piecewise(rate_{pump}, t >= begin_{pump} and t < end_{pump}, 0)" for pump in PUMPS),
    },
)
WEEKS = np.arange(0.0, 7.0 * 27, 7.0)
windows = st.lists(
    st.tuples(
        st.one_of(st.floats(0.0, 180.0), st.integers(0, 25).map(lambda week: 7.0 * week)),
        st.floats(0.0, 2.0).map(lambda power: 10.0**power * MINUTE),
        st.floats(-3.0, 6.0).map(lambda power: 10.0**power),
    ),
    min_size=1,
    max_size=3,
)


@pytest.mark.usefixtures("backend")
@given(given_in=windows, absorption=st.floats(0.1, 1e3), k10=st.floats(0.1, 1e3))
@example(given_in=[(91.3, MINUTE, 1e3)], absorption=1e3, k10=1e3)
@example(given_in=[(2.2e-311, MINUTE, 1.0)], absorption=1.0, k10=1.0)  # a stop before which 1/h has no number
@example(given_in=[(7.0, MINUTE, 1.0), (7.0 + MINUTE, MINUTE, 1e6), (175.0, 7.0, 1e-3)], absorption=1.0, k10=1.0)
@settings(max_examples=25)
def test_windows_of_minutes_between_outputs_of_weeks(
    given_in: list[tuple[float, float, float]], absorption: float, k10: float
) -> None:
    """Nothing is in motion before a window, and steps of a system at rest are as long as they may be."""
    rows, scheduled, rounding = {"absorption": absorption, "k10": k10}, np.zeros(WEEKS.size), 0.0
    for pump, (begin, length, rate) in zip(PUMPS, given_in, strict=False):
        end = begin + length
        rows |= {f"rate_{pump}": rate, f"begin_{pump}": begin, f"end_{pump}": end}
        scheduled += rate * (np.clip(WEEKS, begin, end) - begin)
        rounding += rate * 2 * np.spacing(end)  # both ends lie on the clock, which steps by an ulp
    solution = solve(PUMPED, WEEKS, "total", settings=Settings(rtol=1e-4), **rows)
    assert solution.ok, solution.cause
    assert np.all(np.abs(solution.y[:, 0, 0] - scheduled) <= 1e-9 * scheduled + rounding)
