"""The batch loop in NumPy: many members side by side, each with its own time, step size and events.

A *lane* is a column of the working arrays. One turn of the loop is one step of every lane; a lane whose member
has ended takes the next member of the batch, and when none is left the arrays are cut to the lanes still running.
No operation mixes lanes, so a member's numbers are the same bits whatever runs beside it.
"""

from __future__ import annotations

import numpy as np

from bonesim.solve.controller import error_norm, first_step, smallest_step, step_factor
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.solve.status import Status
from bonesim.solve.step import PlainStep
from bonesim.system import Batch, Kernels, Layout


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
        self.results = results
        self.step = kernels.step or PlainStep(kernels, settings.tableau)
        self.t_out = np.append(batch.t_out, np.inf)
        self.t_end = batch.t_out[-1]
        self.event_times, self.event_order = _calendar(kernels, batch)
        self.waiting = 0
        self._allot(width)
        self.member = np.empty(width, np.int64)
        self._load(np.arange(width))

    def run(self) -> None:
        """Step all lanes until every member has ended."""
        while self.member.size:
            self._stop_at_events()
            self._write_outputs_now()
            if not self._retire():
                self._take_step()

    def _allot(self, width: int) -> None:
        """Working arrays for `width` lanes."""
        layout = self.kernels.layout
        n = len(layout.states)
        self.t, self.h = np.empty(width), np.empty(width)
        self.y, self.atol = np.empty((n, width)), np.empty((n, width))
        self.p, self.k = np.empty((len(layout.parameters), width)), np.empty((len(layout.constants), width))
        self.due, self.next_out = np.empty(width, np.int64), np.empty(width, np.int64)
        self.refused, self.fresh = np.empty(width, bool), np.empty(width, bool)

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
        self.next_out[lanes] = 0
        self.fresh[lanes] = True
        for lane in lanes[np.isnan(self.event_times[:, chosen]).any(axis=0)]:
            self._fail(lane, Status.NOT_FINITE_AT_START, "the time of an event")

    def _keep(self, lanes: np.ndarray) -> None:
        """Cut the working arrays to `lanes`."""
        for name in ("t", "h", "due", "next_out", "refused", "fresh", "member"):
            setattr(self, name, getattr(self, name)[lanes])
        for name in ("y", "p", "k", "atol"):
            setattr(self, name, np.ascontiguousarray(getattr(self, name)[:, lanes]))

    def _next_event(self) -> np.ndarray:
        """(lane,) time of each lane's next event, infinity where there is none."""
        return self.event_times[self.due, self.member]

    def _stop_at_events(self) -> None:
        """Fire what is due at each lane's time, in the order of the calendar, and make restarted lanes ready."""
        pending = np.flatnonzero(self._next_event() <= self.t)
        while pending.size:
            events = self.event_order[self.due[pending], self.member[pending]]
            for event in np.unique(events):
                self._fire(int(event), pending[events == event])
            self.due[pending] += 1
            self.fresh[pending] = True
            pending = pending[self._next_event()[pending] <= self.t[pending]]
        if self.fresh.any():
            self._restart(np.flatnonzero(self.fresh))
            self.fresh[:] = False

    def _fire(self, event: int, lanes: np.ndarray) -> None:
        y, p = self.y[:, lanes], self.p[:, lanes]
        self.kernels.functions.fire(event, self.t[lanes], y, p, tuple(self.kernels.constants(p)))
        self.y[:, lanes], self.p[:, lanes] = y, p

    def _restart(self, lanes: np.ndarray) -> None:
        """Constants and a first step for lanes with a new member, or with values that an event has changed."""
        t, y, p = self.t[lanes], self.y[:, lanes], self.p[:, lanes]
        k, dy = self.kernels.constants(p), np.empty_like(y)
        self.kernels.functions.rhs(t, tuple(y), tuple(p), tuple(k), dy)
        self.k[:, lanes] = k
        span = self.t_end - self.batch.t_out[0]
        self.h[lanes] = first_step(t, y, dy, self.settings.rtol, self.atol[:, lanes], span)
        self.refused[lanes] = False
        good = np.isfinite(y) & np.isfinite(dy)
        for place in np.flatnonzero(~good.all(axis=0)):
            state = self.kernels.layout.states[np.argmin(good[:, place])]
            self._fail(int(lanes[place]), Status.NOT_FINITE_AT_START, f"from {state}")

    def _write_outputs_now(self) -> None:
        """Outputs that lie exactly at a lane's time: the values after the events of that time."""
        while True:
            lanes = np.flatnonzero((self.t_out[self.next_out] <= self.t) & self._well())
            if not lanes.size:
                return
            self._write(lanes, self.t[lanes], self.y[:, lanes])

    def _well(self) -> np.ndarray:
        """(lane,) whether nothing has gone wrong so far."""
        well: np.ndarray = self.results.status[self.member] == Status.OK
        return well

    def _write(self, lanes: np.ndarray, t: np.ndarray, y: np.ndarray) -> None:
        """Write one output for each of `lanes` and move their output pointers."""
        out = np.empty((len(self.kernels.layout.observables), lanes.size))
        self.kernels.functions.observe(t, tuple(y), tuple(self.p[:, lanes]), tuple(self.k[:, lanes]), out)
        self.results.y[self.next_out[lanes], :, self.member[lanes]] = out.T
        self.next_out[lanes] += 1

    def _fail(self, lane: int, status: Status, detail: str) -> None:
        member = self.member[lane]
        self.results.status[member] = status
        time = f"t = {self.t[lane]:.6g} {self.kernels.layout.time_unit}"
        self.results.cause[int(member)] = f"stopped at {time}: {status.word} ({detail}); {status.text}"

    def _retire(self) -> bool:
        """Write the end of members that arrived or failed and give their lanes to waiting ones; whether any did."""
        ended = np.flatnonzero(~self._well() | (self.t >= self.t_end))
        if not ended.size:
            return False
        self.results.end[:, self.member[ended]] = self.y[:, ended]
        self.results.stop_time[self.member[ended]] = self.t[ended]
        refill = ended[: self.batch.members - self.waiting]
        self._load(refill)
        if refill.size < ended.size:
            self._keep(np.setdiff1d(np.arange(self.member.size), ended[refill.size :]))
        return True

    def _take_step(self) -> None:
        """One step of every lane, accepted or not."""
        stop = np.minimum(self._next_event(), self.t_end)
        h, lands = _fit(self.t, self.h, stop)
        y_next, scaled, dense = self.step.advance(self.t, h, self.y, self.p, self.k, self.settings.rtol, self.atol)
        norm = error_norm(scaled)
        factor = step_factor(norm, self.settings.tableau.order, self.refused)
        accepted = norm <= 1
        t_next = np.where(lands, stop, self.t + h)
        self._write_outputs_between(accepted, h, np.where(accepted, t_next, self.t), y_next, dense)
        # A step cut short by a stop says nothing against the size that was planned.
        planned = np.where(accepted & lands & (factor >= 1), np.maximum(self.h, h * factor), h * factor)
        self.y = np.where(accepted, y_next, self.y)
        self.t = np.where(accepted, t_next, self.t)
        self.h, self.refused = planned, ~accepted
        self._count(accepted)
        self._give_up(scaled)

    def _count(self, accepted: np.ndarray) -> None:
        self.results.steps[self.member] += 1
        self.results.rejected[self.member] += ~accepted

    def _give_up(self, scaled: np.ndarray) -> None:
        """Fail lanes whose step size fell to rounding level, or that took too many steps."""
        tiny = self.h < smallest_step(self.t, self.t_end - self.batch.t_out[0])
        long = self.results.steps[self.member] >= self.settings.max_steps
        for lane in np.flatnonzero((tiny | long) & (self.t < self.t_end)):
            error = np.where(np.isfinite(scaled[:, lane]), scaled[:, lane], np.inf)
            worst = int(np.argmax(error))
            state = self.kernels.layout.states[worst]
            detail = f"step {self.h[lane]:.2g}; error {error[worst]:.2g} x tolerance, from {state}"
            self._fail(int(lane), Status.STEP_TOO_SMALL if tiny[lane] else Status.TOO_MANY_STEPS, detail)

    def _write_outputs_between(
        self, accepted: np.ndarray, h: np.ndarray, t_next: np.ndarray, y_next: np.ndarray, dense: np.ndarray
    ) -> None:
        """Outputs strictly inside an accepted step, from the method's continuous extension."""
        lanes = np.flatnonzero(accepted & (self.t_out[self.next_out] < t_next))
        if not lanes.size:
            return
        dense = dense[:, :, lanes]
        y0, y1 = self.y[:, lanes], y_next[:, lanes]
        active = np.arange(lanes.size)
        while active.size:
            now = lanes[active]
            at = self.t_out[self.next_out[now]]
            theta = (at - self.t[now]) / h[now]
            inner = dense[-1][:, active]
            for row in reversed(dense[:-1]):
                inner = row[:, active] + theta * inner
            # In this form a state that does not move keeps its bits.
            y = y0[:, active] + theta * ((y1 - y0)[:, active] + (1 - theta) * inner)
            self._write(now, at, y)
            active = active[self.t_out[self.next_out[now]] < t_next[now]]


