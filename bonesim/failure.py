"""Why a member of a simulation stopped: it is replayed, and the equation that stopped it is named."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from bonesim.codegen.program import numeric
from bonesim.codegen.switches import shown
from bonesim.equilibrium import equilibrated
from bonesim.errors import InputError, Place
from bonesim.model.blame import Equation, after_event, equation, first_fault, initial_values, terms, with_rules
from bonesim.model.check import well_posed
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import walk
from bonesim.model.ode import OdeModel
from bonesim.model.past import without_delays
from bonesim.model.text import expression_text
from bonesim.results.dataset import with_own_names
from bonesim.simulate import Values, build_kernels, held_states, load_model, members, rows
from bonesim.solve.controller import error_norm, smallest_step
from bonesim.solve.integrate import endless_turns, integrate
from bonesim.solve.settings import Settings
from bonesim.solve.status import Status
from bonesim.solve.step import PlainStep
from bonesim.system import Functions, Kernels, Rows

if TYPE_CHECKING:
    import xarray as xr

BEFORE = (0.0, 1e-12, 1e-9, 1e-6, 1e-3)
"""How long before a stop, as a part of the time that had passed, values are looked for: there, or before its events.

A stop that another back end came to may lie after that of the replay, by rounding or, at a singularity, by more.
"""

SHOWN = 4
"""Terms of a rate, and states, that are shown."""


@dataclass(frozen=True)
class Failure:
    """What stopped a member.

    member : its number, None in a plain simulation
    time : when, `time_unit`
    status : how it ended
    equation : the first that gave no number, or that with `condition`, or the rate of the state whose error asked for
        ever smaller steps
    condition : what turned over again and again, if that is why the member did not get on
    terms : of that rate, the largest first, where the step became too small
    fastest : states by the share of themselves by which they change in a unit of time, the fastest first
    """

    member: int | None
    time: float
    time_unit: str
    status: str
    equation: Equation
    condition: str = ""
    terms: tuple[tuple[str, float], ...] = ()
    fastest: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        who = "the simulation" if self.member is None else f"member {self.member}"
        lines = [f"{who} stopped at t = {self.time:.6g} {self.time_unit}: {self.status}", f"  {self.equation}"]
        if self.condition:
            lines.append(f"  '{self.condition}' turns over again and again, so that hardly any time passes between")
            lines.append("  try: let it turn back at another value than it turns at, or bring what it is about to rest")
        if self.terms:
            lines.append(f"  terms: {', '.join(f'{text} = {value:.4g}' for text, value in self.terms)}")
        if self.fastest:
            rates = ", ".join(f"{name} {rate:+.3g}" for name, rate in self.fastest)
            lines.append(f"  relative change a {self.time_unit}: {rates}")
        return "\n".join(lines)


def explain_failure(
    model: OdeModel | str | Path,
    result: xr.Dataset,
    member: int | None = None,
    *,
    parameters: Mapping[str, Values] | None = None,
    initial: Mapping[str, Values] | None = None,
    equilibrate: bool = False,
    hold: Sequence[str] = (),
) -> Failure:
    """Which equation stopped a member of a simulation.

    The member is solved once more, by the same back end, and from the values at its stop every equation is evaluated by
    the plain interpreter.

    Parameters
    ----------
    model, parameters, initial, equilibrate, hold : as they were given to `simulate`
    result : what that returned, or `result` of the `SimulationError` it raised
    member : which member of a batch; the first that failed where it is left out

    Raises
    ------
    InputError
        If the member did not fail, or did not stop while it was solved, or the result is of another model.
    UnsupportedModelError
        If the model has delayed values.
    """
    if not isinstance(model, OdeModel):
        model = load_model(model)
    if result.attrs.get("model_hash") != model.content_hash:
        told = f"the result is not of the model '{model.id}'"
        raise InputError(told, place=Place(key="result"), remedy="give the model that was simulated")
    model = without_delays(well_posed(model), "an explanation")
    result = with_own_names(result)
    chosen, end = _end(result, member)
    given = {**rows(model, parameters or {}, "parameter"), **rows(model, initial or {}, "state")}
    one = {name: _of_member(name, values, chosen, result) for name, values in given.items()}
    held = held_states(model, hold) if equilibrate else None
    replay = _Replay(model, result, one, float(end["stop_time"]), held, chosen or 0)
    status = Status(int(end["status"]))
    named = {
        Status.EVENTS_WITHOUT_END: replay.circling,
        Status.NO_CONSISTENT_START: replay.broken,
        Status.UNDEFINED_EVENT: replay.undefined,
    }
    found = replay.fault() or named.get(status, replay.slow)()
    return replace(found, member=chosen, status=status.word)


def _end(result: xr.Dataset, member: int | None) -> tuple[int | None, xr.Dataset]:
    """The number of the member, None in a plain simulation, and its part of the result."""
    if "member" not in result.dims:
        if member is not None:
            raise InputError("the result has one member only", place=Place(key="member"), remedy="leave it out")
        chosen, end = None, result
    else:
        failed = np.flatnonzero([not Status(code).arrived for code in result["status"].values])
        chosen = member if member is not None else int(failed[0]) if failed.size else 0
        if not 0 <= chosen < result.sizes["member"]:
            problem = f"the result has members 0 to {result.sizes['member'] - 1}"
            raise InputError(problem, place=Place(key="member"), remedy="one of those")
        end = result.isel(member=chosen)
    status = Status(int(end["status"]))
    if status.arrived or status == Status.NO_REST:
        known = "reached its end" if status.arrived else "found no rest to begin from"
        remedy = "leave `member` out" if status.arrived else "bonesim.steady_state says what still moves"
        raise InputError(f"{'it' if chosen is None else f'member {chosen}'} {known}", remedy=remedy)
    return chosen, end


def _of_member(name: str, values: np.ndarray, member: int | None, result: xr.Dataset) -> float:
    if not values.ndim:
        return float(values)
    if member is None or len(values) != result.sizes["member"]:
        problem = f"{len(values)} values for {result.sizes.get('member', 1)} members"
        raise InputError(problem, place=Place(key=name), remedy="those that the simulation was given")
    return float(values[member])


class _Replay:
    """One member, up to its stop; states are `held` while it comes to rest, None where it does not.

    `number` is that of the member, by which its lots are drawn.
    """

    def __init__(
        self,
        model: OdeModel,
        result: xr.Dataset,
        given: Mapping[str, float],
        stop: float,
        held: list[str] | None,
        number: int,
    ) -> None:
        self.model, self.given, self.stop = model, given, stop
        self.start = float(result["time"].values[0])
        self.span = float(result["time"].values[-1]) - self.start
        rtol, seed = float(result.attrs["rtol"]), int(result.attrs.get("seed", 0))
        self.settings = Settings(rtol=rtol, method=str(result.attrs["method"]), seed=seed)
        names = [state.id for state in model.states] + [parameter.id for parameter in model.parameters]
        backend = "numpy" if result.attrs["backend"] == "numpy" else "auto"
        self.kernels = build_kernels(model, names, backend, self.settings.method)
        states = {state.id for state in model.states}
        parameters = {name: value for name, value in given.items() if name not in states}
        initial = {name: value for name, value in given.items() if name in states}
        batch = members(self.kernels, model, (self.start, self.start + self.span), parameters, initial)
        self.batch = replace(batch, first=number)
        self.held = held
        self.values: dict[str, float] = {}
        self.condition = ""
        self.event: int | None = None

    def fault(self) -> Failure | None:
        """The first equation on the way that gives no number."""
        self.values, bad = initial_values(self.model, self.given)
        if bad:
            return self._failure(bad)
        if self.held is not None:
            self.batch, _ = equilibrated(self.model, self.kernels, self.batch, self.settings, self.held)
            self.values |= dict(zip(self.kernels.layout.states, self.batch.initial[:, 0].tolist(), strict=True))
        since = self._come_near() if self.stop > self.start else self.start
        bad = None if self.start < since == self.stop else self._through_events(since)
        bad = bad or first_fault(self.model, self.values, self.stop)
        return self._failure(bad) if bad else None

    def _come_near(self) -> float:
        """Solve up to the stop; returns the time at which the values are those of."""
        near = [self.stop - back * (self.stop - self.start) for back in BEFORE]
        # The end is that of the simulation, so that its steps are the same.
        times = np.unique([self.start, *near, self.start + self.span])
        solution = integrate(self.kernels, replace(self.batch, t_out=times), self.settings)
        self.condition = endless_turns(self.kernels.layout, solution, 0)
        if solution.status[0] == Status.UNDEFINED_EVENT:
            self.event = int(solution.fault[0, 0]) - len(self.model.events)
        for time in near:
            reached = solution.y[np.searchsorted(times, time), :, 0]
            if np.isfinite(reached).all():
                self.values = dict(zip(self.kernels.layout.observables, reached.tolist(), strict=True))
                return time
        return self.start

    def _through_events(self, since: float) -> Equation | None:
        """Let the timed events from `since` to the stop happen; the first assignment that gives no number."""
        started, _ = initial_values(self.model, self.given)
        known = with_rules(self.model, started, self.start)
        due = []
        for event in self.model.events:
            first = evaluate(event.time, known)
            every = evaluate(event.every, known) if event.every is not None else 0.0
            due += [(first + turn * every, event) for turn in range(event.count)]
            if not math.isfinite(first + every):
                return equation(f"the time of event '{event.id}'", event.time, known, self.start, event.origin)
        slack = 1e-12 * max(abs(self.stop), self.span)
        for _, event in sorted(
            ((time, event) for time, event in due if since <= time <= self.stop + slack), key=lambda pair: pair[0]
        ):
            self.values, bad = after_event(self.model, event, self.values, self.stop)
            if bad:
                return bad
        for state_event in self.model.state_events:
            _, bad = after_event(self.model, state_event, self.values, self.stop)
            if bad:
                return bad
        return None

    def circling(self) -> Failure:
        """The first trigger, of the events that states trigger, that is true where events set each other off."""
        known = with_rules(self.model, self.values, self.stop)
        events = self.model.state_events
        event = next((one for one in events if evaluate(one.trigger, known, self.stop)), events[0])
        named = equation(f"the trigger of event '{event.id}'", event.trigger, known, self.stop, event.origin)
        return self._failure(named)

    def undefined(self) -> Failure:
        """The delay that is no time, or the priority that is no number, of an event that waits."""
        known = with_rules(self.model, self.values, self.stop)
        events = self.model.state_events if self.event is None else self.model.state_events[self.event :][:1]
        delays = [("delay", event, event.delay) for event in events]
        priorities = [("priority", event, event.priority) for event in events]
        found = [(what, event, expr) for what, event, expr in (*delays, *priorities) if expr is not None]
        what, event, expr = min(found, key=lambda one: _is_sound(evaluate(one[2], known, self.stop), one[0]))
        named = equation(f"the {what} of event '{event.id}'", expr, known, self.stop, event.origin)
        return self._failure(named)

    def broken(self) -> Failure:
        """The constraint, or the fast rate, that is farthest from 0, of a model that has some."""
        known = with_rules(self.model, self.values, self.stop)
        zeros = [(f"the constraint written at '{one.id}'", one.rate, one) for one in self.model.states if one.algebraic]
        zeros += [(f"the fast rate of '{s.id}'", s.fast, s) for s in self.model.states if s.fast is not None]
        where, expr, worst = max(zeros, key=lambda zero: abs(evaluate(zero[1], known, self.stop)))
        return self._failure(equation(where, expr, known, self.stop, worst.origin))

    def slow(self) -> Failure:
        """What kept the member from getting on: a condition, an event, or an equation in its steps."""
        if self.condition:
            return self._turning()
        return self._smallest() if self.model.states else self._restless()

    def _restless(self) -> Failure:
        """What asks for so many steps where nothing moves: the first event, or the first rule."""
        if self.model.state_events:
            return self.circling()
        known = with_rules(self.model, self.values, self.stop)
        sources = [(f"the time of event '{one.id}'", one.time, one.origin) for one in self.model.events]
        sources += [(f"the rule for '{one.id}'", one.expr, one.origin) for one in self.model.rules]
        what, expr, origin = sources[0]
        return self._failure(equation(what, expr, known, self.stop, origin))

    def _turning(self) -> Failure:
        """The first trigger, rule or rate with the condition that turned over again and again."""
        model, known = numeric(self.model), with_rules(self.model, self.values, self.stop)
        sources = [(f"the trigger of event '{one.id}'", one.trigger, one.origin) for one in model.state_events]
        sources += [(f"the rule for '{one.id}'", one.expr, one.origin) for one in model.rules]
        sources += [(f"the rate of '{one.id}'", one.rate, one.origin) for one in model.states]
        what, expr, origin = next(one for one in sources if self.condition in map(shown, walk(one[1])))
        found = self._failure(equation(what, expr, known, self.stop, origin))
        return replace(found, condition=self.condition)

    def _smallest(self) -> Failure:
        """What goes wrong in steps of rounding size and larger ones: no number in a stage, or too large an error."""
        layout, t = self.kernels.layout, np.array([self.stop])
        y = np.array([self.values[name] for name in layout.states]).reshape(-1, 1)
        p = np.array([self.values[name] for name in layout.parameters]).reshape(-1, 1)
        with np.errstate(all="ignore"):
            k = self.kernels.constants(p)
            if layout.switches:
                self.kernels.functions.settle(t, tuple(y), tuple(p), k)
            return self._steep(t, y, p, k) or self._step(t, y, p, k)

    def _step(self, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> Failure:
        """The first step, from the smallest on, with a fault in one of its stages or an error above the tolerance."""
        watched = _Watched(self.model, self.kernels)
        step = PlainStep(replace(self.kernels, functions=cast(Functions, watched)), self.settings.tableau)
        h, atol = smallest_step(t, self.span), 1e-3 * self.settings.rtol * np.abs(y)
        scaled = np.zeros_like(y)
        while h[0] < 1e-3 * self.span:
            step.begin(t, y, p, k)
            _, scaled = step.advance(h, self.settings.rtol, atol)
            if watched.fault:
                return self._failure(watched.fault)
            if not error_norm(scaled)[0] <= 1:
                break
            h = 10 * h
        return self._rate(int(np.argmax(scaled[:, 0])))

    def _steep(self, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> Failure | None:
        """The first rate whose derivative by a state is no number."""
        states = self.model.states
        jacobian, by_time = np.zeros((1, len(states), len(states))), np.zeros((len(states), 1))
        self.kernels.functions.jacobian(t, tuple(y), tuple(p), tuple(k), jacobian, by_time)
        for row, column in np.argwhere(~np.isfinite(jacobian[0])):
            what = f"the derivative by '{states[column].id}' of the rate of '{states[row].id}'"
            known = with_rules(self.model, self.values, self.stop)
            named = equation(what, states[row].rate, known, self.stop, states[row].origin)
            return self._failure(replace(named, value=float(jacobian[0, row, column])))
        return None

    def _rate(self, row: int) -> Failure:
        """The rate of one state, its terms, and how fast all states change."""
        known = with_rules(self.model, self.values, self.stop)
        state = self.model.states[row]
        named = equation(f"the rate of '{state.id}'", state.rate, known, self.stop, state.origin)
        parts = [(expression_text(term), evaluate(term, known, self.stop)) for term in terms(state.rate)]
        speeds = []
        for other in self.model.states:
            size = abs(known[other.id])
            rate = evaluate(other.rate, known, self.stop)
            speeds.append((other.id, rate / size if size else math.copysign(math.inf, rate) if rate else 0.0))
        return replace(
            self._failure(named),
            terms=tuple(sorted(parts, key=lambda part: -abs(part[1]))[:SHOWN]),
            fastest=tuple(sorted(speeds, key=lambda speed: -abs(speed[1]))[:SHOWN]),
        )

    def _failure(self, named: Equation) -> Failure:
        return Failure(None, self.stop, self.model.time_unit, "", named)


def _is_sound(value: float, what: str) -> bool:
    return value >= 0 if what == "delay" else not math.isnan(value)


class _Watched:
    """The functions of a model with the plain interpreter in place of the rates; it keeps the first fault it meets."""

    def __init__(self, model: OdeModel, kernels: Kernels) -> None:
        self.model, self.functions, self.layout = model, kernels.functions, kernels.layout
        self.fault: Equation | None = None

    def rhs(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray) -> None:
        """Rates, evaluated one by one."""
        values = {name: float(row[0]) for name, row in zip(self.layout.states, y, strict=True)}
        values |= {name: float(row[0]) for name, row in zip(self.layout.parameters, p, strict=True)}
        time = float(t[0])
        if self.fault is None and all(map(math.isfinite, values.values())):
            self.fault = first_fault(self.model, values, time)
        known = with_rules(self.model, values, time)
        dy[:, 0] = [evaluate(state.rate, known, time) for state in self.model.states]

    def start(
        self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray, slopes: np.ndarray, by_time: np.ndarray
    ) -> None:
        """Derivatives as generated, rates one by one."""
        self.functions.start(t, y, p, k, dy, slopes, by_time)
        self.rhs(t, y, p, k, dy)

    def factor(self, shift: np.ndarray, slopes: Rows, lu: Rows) -> None:
        """As generated."""
        self.functions.factor(shift, slopes, lu)

    def solve(self, slopes: Rows, lu: Rows, x: Rows) -> None:
        """As generated."""
        self.functions.solve(slopes, lu, x)
