"""The contract between generated code and the solver: what a model looks like once only arrays are left.

Vectors of a batch are (row, member), the member last and contiguous, so that one row is a whole vector;
matrices are (member, state, state), as batched linear algebra wants them. Nothing here knows biology.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

FASTER = 1e20
"""How much faster fast states are than their rates say: what is missing to infinity is lost in rounding."""


class Rows(Protocol):
    """Rows of a (row, member) array, unpacked once and used many times, or made when they are first read."""

    def __len__(self) -> int: ...
    def __getitem__(self, row: int, /) -> np.ndarray: ...
    def __iter__(self) -> Iterator[np.ndarray]: ...


class Written(Rows, Protocol):
    """Rows that are written to."""

    def __setitem__(self, row: int, values: np.ndarray, /) -> None: ...


@dataclass(frozen=True)
class Queued:
    """What the queue has to know of a state event.

    delayed, ranked : whether it has a delay, a priority
    rank : the priority, where that is a number
    persistent, from_trigger_time : as `model.ode.StateEvent` has them
    scaled : whether values are multiplied by factors when they are set
    targets : what it sets, in the order of its values: ("y", row) or ("p", row)
    """

    delayed: bool
    ranked: bool
    rank: float | None
    persistent: bool
    from_trigger_time: bool
    scaled: bool
    targets: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Layout:
    """Names and units of the rows of the arrays a kernel works on.

    Rows of `k` are the constants, then the switches (conditions that keep their value during a step), then whether
    the trigger of each state event is true. A located switch is on the wrong side where it is 1 and its root function
    is below 0, or 0 and above; a timed one turns at the time that `stops` gives, if that is still to come. Where there
    are lags, `solve.delayed` fills in the rows behind: which history is the member's, and of each lag its value, its
    slope and whether it is not delayed at all.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    constants: tuple[str, ...]  # what depends on parameters alone, computed once a segment
    events: tuple[int, ...]  # how often each timed event happens
    pattern: tuple[tuple[int, int], ...]  # entries of the Jacobian that are not always zero
    drifting: tuple[int, ...]  # rows of states whose rate depends on time itself
    time_unit: str
    switches: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()  # the text of each switch, for messages
    located: tuple[int, ...] = ()  # which switches `roots` has a function of, in its order
    timed: int = 0  # how many switches `stops` has a time of
    initially: tuple[bool, ...] = ()  # of each state event, whether its trigger counts as true before the start
    happenings: tuple[str, ...] = ()  # ids of what `fire` knows: timed events, then state events
    terminal: tuple[bool, ...] = ()  # whether each of them ends the member
    shows_all: bool = False  # whether outputs rest on every state
    algebraic: tuple[int, ...] = ()  # rows of states whose rate is a residual that stays 0, in order of elimination
    fast: tuple[int, ...] = ()  # rows of states whose rate holds a part that is multiplied by FASTER
    factors: int = 0  # rows of L and U; none where the matrix of a step is inverted instead
    queue: tuple[Queued, ...] = ()  # each state event, where they wait in a queue
    lags: tuple[tuple[str, str, str], ...] = ()  # names of delayed values, their slopes, and whether tau is 0
    steady: tuple[bool, ...] = ()  # of each lag, whether its delay rests on parameters alone
    followed: tuple[int, ...] = ()  # lags on which rates or root functions rest
    deep: tuple[bool, ...] = ()  # of each lag, whether what it delays is delayed itself
    jumping: tuple[int, ...] = ()  # rows of parameters that events set
    moved_before: bool = False  # whether lags rest on initial assignments that depend on time

    @property
    def autonomous(self) -> bool:
        """Whether no rate depends on time itself."""
        return not self.drifting

    @cached_property
    def kept(self) -> int:
        """How many rows `k` has."""
        return self.history + (1 + 3 * len(self.lags) if self.lags else 0)

    @cached_property
    def history(self) -> int:
        """The row of `k` that says which history is a member's, where there are lags."""
        return len(self.constants) + len(self.switches) + len(self.initially)

    @cached_property
    def lagging(self) -> slice:
        """The rows of `k` that hold what is known of the lags, three of each."""
        return slice(self.history + 1, self.kept)

    @cached_property
    def switching(self) -> bool:
        """Whether there are conditions: switches, or triggers of state events."""
        return bool(self.switches or self.initially)

    @property
    def settles(self) -> bool:
        """Whether something has to be made to fit the states when they change: conditions, constraints, equilibria."""
        return self.switching or bool(self.algebraic or self.fast)

    @cached_property
    def triggers(self) -> slice:
        """The rows of `k` that hold the triggers."""
        return slice(self.history - len(self.initially), self.history)

    @cached_property
    def turning(self) -> list[int]:
        """The rows of `k` that hold the located switches."""
        return [len(self.constants) + row for row in self.located]


