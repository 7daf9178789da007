"""Events that wait, against a plain interpreter that goes from one exact time to the next.

Conditions are about time since a parameter was last set and about parameters, all times are sums of eighths, and two
states grow evenly between events. So every time is exact in both, and what falls together falls together in both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from equations import model, solve, when
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Expr
from bonesim.model.ode import OdeModel, StateEvent

HORIZON, STEP, MOST = 6.0, 0.125, 60
NAMES = ("a", "b", "r")


@dataclass
class Waits:
    """An event that was set off."""

    event: StateEvent
    due: float
    values: dict[str, float] | None


class Interpreter:
    """A model in which everything turns at eighths of a unit of time."""

    def __init__(self, ode: OdeModel) -> None:
        self.ode, self.t = ode, 0.0
        self.values = {p.id: p.value for p in ode.parameters}
        self.values |= {state.id: evaluate(state.initial, self.values) for state in ode.states}
        self.waiting: list[Waits] = []
        self.happened = 0
        self.true = [event.initially and self.now(event.trigger) for event in ode.state_events]

    def now(self, expr: Expr) -> float:
        return evaluate(expr, self.values, self.t)

    def look(self) -> None:
        for place, event in enumerate(self.ode.state_events):
            before, self.true[place] = self.true[place], bool(self.now(event.trigger))
            if before and not self.true[place] and not event.persistent:
                self.waiting = [one for one in self.waiting if one.event is not event]
        for place, event in enumerate(self.ode.state_events):
            if self.true[place] and not self.old[place]:
                values = {target: self.now(expr) for target, expr in event.assignments}
                delay = self.now(event.delay) if event.delay is not None else 0.0
                assume((self.t + delay) % STEP == 0)
                self.waiting.append(Waits(event, self.t + delay, values if event.from_trigger_time else None))
        self.old = list(self.true)

    def happen(self) -> None:
        while due := [one for one in self.waiting if one.due == self.t]:
            ranks = [-math.inf if one.event.priority is None else self.now(one.event.priority) for one in due]
            best = max(ranks)
            first = [one for one, rank in zip(due, ranks, strict=True) if rank == best]
            assume(len(first) == 1 or best == -math.inf)  # else by lot
            one = min(first, key=lambda one: self.ode.state_events.index(one.event))
            self.waiting.remove(one)
            new = one.values or {target: self.now(expr) for target, expr in one.event.assignments}
            self.values |= new
            self.happened += 1
            assume(self.happened < MOST)
            self.look()

    def run(self) -> list[list[float]]:
        """The values of all parameters and states at all eighths, after what happens there."""
        rows = []
        self.old = list(self.true)
        for _ in range(round(HORIZON / STEP) + 1):
            self.look()
            self.happen()
            rows.append([self.values[name] for name in (*NAMES, "x", "y")])
            rates = {state.id: self.now(state.rate) for state in self.ode.states}
            for name, rate in rates.items():
                self.values[name] += rate * STEP
            self.t += STEP
        return rows


eighths = st.integers(0, 24).map(lambda n: n / 8)
lengths = st.integers(1, 16).map(lambda n: n / 8)
thirds = st.integers(-1, 2).map(lambda n: n + 1 / 3)  # what the solver rounds is not equal to one
conditions = st.one_of(
    st.builds("t >= {}".format, eighths),
    st.builds("t - r >= {}".format, lengths),
    st.builds("t - r < {}".format, lengths),
    st.builds("(t >= {0} and t < {0} + {1})".format, eighths, lengths),
    st.builds("{} > {}".format, st.sampled_from("ab"), thirds),
    st.builds("{} < {}".format, st.sampled_from("ab"), thirds),
)
triggers = st.one_of(
    conditions,
    st.builds("({}) and ({})".format, conditions, conditions),
    st.builds("({}) or ({})".format, conditions, conditions),
)
settings_of = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from(["a + 1", "b", "a - b", "0", "x", "-a"]),
        "b": st.sampled_from(["b + 1", "a", "2 - a", "1", "y - x"]),
        "r": st.sampled_from(["t", "r + 0.5"]),
        "x": st.sampled_from(["0", "y", "x + a"]),
    },
)
events = st.builds(
    lambda trigger, sets, **more: when(trigger, **more, **sets),
    triggers,
    settings_of,
    delay=st.one_of(st.none(), eighths, st.sampled_from(["piecewise(0.25, a > 0.3, 1)", "ceil(8*b*b - 0.01)/8"])),
    priority=st.one_of(st.none(), st.integers(-3, 3), st.sampled_from(["a", "b", "a - b"])),
    persistent=st.booleans(),
    early=st.booleans(),
    initially=st.booleans(),
)


@settings(max_examples=150)
@given(st.lists(events, min_size=1, max_size=5), st.integers(-1, 2), st.integers(0, 2))
@example([when("t - r >= 0.5", delay=0.5, early=True, r="t", a="a + 1"), when("a > 1", persistent=False, a=0)], 0, 0)
def test_a_system_of_events(happen: list[StateEvent], a: int, b: int) -> None:
    ode = model({"x": (0, "a"), "y": (1, "0.5*b")}, {"a": a, "b": b, "r": 0}, events=happen)
    assume(ode.queued)
    expected = Interpreter(ode).run()
    times = [STEP * turn for turn in range(len(expected))]
    solution = solve(ode, times, *NAMES, "x", "y")
    assert solution.ok, solution.cause
    size = max(abs(value) for row in expected for value in row)
    assert abs(solution.y[:, :, 0] - expected).max() <= 1e-9 * max(size, 1)
    # and outputs far apart see no other course
    assert abs(solve(ode, [0.0, HORIZON], *NAMES).y[-1, :, 0] - expected[-1][:3]).max() <= 1e-9 * max(size, 1)
