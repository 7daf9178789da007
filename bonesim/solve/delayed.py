"""Models with delayed values: the functions of a model with its lags filled in, and the step that they need.

A lag is an expression at the time s = t - tau, of states that the history has. Its slope, the derivative of that
expression by s, goes into the Jacobian and into the derivative by time, so that a step keeps the order of its method.
Where s lies within the step itself, the course of the step is put in its own place again and again until it stays.
A lag is looked up when a function first reads it: rates that rest on none cost what they cost without delays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.solve.breaks import Breaks
from bonesim.solve.columns import EVERYONE, Columns, Some, some_of
from bonesim.solve.controller import TINIEST
from bonesim.solve.course import Course
from bonesim.solve.history import History, Within
from bonesim.solve.step import PlainStep
from bonesim.system import Batch, Kernels, Rows, Written

TURNS = 30
"""Of a step in its own place before it is refused."""

SETTLED = 1e-2
"""By how much of the tolerance a state may still change when the turns end."""

LONGER = 4.0
"""By how many times a step is longer than the shortest delay that is not cut to it; less than steps grow by at once."""

SIDE = 8.0
"""Units in the last place by which a past time is moved to one side, so that it lies on one side of a jump."""


class Delayed:
    """The functions of a model whose lags are filled in from the histories of its members.

    A lane's history is told by its row `layout.history` of k. `within` is the step that is under way, as far as it is
    known; `spans` notes histories of which a lag lay within it.
    """

    def __init__(self, kernels: Kernels, batch: Batch, rows: int, histories: int) -> None:
        self.kernels, self.functions, self.layout, self.batch = kernels, kernels.functions, kernels.layout, batch
        if self.layout.moved_before and batch.t_out[0] != 0:
            problem = (
                f"the past of initial assignments that depend on time is that before 0, not before {batch.t_out[0]:g}"
            )
            raise InputError(problem, place=Place(key="times"), remedy="begin at 0")
        n = len(self.layout.states)
        self.history = History(n, len(self.layout.jumping), rows, histories)
        self.within = Within(n, rows, histories)
        self.breaks = Breaks(histories)
        self.begins, self.spans = np.full(histories, batch.t_out[0]), np.zeros(histories, bool)
        self.member, self.constants_then = np.zeros(histories, np.int64), np.empty((self.layout.kept, histories))
        self.reach, self.shortest = np.empty(histories), np.empty(histories)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.functions, name)

    def begin(self, histories: np.ndarray, members: np.ndarray) -> None:
        """Histories of members that are about to start."""
        self.member[histories], self.begins[histories] = members, self.batch.t_out[0]
        p, y = self.batch.parameters[:, members], self.batch.initial[:, members]
        k = self.kernels.constants(p)
        self.constants_then[:, histories] = k
        self.history.clear(histories)
        self.within.known[histories] = False
        t, out = np.full(members.size, self.batch.t_out[0]), np.full((1, members.size), np.nan)
        delays = np.full((len(self.layout.lags), members.size), np.nan)
        for lag in np.flatnonzero(self.layout.steady):
            self.functions.ago(int(lag), t, tuple(y), tuple(p), tuple(k), out)
            delays[lag] = out[0]
        # A delay of what is delayed reaches as far as both.
        furthest = delays.sum(axis=0) if any(self.layout.deep) else delays.max(axis=0)
        self.reach[histories] = np.where(np.isnan(furthest), np.inf, furthest)
        followed = delays[list(self.layout.followed)]
        self.shortest[histories] = np.min(np.where(followed > 0, followed, np.inf), axis=0, initial=np.inf)
        self.breaks.begin(histories, self.batch.t_out[0], followed)

    def fitted(self, histories: np.ndarray, h: np.ndarray) -> np.ndarray:
        """(lane,) steps, cut to the shortest delay that their courses rest on where that is not far shorter."""
        shortest = self.shortest[histories]
        return np.where((h > shortest) & (h <= LONGER * shortest), shortest, h)

    def accept(self, lanes: np.ndarray, histories: np.ndarray, course: Course, t: np.ndarray, p: np.ndarray) -> None:
        """Keep the steps of some lanes, to their ends t; p are the parameters during them, (parameter, lane)."""
        reach = self.reach[histories] * (1 + 1e-12)
        self.history.keep(lanes, histories, course, p[list(self.layout.jumping)], reach)
        self.begins[histories] = t
        self.within.known[histories] = False

    def rhs(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray) -> None:
        """Rates, as they are before what happens at t."""
        self.functions.rhs(t, y, p, self._filled(t, y, p, k, after=False), dy)

    def start(
        self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray, slopes: np.ndarray, by_time: np.ndarray
    ) -> None:
        """Rates and their derivatives, after what happens at t."""
        self.functions.start(t, y, p, self._filled(t, y, p, k, after=True), dy, slopes, by_time)

    def observe(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """The quantities asked for."""
        self.functions.observe(t, y, p, self._filled(t, y, p, k, after=True), out)

    def fire(self, event: int, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: Rows) -> None:
        """Apply one event."""
        self.functions.fire(event, t, y, p, self._filled(t, y, p, k, after=True))

    def settle(self, t: np.ndarray, y: Rows, p: Rows, k: Written) -> None:
        """Switches and triggers as they are now."""
        self.functions.settle(t, y, p, self._filled(t, y, p, k, after=True))

    def roots(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, g: np.ndarray) -> None:
        """The root functions."""
        self.functions.roots(t, y, p, self._filled(t, y, p, k, after=True), g)

    def true(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, true: np.ndarray) -> None:
        """Triggers at this very time."""
        self.functions.true(t, y, p, self._filled(t, y, p, k, after=True), true)

    def delays(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, delays: np.ndarray) -> None:
        """How long events that are set off now wait."""
        self.functions.delays(t, y, p, self._filled(t, y, p, k, after=True), delays)

    def priorities(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, priorities: np.ndarray) -> None:
        """Priorities as they are now."""
        self.functions.priorities(t, y, p, self._filled(t, y, p, k, after=True), priorities)

    def values(self, event: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, values: np.ndarray) -> None:
        """What an event sets its targets to."""
        self.functions.values(event, t, y, p, self._filled(t, y, p, k, after=True), values)

    def factors(self, event: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, factors: np.ndarray) -> None:
        """By what those values are multiplied."""
        self.functions.factors(event, t, y, p, self._filled(t, y, p, k, after=True), factors)

    def _filled(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, *, after: bool) -> Filled:
        """The rows of k with lags at t, which may stand in several rows of lanes."""

        def lag(number: int, rows: Filled) -> np.ndarray:
            out = np.empty((1, *t.shape))
            self.functions.ago(number, t, y, p, rows, out)
            histories = Spread(k, t.shape)[self.layout.history].astype(np.int64)
            beside = Spread(y, t.shape), Spread(p, t.shape), Spread(rows, t.shape)
            return self._lag(number, histories, t.ravel(), out.ravel(), *beside, after=after).reshape(3, *t.shape)

        return Filled(k, self.layout.lagging.start, lag)

    def _lag(
        self, lag: int, histories: np.ndarray, t: np.ndarray, ago: np.ndarray, y: Rows, p: Rows, k: Rows, *, after: bool
    ) -> np.ndarray:
        """(3, time) value and slope of a lag, and 1 where it is not delayed at all; NaN where the delay is negative."""
        shift = SIDE * np.spacing(np.maximum(np.abs(t), np.abs(ago)))
        s = t - ago + (shift if after else -shift)
        under_way = s > self.begins[histories]
        near = (ago >= 0) & ((ago <= shift) | (under_way & ~self.within.known[histories]))
        early = (ago >= 0) & ~near & (s < self.batch.t_out[0])
        late = (ago >= 0) & ~near & ~early
        self.spans[histories[late & under_way]] = True
        result = np.full((3, t.size), np.nan)
        result[2] = near
        if (lanes := near.nonzero()[0]).size:
            some, still, out = some_of(lanes, t.size), np.zeros((len(y), lanes.size)), np.empty((2, lanes.size))
            rows, beside = Spread(y, t.shape, some), (Spread(p, t.shape, some), Spread(k, t.shape, some))
            self.functions.past(lag, t[some], rows, *beside, still, out)
            result[0, some], result[1, some] = out[0], 0.0
        if (lanes := early.nonzero()[0]).size:
            result[:2, lanes] = self._before(lag, histories[lanes], s[lanes])
        if (lanes := late.nonzero()[0]).size:
            some = some_of(lanes, t.size)
            beside = Spread(p, t.shape, some), Spread(k, t.shape, some)
            result[:2, some] = self._past(lag, histories[some], s[some], *beside, after=after)
        # Where the slope is infinite, as that of a root of 0, error control is left to itself.
        result[1, ~np.isfinite(result[1])] = 0.0
        return result

    def _before(self, lag: int, histories: np.ndarray, s: np.ndarray) -> np.ndarray:
        """(2, time) value and slope at times before the start."""
        members, out = self.member[histories], np.empty((2, s.size))
        y, p = Columns(self.batch.initial, members), Columns(self.batch.parameters, members)
        self.functions.before(lag, s, y, p, Columns(self.constants_then, histories), out)
        return out

    def _past(self, lag: int, histories: np.ndarray, s: np.ndarray, p: Rows, k: Rows, *, after: bool) -> np.ndarray:
        """(2, time) value and slope at times since the start; p and k are those of the present."""
        y, dy, jumping = self.history.at(histories, s)
        if (under_way := (s > self.begins[histories]).nonzero()[0]).size:
            y[:, under_way], dy[:, under_way] = self.within.at(histories[under_way], s[under_way])
        if self.layout.jumping:
            now, then = s > self.begins[histories], list(p)
            for row, values in zip(self.layout.jumping, jumping, strict=True):
                then[row] = np.where(now, then[row], values)
            p, k = then, Made(lambda: self.kernels.constants(np.array(then)))
        if self.layout.deep[lag]:
            k = self._filled_then(histories, s, y, p, k, after=after)
        out = np.empty((2, s.size))
        self.functions.past(lag, s, y, p, k, dy, out)
        return out

    def _filled_then(
        self, histories: np.ndarray, s: np.ndarray, y: np.ndarray, p: Rows, k: Rows, *, after: bool
    ) -> Filled:
        """The rows of k with lags at past times, one of each history."""

        def lag(number: int, rows: Filled) -> np.ndarray:
            out = np.empty((1, s.size))
            self.functions.ago_then(number, s, y, p, rows, out)
            return self._lag(number, histories, s, out[0], y, p, rows, after=after)

        return Filled(k, self.layout.lagging.start, lag)


class Made:
    """Rows that are made when one of them is first read."""

    def __init__(self, make: Callable[[], np.ndarray]) -> None:
        self.make = make

    @cached_property
    def rows(self) -> np.ndarray:
        """All of them."""
        return self.make()

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int, /) -> np.ndarray:
        column: np.ndarray = self.rows[row]
        return column

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter(self.rows)


class Filled:
    """The rows of k, those of a lag looked up when one of them is first read.

    lag : (3, ...) value, slope and whether it is not delayed at all, from a number and these rows
    """

    def __init__(self, rows: Rows, first: int, lag: Callable[[int, Filled], np.ndarray]) -> None:
        self.rows, self.first, self.lag = rows, first, lag
        self.known: dict[int, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int, /) -> np.ndarray:
        number, part = divmod(row - self.first, 3)
        if number < 0:
            return self.rows[row]
        if number not in self.known:
            self.known[number] = self.lag(number, self)
        column: np.ndarray = self.known[number][part]
        return column

    def __setitem__(self, row: int, values: np.ndarray, /) -> None:
        self.rows[row][:] = values

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


class Spread:
    """Rows of lanes as they stand beside (..., lane) times, one time after the other; some of them, if it is said."""

    def __init__(self, rows: Rows, shape: tuple[int, ...], some: Some = EVERYONE) -> None:
        self.rows, self.shape, self.some = rows, shape, some

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int, /) -> np.ndarray:
        column = self.rows[row]
        if column.shape != self.shape:
            column = np.broadcast_to(column, self.shape)
        some: np.ndarray = column.ravel()[self.some]
        return some

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self.__getitem__, range(len(self)))


class DelayedStep:
    """A step by `PlainStep`, taken again where a lag lies within it, until its own course does not change."""

    def __init__(self, delayed: Delayed, step: PlainStep) -> None:
        self.delayed, self.step, self.algebraic = delayed, step, step.algebraic

    @property
    def slopes(self) -> np.ndarray:
        """As those of `PlainStep`, of the last step."""
        return self.step.slopes

    @property
    def stages(self) -> np.ndarray:
        """As those of `PlainStep`, of the last step."""
        return self.step.stages

    def begin(self, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: np.ndarray) -> None:
        """Where steps begin. What lags are within a step is not known before its length is."""
        self._from = t, y, p, k

    def started(self, lanes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """As `PlainStep.started`, with lags that end here."""
        t, y, p, k = self._from
        dy, slopes = np.empty((len(y), lanes.size)), np.empty((len(self.slopes), lanes.size))
        by_time = np.zeros_like(dy)
        self.delayed.start(t[lanes], tuple(y[:, lanes]), Columns(p, lanes), Columns(k, lanes), dy, slopes, by_time)
        return dy, slopes, by_time

    def advance(self, h: np.ndarray, rtol: float, atol: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `PlainStep.advance`; what does not settle has an infinite error.

        A lane that has settled keeps the course that its lags see, so that its numbers stay the same bits in what the
        other lanes still need.
        """
        delayed, within, (t, y, _, k) = self.delayed, self.delayed.within, self._from
        histories = k[delayed.layout.history].astype(np.int64)
        delayed.spans[histories] = False
        within.known[histories] = True
        within.later(lambda: within.guess(histories, t, h, y, delayed.history.rates(histories, t)))
        y_next, scaled = self._once(h, rtol, atol)
        lanes = np.flatnonzero(delayed.spans[histories])
        for _ in range(TURNS):
            if not lanes.size:
                break
            within.put(histories, self._course(h, y_next), lanes)
            before = y_next
            y_next, scaled = self._once(h, rtol, atol)
            size = np.maximum(atol + rtol * np.abs(y_next), TINIEST)
            change = np.max(np.abs(y_next - before) / size, axis=0, initial=0.0)
            lanes = lanes[~(change[lanes] <= SETTLED)]
        scaled[:, lanes] = np.inf
        course, everyone = self._course(h, y_next), np.arange(t.size)
        within.later(lambda: within.put(histories, course, everyone))
        return y_next, scaled

    def _once(self, h: np.ndarray, rtol: float, atol: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.step.begin(*self._from)
        return self.step.advance(h, rtol, atol)

    def _course(self, h: np.ndarray, y_next: np.ndarray) -> Course:
        """The last step."""
        t, y, *_ = self._from
        return Course(t, h, t + h, y, y_next, self.stages, self.step.tableau.H)