class Functions(Protocol):
    """What a back end generates from a model. All write into arrays that the caller owns.

    `t` is (member,); `y`, `p`, `k`, `dy`, `out` are rows over members of states, parameters, constants with switches
    and triggers, rates and observables; `jacobian` is (member, state, state) with zeros where the pattern has none.
    """

    def initialise(self, p: np.ndarray, y: np.ndarray) -> None:
        """Initial assignments: fills computed rows of `p`, and `y`."""

    def constants(self, p: Rows, k: np.ndarray) -> None:
        """Everything that depends on parameters alone."""

    def jumped(self, event: int, p: Rows, k: np.ndarray) -> None:
        """What of it depends on parameters that an event sets: timed ones by their number, then state events."""

    def rhs(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray) -> None:
        """Rates of change."""

    def jacobian(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, jacobian: np.ndarray, by_time: np.ndarray) -> None:
        """Derivatives of the rates by states and by time."""

    def start(
        self, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: np.ndarray, slopes: np.ndarray, by_time: np.ndarray
    ) -> None:
        """Rates and their derivatives at once, those by states as rows of the layout's pattern, (entry, member)."""

    def factor(self, shift: np.ndarray, slopes: Rows, lu: Rows) -> None:
        """L and U of shift M - J into `lu`, (layout.factors, member); `shift` is (member,).

        M is the identity, but for zeros in algebraic rows.
        """

    def solve(self, slopes: Rows, lu: Rows, x: Rows) -> None:
        """The right-hand side `x` (state, member) becomes the solution; both exist where the layout has factors."""

    def observe(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """The quantities asked for."""

    def event_times(self, p: Rows, k: Rows, times: np.ndarray, every: np.ndarray) -> None:
        """First time and interval of each timed event, (event, member)."""

    def fire(self, event: int, t: np.ndarray, y: np.ndarray, p: np.ndarray, k: Rows) -> None:
        """Apply one event to `y` and `p` in place: timed ones by their number, then state events that do not queue."""

    def true(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, true: np.ndarray) -> None:
        """Triggers at this very time, as they are written, (state event, member); only for a queue, as the next four.

        A switch has the value from its turn on instead: `t > 0` is false at 0, and its switch is true there.
        """

    def delays(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, delays: np.ndarray) -> None:
        """How long state events that turn now wait, (state event, member); rows of those without delay are left."""

    def priorities(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, priorities: np.ndarray) -> None:
        """Priorities as they are now, (state event, member); rows of those without one are left."""

    def values(self, event: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, values: np.ndarray) -> None:
        """What a state event sets its targets to, (target, member), nothing set so far."""

    def factors(self, event: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, factors: np.ndarray) -> None:
        """By what those values are multiplied when they are set, (target, member); rows of the others are left."""

    def settle(self, t: np.ndarray, y: Rows, p: Rows, k: Written) -> None:
        """Switches and triggers as they are now, into their rows of `k`; only where the layout has any, as below."""

    def roots(self, t: np.ndarray, y: Rows, p: Rows, k: Rows, g: np.ndarray) -> None:
        """The root function of each located switch, (located switch, member)."""

    def stops(self, p: Rows, k: Rows, stops: np.ndarray) -> None:
        """When each timed switch turns next, (timed switch, member); in the past, infinite or NaN for never."""

    def ago(self, lag: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """How long ago the value of a lag is from; only where the layout has lags, as below."""

    def ago_then(self, lag: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """The same at a past time: with conditions as written, not as they are held."""

    def past(self, lag: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, dy: Rows, out: np.ndarray) -> None:
        """What a lag delays and its derivative by time, at a time, from states, their rates, and lags of that time."""

    def before(self, lag: int, t: np.ndarray, y: Rows, p: Rows, k: Rows, out: np.ndarray) -> None:
        """The same at a time before the start, from initial values."""


class Results(Protocol):
    """Where a compiled loop writes; shapes and meanings are those of `solve.Solution`, all in one piece of memory.

    y : (time, observable, member), float64 or float32, the transpose of an array in C order; end, atol : (state,
    member); status : int8; stop_time : float64; steps, rejected : int32; fault : (3, member) float32
    """

    @property
    def y(self) -> np.ndarray: ...
    @property
    def end(self) -> np.ndarray: ...
    @property
    def atol(self) -> np.ndarray: ...
    @property
    def status(self) -> np.ndarray: ...
    @property
    def stop_time(self) -> np.ndarray: ...
    @property
    def steps(self) -> np.ndarray: ...
    @property
    def rejected(self) -> np.ndarray: ...
    @property
    def fault(self) -> np.ndarray: ...


class Loop(Protocol):
    """The whole loop over the members of a batch by one method, as compiled by a back end."""

    method: str

    def run(self, batch: Batch, results: Results, *, rtol: float, max_steps: int, threads: int) -> None:
        """Solve every member by the rules of `solve.driver`, members shared out among `threads`."""


@dataclass(frozen=True)
class Kernels:
    """Generated functions with their layout and the file in which they can be read.

    A back end that has compiled the loop over members gives it as `loop`; otherwise the solver runs its own.
    """

    layout: Layout
    functions: Functions
    backend: str
    source_file: Path | None
    loop: Loop | None = None

    def constants(self, p: np.ndarray) -> np.ndarray:
        """(row of k, member) what depends on the parameters `p` (parameter, member) alone; switches and triggers 0."""
        k = np.zeros((self.layout.kept, p.shape[1]))
        self.functions.constants(tuple(p), k)
        return k


@dataclass(frozen=True)
class Batch:
    """What the solver is handed: members that differ in parameters and initial values.

    parameters : (parameter, member), computed rows already filled
    initial : (state, member)
    t_out : (time,), increasing, each at most twice (before and after its events); the first is the start, the last
        the end
    first : number of the first member: lots of a member are drawn by its number
    """

    parameters: np.ndarray
    initial: np.ndarray
    t_out: np.ndarray
    first: int = 0

    def part(self, members: slice) -> Batch:
        """Some of the members, one after the other."""
        first = self.first + members.indices(self.members)[0]
        return Batch(self.parameters[:, members], self.initial[:, members], self.t_out, first)

    @property
    def members(self) -> int:
        """How many members the batch has."""
        return int(self.parameters.shape[1])