def _calendar(kernels: Kernels, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """(occurrence, member) times of all timed events in order, closed by infinity, and which event each one is.

    Events of one time keep the order of the model.
    """
    layout: Layout = kernels.layout
    events, members = len(layout.events), batch.members
    constants = kernels.constants(batch.parameters)
    first, every = np.empty((events, members)), np.empty((events, members))
    kernels.functions.event_times(tuple(batch.parameters), tuple(constants), first, every)
    times = [first[event] + turn * every[event] for event in range(events) for turn in range(layout.events[event])]
    which = [event for event in range(events) for _ in range(layout.events[event])]
    occurrences = _snapped(np.array([*times, np.full(members, np.inf)]), batch.t_out)
    order = np.argsort(occurrences, axis=0, kind="stable")
    return np.take_along_axis(occurrences, order, axis=0), np.array([*which, -1])[order]


def _snapped(times: np.ndarray, t_out: np.ndarray) -> np.ndarray:
    """Times that miss an output time by rounding alone (3 x 0.1 against 0.3), moved onto it.

    An output at the time of an event is the value after it, however either time was computed.
    """
    near = np.clip(np.searchsorted(t_out, times), 1, len(t_out) - 1)
    before, after = t_out[near - 1], t_out[near]
    nearest = np.where(times - before < after - times, before, after)
    return np.where(np.abs(times - nearest) <= 4 * np.spacing(np.abs(nearest)), nearest, times)


def _fit(t: np.ndarray, h: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step sizes that end exactly on `stop` or stay clear of it, and which lanes land on it.

    A stop that is one step away is reached by stretching a little; one that is two steps away, by two equal halves.
    The size is what the clock will show: at t = 3000 day, t + h differs from h more than an infusion of a second may.
    """
    left = stop - t
    lands = h * 1.0001 >= left
    planned = np.where(2 * h > left, 0.5 * left, h)
    return np.where(lands, left, (t + planned) - t), lands
