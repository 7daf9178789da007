"""The batch loop in NumPy: many members side by side, each with its own time, step size and events.

A *lane* is a column of the working arrays. One turn of the loop is one step of every lane; a lane whose member
has ended takes the next member of the batch, and when none is left the arrays are cut to the lanes still running.
No operation mixes lanes, so a member's numbers are the same bits whatever runs beside it.

Conditions keep their values during a step (`codegen.switches`). A step ends where the first one turns over: at a known
time, or at the sign change of a root function, found on the continuous extension. There all conditions are read anew,
and the events whose triggers have become true happen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bonesim.aligned import aligned, taken
from bonesim.solve.calendar import calendar, fit
from bonesim.solve.columns import EVERYONE, Columns, Some, rows_of, some_of
from bonesim.solve.constraints import Constraints
from bonesim.solve.controller import error_norm, first_step, smallest_step, step_factor, trial_step
from bonesim.solve.course import Course
from bonesim.solve.crossing import first_turn
from bonesim.solve.delayed import Delayed, DelayedStep
from bonesim.solve.fast import Equilibria
from bonesim.solve.outputs import Outputs
from bonesim.solve.queue import Queue
from bonesim.solve.settings import Settings
from bonesim.solve.sliding import Sliding
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.solve.step import PlainStep
from bonesim.system import Batch, Kernels, Rows

EVENTFUL = 10
"""By how many times more steps a lane with a queue may take: an event may ask for one every hundredth of a day."""

ROUNDS = 1000
"""State events of one member at one time; more have no end."""

ENDED_BY_EVENT = int(Status.ENDED_BY_EVENT)  # looking up a member of an enumeration takes longer


class Lanes:
    """The working state of a batch run."""

    def __init__(
        self,
        kernels: Kernels,
        batch: Batch,
        settings: Settings,
        results: Solution,
        width: int,
    ) -> None:
        self.kernels, self.batch, self.settings = kernels, batch, settings
        self.results, self.layout = results, kernels.layout
        self.delayed: Delayed | None = None
        self.step: PlainStep | DelayedStep
        if self.layout.lags:
            self.delayed = Delayed(kernels, batch, len(settings.tableau.H), width)
            self.kernels = kernels = replace(kernels, functions=self.delayed)
            self.step = DelayedStep(self.delayed, PlainStep(kernels, settings.tableau))
        else:
            self.step = PlainStep(kernels, settings.tableau)
        self.constraints = Constraints(kernels) if kernels.layout.algebraic else None
        self.equilibria = Equilibria(kernels, batch.t_out[-1] - batch.t_out[0]) if kernels.layout.fast else None
        self.still = [*kernels.layout.algebraic, *kernels.layout.fast]
        self.stands = not (kernels.layout.states or kernels.layout.located or kernels.layout.lags)
        self.outputs = Outputs(kernels, results, width)
        self.t_end = batch.t_out[-1]
        self.sliding = Sliding(kernels, settings, self.t_end - batch.t_out[0], width)
        self.max_steps = settings.max_steps * (EVENTFUL if kernels.layout.queue else 1)
        self.event_times, self.event_order = calendar(kernels, batch)
        self.waiting = 0
        self.queue = Queue(kernels, batch, settings.seed, width) if kernels.layout.queue else None
        self._allot(width)
        self._load(np.arange(width))

    def run(self) -> None:
        """Step all lanes until every member has ended."""
        while self.member.size:
            self._write_outputs_before()
            self._happen()
            self._write_outputs_now()
            if self._retire():
                continue
            if self.stands:
                self._wait()
            elif self._begin():
                self._take_step()

    def _allot(self, width: int) -> None:
        """Working arrays for `width` lanes."""
        layout = self.layout
        n = len(layout.states)
        self.member = np.empty(width, np.int64)
        self.t, self.h = np.empty(width), np.empty(width)
        self.y, self.atol = aligned(n, width), aligned(n, width)
        self.p, self.k = aligned(len(layout.parameters), width), aligned(layout.kept, width)
        self.due = np.empty(width, np.int64)
        self.well, self.refused, self.fresh, self.arrived = (np.empty(width, bool) for _ in range(4))
        self.pending = np.empty((len(layout.initially), width), bool)
        self.next_stop = np.empty(width)
        if self.delayed is not None:
            self.k[layout.history] = np.arange(width)

    def _load(self, lanes: np.ndarray) -> None:
        """Put the next waiting members into `lanes`."""
        chosen = np.arange(self.waiting, self.waiting + lanes.size)
        self.waiting += lanes.size
        self.member[lanes] = chosen
        self.t[lanes] = self.batch.t_out[0]
        self.y[:, lanes] = self.batch.initial[:, chosen]
        self.p[:, lanes] = self.batch.parameters[:, chosen]
        self.atol[:, lanes] = self.results.atol[:, chosen]
        self.due[lanes] = (self.event_times[:, chosen] < self.batch.t_out[0]).sum(axis=0)
        self.outputs.begin(lanes)
        self.sliding.begin(lanes)
        self.well[lanes] = True
        self.fresh[lanes], self.arrived[lanes], self.pending[:, lanes] = True, False, False
        k = self.kernels.constants(self.p[:, lanes])
        if self.queue is None:
            k[self.layout.triggers] = np.reshape(self.layout.initially, (-1, 1))
        if self.delayed is not None:
            k[self.layout.history] = self.k[self.layout.history, lanes]
            self.delayed.begin(self._histories(lanes), chosen)
        self.k[:, lanes] = k
        if self.queue is not None:
            self.queue.load(lanes, chosen)
        self._settle(lanes)
        for lane in lanes[np.isnan(self.event_times[:, chosen]).any(axis=0)]:
            self._end(int(lane), Status.NOT_FINITE_AT_START, -1)

    def _keep(self, lanes: np.ndarray) -> None:
        """Cut the working arrays to `lanes`."""
        for name in ("t", "h", "due", "well", "refused", "fresh", "arrived", "next_stop"):
            setattr(self, name, getattr(self, name)[lanes])
        for name in ("y", "p", "k", "atol"):
            setattr(self, name, taken(getattr(self, name), lanes))
        self.pending, self.member = self.pending.take(lanes, axis=1), self.member[lanes]
        self.outputs.keep(lanes)
        self.sliding.keep(lanes)
        if self.queue is not None:
            self.queue.keep(lanes)

    def _histories(self, lanes: Some) -> np.ndarray:
        """Numbers of the histories of some lanes, where values are delayed."""
        histories: np.ndarray = self.k[self.layout.history, lanes].astype(np.int64)
        return histories

    def _next_event(self) -> np.ndarray:
        """(lane,) time of each lane's next timed event, infinity where there is none."""
        return self.event_times[self.due, self.member]

    def _happen(self) -> None:
        """What happens at each lane's time: timed events in the order of the calendar, then those of states."""
        self._settle((self.arrived & self.well).nonzero()[0])
        self.arrived[:] = False
        if self.layout.events:
            while (due := ((self._next_event() <= self.t) & self.well).nonzero()[0]).size:
                self._fire_each(due, self.event_order[self.due[due], self.member[due]])
                self.due[due] += 1
        if self.layout.initially:
            self._state_events()

    def _state_events(self) -> None:
        """The state events that are to happen at each lane's time, one after the other."""
        for _ in range(ROUNDS):
            if self.queue is not None and not self.queue.count:
                return
            waiting = (self._is_due() & self.well).nonzero()[0]
            if not waiting.size:
                return
            self._fire_each(waiting, self._next_of(waiting))
        waiting = (self._is_due() & self.well).nonzero()[0]
        for lane, event in zip(waiting, self._next_of(waiting), strict=True):
            self._end(int(lane), Status.EVENTS_WITHOUT_END, int(event))

    def _is_due(self) -> np.ndarray:
        """(lane,) whether a state event is to happen."""
        if self.queue is not None:
            return self.queue.is_due(self.t)
        return np.asarray(self.pending.any(axis=0))

    def _next_of(self, lanes: np.ndarray) -> np.ndarray:
        """(lane,) the state event that happens next in each of `lanes`, counted behind timed ones."""
        first: np.ndarray
        if self.queue is None:
            first = np.argmax(self.pending[:, lanes], axis=0)
            self.pending[first, lanes] = False
        else:
            first = self.queue.next(lanes, *self._rows(some_of(lanes, self.t.size)))
            self._end_undefined(self.queue)
        return first + len(self.layout.events)

    def _rows(self, lanes: Some) -> tuple[np.ndarray, Rows, Rows, Rows]:
        """Times, states, parameters and constants of some lanes."""
        return self.t[lanes], rows_of(self.y, lanes), rows_of(self.p, lanes), rows_of(self.k, lanes)

    def _end_undefined(self, queue: Queue) -> None:
        """End lanes with an event whose delay or priority is none."""
        for lane, event in queue.undefined:
            self._end(lane, Status.UNDEFINED_EVENT, len(self.layout.events) + event)
        queue.undefined.clear()

    def _fire_each(self, lanes: np.ndarray, events: np.ndarray) -> None:
        """Apply to each of `lanes` its own event."""
        different = sorted(set(events.tolist()))
        for event in different:
            self._fire(event, lanes if len(different) == 1 else lanes[events == event])

    def _fire(self, event: int, lanes: np.ndarray) -> None:
        some = some_of(lanes, self.t.size)
        t, y, p, k = self.t[some], self.y[:, some], self.p[:, some], self.k[:, some]
        if self.queue is None or event < len(self.layout.events):
            self.kernels.functions.fire(event, t, y, p, k)
        else:
            self.queue.carry_out(event - len(self.layout.events), lanes, t, y, p, k)
        self.kernels.functions.jumped(event, p, k)
        if some is lanes:
            self.y[:, lanes], self.p[:, lanes], self.k[:, lanes] = y, p, k
        self._settle(lanes)
        self.fresh[some] = True
        if self.layout.terminal[event]:
            for lane in lanes:
                self._end(int(lane), Status.ENDED_BY_EVENT, event)

    def _settle(self, lanes: np.ndarray) -> None:
        """Conditions and constraints as they are now; each is taken twice where one may rest on the other.

        Triggers are read when all else is as it will be: a first guess sets off no event.
        """
        if not lanes.size:
            return
        if self.constraints or self.equilibria:
            for _ in range(1 + self.layout.switching):
                self._read_conditions(lanes, triggers=False)
                self._constrain(lanes)
        self._read_conditions(lanes)
        if self.queue is not None:
            some = some_of(lanes, self.t.size)
            self.queue.look(lanes, self.k[self.layout.triggers, some] > 0, *self._rows(some))
            self._end_undefined(self.queue)

    def _constrain(self, lanes: np.ndarray) -> None:
        """Algebraic states at which the constraints hold, and fast ones at rest."""
        for solver in (self.constraints, self.equilibria):
            if solver is None:
                continue
            y, p, k = self.y[:, lanes], Columns(self.p, lanes), Columns(self.k, lanes)
            culprits = solver.solve(self.t[lanes], y, p, k, self.settings.rtol, self.atol[:, lanes])
            self.y[:, lanes] = y
            for lane, culprit in zip(lanes, culprits, strict=True):
                if culprit >= 0:
                    self._end(int(lane), Status.NO_CONSISTENT_START, int(culprit))

    def _read_conditions(self, lanes: np.ndarray, triggers: bool = True) -> None:
        """Read all conditions anew, and with them when the next one turns and which events are to happen.

        A queue keeps itself which triggers were true.
        """
        layout, functions, some = self.layout, self.kernels.functions, some_of(lanes, self.t.size)
        if not layout.switching:
            self.next_stop[some] = np.inf
            return
        t, k, p = self.t[some], self.k[:, some], rows_of(self.p, some)
        before = k[layout.triggers].copy()
        functions.settle(t, rows_of(self.y, some), p, k)
        if self.queue is None:
            if triggers:
                self.pending[:, some] |= (k[layout.triggers] > 0) & (before == 0)
            else:
                k[layout.triggers] = before
        if some is lanes:
            constants = len(layout.constants)
            self.k[constants:, lanes] = k[constants:]
        if layout.timed:
            stops = np.empty((layout.timed, lanes.size))
            functions.stops(p, k, stops)
            self.next_stop[some] = np.where(stops > t, stops, np.inf).min(axis=0)
        else:
            self.next_stop[some] = np.inf

    def _begin(self) -> bool:
        """Rates and slopes where each lane stands, and a first step for those that start; whether all can go on."""
        self.step.begin(self.t, self.y, self.p, self.k)
        lanes = (self.fresh & self.well).nonzero()[0]
        self.fresh[:] = False
        self._restart(lanes)
        return bool(self.well[lanes].all())

    def _restart(self, lanes: np.ndarray) -> None:
        """A first step for lanes with a new member, or with values that an event has changed."""
        if not lanes.size:
            return
        span = self.t_end - self.batch.t_out[0]
        if not self.layout.states:
            self.h[lanes], self.refused[lanes] = span, False
            return
        t, y, (dy, slopes, bend) = self.t[lanes], self.y[:, lanes], self.step.started(lanes)
        good = np.isfinite(y) & np.isfinite(dy)
        dy[self.still] = 0.0
        for slope, (row, column) in zip(slopes, self.layout.pattern, strict=True):
            bend[row] += slope * dy[column]
        bend[self.still] = 0.0
        rtol, atol = self.settings.rtol, self.atol[:, lanes]
        trial = trial_step(t, y, dy, rtol, atol, span)
        self.h[lanes] = first_step(trial, y, dy, bend, rtol, atol, span, self.settings.tableau.order)
        if self.queue is not None:
            # Where all moves evenly between many events, there is nothing to begin slowly for.
            self.h[lanes[(bend == 0).all(axis=0)]] = 0.01 * span
        self.refused[lanes] = False
        unknown = np.flatnonzero(~good.all(axis=0))
        if unknown.size:
            self.outputs.take_back(lanes[unknown], self.t)
        for place in unknown:
            self._end(int(lanes[place]), Status.NOT_FINITE_AT_START, int(np.argmin(good[:, place])))

    def _write_outputs_before(self) -> None:
        """Outputs at times that are asked for twice: the first is the value before the events of that time."""
        if self.outputs.any_twice:
            lanes = (self.outputs.come_twice() & self.outputs.are_due(self.t) & self.well).nonzero()[0]
            if lanes.size:
                self.outputs.write_now(lanes, self.member, self.t, self.y, self.p, self.k)

    def _write_outputs_now(self) -> None:
        """Outputs that lie exactly at a lane's time: the values after the events of that time."""
        while (lanes := self.outputs.are_due(self.t).nonzero()[0]).size:
            ended_by_event = self.results.status[self.member[lanes]] == ENDED_BY_EVENT
            sound = lanes[self.well[lanes] | ended_by_event]
            if not sound.size:
                return
            self.outputs.write_now(sound, self.member, self.t, self.y, self.p, self.k)

    def _end(self, lane: int, status: Status, culprit: int, error: float = 0.0, step: float = 0.0) -> None:
        """The member of a lane ends here; `culprit`, `error` and `step` are those of `Solution.fault`."""
        member = self.member[lane]
        self.well[lane] = False
        self.results.status[member] = status
        self.results.fault[:, member] = culprit, error, step

    def _retire(self) -> bool:
        """Write the end of members that arrived or failed and give their lanes to waiting ones; whether any did."""
        arrived = self.t >= self.t_end
        if (arrived & self.fresh & self.well).any() and not self.stands:
            self._begin()  # ends lanes in which an event at the end has made what is no number
        ended = (~self.well | arrived).nonzero()[0]
        if not ended.size:
            return False
        self.results.end[:, self.member[ended]] = self.y[:, ended]
        self.results.stop_time[self.member[ended]] = self.t[ended]
        self.outputs.close(ended, self.member)
        refill = ended[: self.batch.members - self.waiting]
        self._load(refill)
        if refill.size < ended.size:
            self._keep(np.setdiff1d(np.arange(self.member.size), ended[refill.size :]))
        return True

    def _stop(self) -> np.ndarray:
        """(lane,) where something happens next: an event, the turn of a condition, the end."""
        held = self.next_stop if self.queue is None else self.queue.stop(self.next_stop)
        stop: np.ndarray = np.minimum(held, self.t_end)
        return np.minimum(stop, self._next_event()) if self.layout.events else stop

    def _wait(self) -> None:
        """Every lane to where something happens, as nothing moves till then."""
        stop = self._stop()
        if self.outputs.are_due(stop).nonzero()[0].size:
            tableau = self.settings.tableau
            stages = np.empty((tableau.stages, *self.y.shape))
            course = Course(self.t, stop - self.t, stop, self.y, self.y, stages, tableau.H)
            self.outputs.write_between(course, stop, self.member, self.p, self.k)
        self.t, self.arrived = stop, np.ones(stop.size, bool)
        self.results.steps[self.member] += 1
        long = self.results.steps[self.member] >= self.max_steps
        for lane in (long & (self.t < self.t_end)).nonzero()[0]:
            self._end(int(lane), Status.TOO_MANY_STEPS, -1)

    def _take_step(self) -> None:
        """One step of every lane, accepted or not, no further than to where something happens."""
        stop = happens = self._stop()
        if self.delayed is not None:
            histories = self._histories(EVERYONE)
            self.h, stop = self.delayed.fitted(histories, self.h), np.minimum(stop, self.delayed.breaks.next[histories])
        sliding, steps = self.sliding.steps(self.t, self.h, self.y, self.p, self.k, self.atol)
        h, lands = fit(self.t, steps, stop)
        rtol = self.settings.rtol
        y_next, scaled = self.step.advance(h, rtol, self.atol)
        norm = error_norm(scaled)
        accepted = norm <= 1
        t_next = np.where(lands, stop, self.t + h)
        course = Course(self.t, h, t_next, self.y, y_next, self.step.stages, self.settings.tableau.H)
        turned, t_next, y_next = self._cut_at_turns(course, accepted & ~sliding)
        if self.equilibria is not None:
            self.equilibria.refuse(scaled, t_next, y_next, tuple(self.p), tuple(self.k), self.step.slopes, rtol)
            norm = error_norm(scaled)
            accepted = norm <= 1
        factor = step_factor(norm, self.settings.tableau.order, self.refused)
        self.outputs.write_between(course, np.where(accepted, t_next, self.t), self.member, self.p, self.k)
        # A step cut short by a stop says nothing against the size that was planned.
        short = lands | turned | sliding
        planned = np.where(accepted & short & (factor >= 1), np.maximum(self.h, h * factor), h * factor)
        if self.delayed is not None:
            jumps = accepted & (turned | (lands & (happens <= stop)))
            self._keep_history(self.delayed, course, np.flatnonzero(accepted), t_next, np.flatnonzero(jumps))
        self.sliding.count(accepted, turned, sliding, t_next - self.t)
        np.copyto(self.y, y_next, where=accepted)
        np.copyto(self.t, t_next, where=accepted)
        self.h, self.refused, self.arrived = planned, ~accepted, accepted & short
        self.results.steps[self.member] += 1
        self.results.rejected[self.member] += ~accepted
        self._give_up(scaled)

    def _keep_history(
        self, delayed: Delayed, course: Course, lanes: np.ndarray, t_next: np.ndarray, jumps: np.ndarray
    ) -> None:
        """Accepted steps, for later; where something happens at their end, it happens again a delay later."""
        histories = self._histories(EVERYONE)
        delayed.accept(lanes, histories[lanes], course, t_next[lanes], self.p[:, lanes])
        delayed.breaks.passed(histories[lanes], t_next[lanes])
        delayed.breaks.jump(histories[jumps], t_next[jumps])

    def _cut_at_turns(self, course: Course, looked_at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(lane,) whether a condition turns over within the step, and the time and states where the step ends then."""
        turned, t_next, y_next = np.zeros(course.t.size, bool), course.t_next, course.y_next
        if not self.layout.located:
            return turned, t_next, y_next
        theta = first_turn(course, looked_at, self._depth)
        cut = np.flatnonzero(np.isfinite(theta))
        theta = theta[cut]
        t_next, y_next = t_next.copy(), y_next.copy()
        turned[cut] = True
        t_next[cut], y_next[:, cut] = course.time(cut, theta), course.all_states(cut, theta)
        if (nearly := self.sliding.nearly(cut)).size:
            depth = self._depth(nearly, t_next[nearly], Columns(y_next, nearly))
            self.sliding.culprit[nearly] = np.argmax(depth > 0, axis=0)
        return turned, t_next, y_next

    def _depth(self, lanes: Some, t: np.ndarray, y: Rows) -> np.ndarray:
        """(located switch, ..., lane) how far conditions are from what they are held to be, as in `crossing.Depth`."""
        k, g = Columns(self.k, lanes), np.empty((len(self.layout.located), *t.shape))
        self.kernels.functions.roots(t, y, Columns(self.p, lanes), k, g)
        for row, switch in zip(g, self.layout.turning, strict=True):
            np.negative(row, out=row, where=k[switch] != 0)
        return g

    def _give_up(self, scaled: np.ndarray) -> None:
        """End lanes whose step size fell to rounding level, or that took too many steps."""
        tiny = self.h < smallest_step(self.t, self.t_end - self.batch.t_out[0])
        long = self.results.steps[self.member] >= self.max_steps
        for lane in np.flatnonzero((tiny | long) & (self.t < self.t_end)).tolist():
            error = np.where(np.isfinite(scaled[:, lane]), scaled[:, lane], np.inf)
            worst = int(np.argmax(error))
            along = len(self.layout.states) + int(self.sliding.culprit[lane])
            culprit = along if self.sliding.slides(lane) else worst
            status = Status.STEP_TOO_SMALL if tiny[lane] else Status.TOO_MANY_STEPS
            self._end(lane, status, culprit, error[worst], self.h[lane])
