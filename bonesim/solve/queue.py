"""Events that wait: what each lane's triggers have set off and what has not happened yet.

An event is *set off* when its trigger turns from false to true. How long it waits is known then, and so is what it will
set if that is taken from the trigger's time. It may be set off again while it waits, and happens as often. One that is
not persistent is taken back where its trigger turns to false before. Of those that are due together the one of highest
priority happens next, by lot among equals; then triggers are looked at again, and priorities are taken anew. Those
without priority come last, in the order of the model. SBML Level 3 Version 2 Core, sections 4.11 and 4.12.

Lots are drawn by the seed and the number of the member, so that they do not depend on what runs beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bonesim.solve.calendar import SLACK, snapped
from bonesim.solve.columns import some_of
from bonesim.system import Batch, Kernels, Rows


@dataclass(frozen=True, eq=False)
class Waiting:
    """An event that was set off: when it is due, and what it sets if that is known."""

    event: int
    due: float
    values: np.ndarray | None


class Queue:
    """What waits in the lanes of a batch run.

    due : (lane,) when something is next due, infinity where nothing waits
    count : how many events wait in all lanes together
    undefined : lanes with an event whose delay or priority is none, since they were last asked for
    """

    def __init__(self, kernels: Kernels, batch: Batch, seed: int, width: int) -> None:
        self.functions, self.layout, self.events = kernels.functions, kernels.layout, kernels.layout.queue
        self.t_out, self.first, self.seed = batch.t_out, batch.first, seed
        self.steady = all(not event.ranked or event.rank is not None for event in self.events)
        self.true = np.zeros((len(self.events), width), bool)
        self.begun, self.begins, self.due = np.zeros(width, bool), True, np.full(width, np.inf)
        self.member, self.count = np.zeros(width, np.int64), 0
        self.waiting: list[list[Waiting]] = [[] for _ in range(width)]
        self.chosen: list[Waiting | None] = [None] * width
        self.lots: list[np.random.Generator | None] = [None] * width
        self.undefined: list[tuple[int, int]] = []

    def load(self, lanes: np.ndarray, members: np.ndarray) -> None:
        """New members for `lanes`: nothing waits."""
        self.true[:, lanes] = np.reshape(self.layout.initially, (-1, 1))
        self.begun[lanes], self.begins = False, True
        self.member[lanes] = self.first + members
        for lane in lanes.tolist():
            self._keep_waiting(lane, [])
            self.lots[lane] = None

    def keep(self, lanes: np.ndarray) -> None:
        """Cut to `lanes`."""
        self.true = self.true.take(lanes, axis=1)
        self.begun, self.due, self.member = self.begun[lanes], self.due[lanes], self.member[lanes]
        for name in ("waiting", "chosen", "lots"):
            setattr(self, name, [getattr(self, name)[lane] for lane in lanes])
        self.count = sum(map(len, self.waiting))

    def stop(self, other: np.ndarray) -> np.ndarray:
        """(lane,) where a step has to end: where something is due, or at another stop; the later, if they are one."""
        if not self.count:
            return other
        same = np.abs(self.due - other) <= SLACK * np.spacing(np.abs(other))
        stop: np.ndarray = np.where(same, np.maximum(self.due, other), np.minimum(self.due, other))
        return stop

    def look(self, lanes: np.ndarray, now: np.ndarray, t: np.ndarray, y: Rows, p: Rows, k: Rows) -> None:
        """See which triggers have turned in `lanes`, now (event, lane): what they set off waits, or is taken back."""
        some = some_of(lanes, self.due.size)
        before = self.true[:, some]
        if self.begins:
            # What is false at the start alone, as `t > 0` is at 0, happens right after it.
            true = np.empty(now.shape)
            self.functions.true(t, y, p, k, true)
            before = np.where(self.begun[some], before, before & (true > 0))
            self.begun[some] = True
            self.begins = not self.begun.all()
        events, places = (now != before).nonzero()
        self.true[:, some] = now
        rose: dict[int, list[int]] = {}
        for event, place, rises in zip(events.tolist(), places.tolist(), now[events, places].tolist(), strict=True):
            if rises:
                rose.setdefault(event, []).append(place)
            elif not self.events[event].persistent:
                lane = int(lanes[place])
                self._keep_waiting(lane, [one for one in self.waiting[lane] if one.event != event])
        if rose:
            self._set_off(rose, lanes, t, y, p, k)

    def _set_off(self, rose: dict[int, list[int]], lanes: np.ndarray, t: np.ndarray, y: Rows, p: Rows, k: Rows) -> None:
        """Let events wait, each in the lanes at its places among `lanes`."""
        delays = np.zeros((len(self.events), t.size))
        if any(self.events[event].delayed for event in rose):
            self.functions.delays(t, y, p, k, delays)
        for event, places in rose.items():
            about = self.events[event]
            due = snapped(t + delays[event], self.t_out) if about.delayed else t
            values = self._values(event, t, y, p, k) if about.from_trigger_time else None
            for place in places:
                lane = int(lanes[place])
                if not due[place] >= t[place]:
                    self.undefined.append((lane, event))
                    continue
                kept = None if values is None else values[:, place]
                self._keep_waiting(lane, [*self.waiting[lane], Waiting(event, float(due[place]), kept)])

    def is_due(self, t: np.ndarray) -> np.ndarray:
        """(lane,) whether something is due, but for what rounding does to times."""
        due: np.ndarray = self.due <= _soon(t)
        return due

    def next(self, lanes: np.ndarray, t: np.ndarray, y: Rows, p: Rows, k: Rows) -> np.ndarray:
        """(lane,) the event that happens next in each of `lanes`, in all of which one is due; it waits no more."""
        ranks: list[list[float]] = []
        events = np.empty(lanes.size, np.int64)
        for place, (lane, soon) in enumerate(zip(lanes.tolist(), _soon(t).tolist(), strict=True)):
            due = [one for one in self.waiting[lane] if one.due <= soon]
            if len(due) == 1:
                one = due[0]
            else:
                ranks = ranks or self._ranks(t, y, p, k)
                one = self._first(lane, due, ranks[place])
            self._keep_waiting(lane, [other for other in self.waiting[lane] if other is not one])
            self.chosen[lane], events[place] = one, one.event
        return events

    def _ranks(self, t: np.ndarray, y: Rows, p: Rows, k: Rows) -> list[list[float]]:
        """Of each lane the priorities of all events as they are now."""
        if self.steady:
            return [[event.rank or 0.0 for event in self.events]] * t.size
        ranks = np.full((len(self.events), t.size), -np.inf)
        self.functions.priorities(t, y, p, k, ranks)
        by_lane: list[list[float]] = ranks.T.tolist()
        return by_lane

    def _first(self, lane: int, due: list[Waiting], ranks: list[float]) -> Waiting:
        ranked = [one for one in due if self.events[one.event].ranked]
        if not ranked:
            return min(due, key=lambda one: one.event)
        self.undefined += [(lane, one.event) for one in ranked if math.isnan(ranks[one.event])]
        highest = max(ranks[one.event] for one in ranked)
        equal = [one for one in ranked if ranks[one.event] == highest] or ranked
        return equal[0] if len(equal) == 1 else equal[self._lot(lane).integers(len(equal))]

    def _lot(self, lane: int) -> np.random.Generator:
        lot = self.lots[lane]
        if lot is None:
            lot = self.lots[lane] = np.random.default_rng([self.seed, int(self.member[lane])])
        return lot

    def carry_out(self, event: int, lanes: np.ndarray, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: Rows) -> None:
        """Set in `y` and `p` of `lanes` what the event that was next in each of them sets."""
        chosen = [self.chosen[lane] for lane in lanes]
        kept = [one.values for one in chosen if one is not None and one.values is not None]
        values = np.array(kept).T if kept else self._values(event, t, y, p, k)
        if self.events[event].scaled:
            factors = np.ones_like(values)
            self.functions.factors(event, t, y, p, k, factors)
            values *= factors
        for (array, row), value in zip(self.events[event].targets, values, strict=True):
            (y if array == "y" else p)[row] = value

    def _values(self, event: int, t: np.ndarray, y: Rows, p: Rows, k: Rows) -> np.ndarray:
        values = np.empty((len(self.events[event].targets), t.size))
        self.functions.values(event, t, y, p, k, values)
        return values

    def _keep_waiting(self, lane: int, waiting: list[Waiting]) -> None:
        self.count += len(waiting) - len(self.waiting[lane])
        self.waiting[lane] = waiting
        self.due[lane] = min([one.due for one in waiting]) if waiting else np.inf


def _soon(t: np.ndarray) -> np.ndarray:
    """Times that no more than rounding tells from `t`, the last of them."""
    soon: np.ndarray = t + SLACK * np.spacing(np.abs(t))
    return soon
