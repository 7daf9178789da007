"""What is given in windows of time arrives whole, whatever the windows, the rest before them and the outputs."""

from __future__ import annotations

import numpy as np
from equations import batch_of, kernels_of, model, when
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.system import Batch

INFUSION = model(
    {"given": (0, "inflow"), "x": (0, "inflow - k*x")},
    {"start": 1.0, "length": 1.0, "rate": 1.0, "every": 0.0, "k": 0.5},
    {
        "turn": "floor((t - start)/every)",
        "single": "piecewise(rate, t >= start and t < start + length, 0)",
        "repeated": "piecewise(rate, t >= start and t - start - every*turn < length, 0)",
        "inflow": "piecewise(single, every <= 0, repeated)",
    },
)
INFUSION_KERNELS = kernels_of(INFUSION)
HORIZON = 100.0

spans = st.floats(1e-4, 40.0)
outputs = st.lists(st.floats(0.0, HORIZON), max_size=8)


@settings(max_examples=40)
@given(st.floats(0.0, 50.0), spans, st.floats(1e-3, 1e3), outputs)
@example(0.0, 40.0, 1.0, [])
@example(99.9998, 1e-4, 1e3, [99.9998, 99.9999])
def test_one_window(start: float, length: float, rate: float, times: list[float]) -> None:
    t = np.unique([0.0, *times, HORIZON])
    batch = batch_of(INFUSION_KERNELS, INFUSION, t, start=start, length=length, rate=rate)
    given_so_far = integrate(INFUSION_KERNELS, batch).y[:, 0, 0]
    # the window is as long as both ends say that it is, which are known to half a unit in the last place of 100
    end = start + length
    exact = rate * (np.clip(t, start, end) - start)
    assert np.abs(given_so_far - exact).max() <= 1e-9 * rate * length + rate * 4 * np.spacing(HORIZON)


@settings(max_examples=15)
@given(st.floats(0.0, 50.0), st.floats(0.001, 0.999), st.floats(4.0, 60.0), outputs)
@example(0.0, 0.5, 7.0, [7.0, 14.0])
@example(1.0, 1 / 24, 5.0, [])
def test_windows_that_come_back(start: float, part: float, every: float, times: list[float]) -> None:
    t = np.unique([0.0, *times, HORIZON])
    length = part * every
    batch = batch_of(INFUSION_KERNELS, INFUSION, t, start=start, length=length, every=every)
    given_so_far = integrate(INFUSION_KERNELS, batch).y[:, 0, 0]
    turns, rest = np.divmod(np.maximum(t - start, 0.0), every)
    exact = turns * length + np.minimum(rest, length)
    # each window has two ends, each known to some units in the last place of 100
    near_an_edge = 1e-9 * np.maximum(exact, length) + (2 * turns + 2) * 4 * np.spacing(HORIZON)
    assert np.all(np.abs(given_so_far - exact) <= near_an_edge)


# Everything that turns over in ways of a member's own: conditions of states and of time, a staircase, events that set a
# parameter, one that ends the member, one that slides.
MIXED = model(
    {
        "x": (0.1, "v"),
        "v": (0.0, "piecewise(a, x < edge, -2*a) - 0.1*v + floor(t/period)*0.1"),
        "s": ("a", "piecewise(-1, s > edge, 1)"),
    },
    {"a": 1.0, "edge": 1.0, "period": 0.8, "hits": 0.0},
    events=[when("x > 1.5*edge", v="-v", hits="hits + 1"), when("hits >= 4", terminal=True)],
)
MIXED_KERNELS = kernels_of(MIXED, "x", "v", "s", "hits")
rows = st.tuples(st.floats(0.1, 5.0), st.floats(0.2, 3.0), st.floats(0.1, 3.0))


def mixed(members: np.ndarray) -> Batch:
    a, edge, period = members.T
    return batch_of(MIXED_KERNELS, MIXED, [0.0, 0.7, 1.3, 1.3, 2.0], a=a, edge=edge, period=period)


def run(batch: Batch, lanes: int) -> Solution:
    return integrate(MIXED_KERNELS, batch, Settings(rtol=1e-4, max_steps=120), lanes=lanes)


@settings(max_examples=8)
@given(st.lists(rows, min_size=2, max_size=6), st.integers(1, 6), st.data())
def test_a_member_turns_over_the_same_alone_and_in_company(
    members: list[tuple[float, float, float]], lanes: int, data: st.DataObject
) -> None:
    table = np.array(members)
    together = run(mixed(table), lanes)
    one = data.draw(st.integers(0, len(members) - 1))
    alone = run(mixed(table[one : one + 1]), 1)
    for name in ("y", "end", "status", "stop_time", "steps", "rejected"):
        np.testing.assert_array_equal(getattr(together, name)[..., one : one + 1], getattr(alone, name), err_msg=name)
    assert together.cause.get(one) == alone.cause.get(0)


def test_the_mixed_model_does_what_it_is_here_for() -> None:
    solution = run(mixed(np.array([[1.0, 1.0, 0.8], [5.0, 0.2, 3.0], [0.1, 3.0, 0.1]])), 3)
    assert len(set(solution.status.tolist())) > 1
