"""The field whose zeros are sought, how near a point is to one, and what is found there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from bonesim.solve.controller import TINIEST
from bonesim.solve.laws import ROUNDING, conserved
from bonesim.solve.linear import apply
from bonesim.solve.status import Status
from bonesim.system import Batch, Kernels, Rows


class Stability(IntEnum):
    """What becomes of a small disturbance: it dies out, stays (that of a conserved total, for example), or grows."""

    UNKNOWN = -1
    STABLE = 0
    NEUTRAL = 1
    UNSTABLE = 2


@dataclass(frozen=True)
class Character:
    """The eigenvalues of the Jacobian at a point, in short.

    growth : (member,) largest real part, those of conserved totals left out; 0 where it is 0 within rounding
    conserved : (member,) number of conserved totals
    """

    growth: np.ndarray
    conserved: np.ndarray

    @property
    def stability(self) -> np.ndarray:
        """(member,) codes of `Stability`."""
        quiet = np.where((self.growth < 0) & (self.conserved == 0), Stability.STABLE, Stability.NEUTRAL)
        known = np.where(self.growth > 0, Stability.UNSTABLE, quiet)
        codes: np.ndarray = np.where(np.isnan(self.growth), Stability.UNKNOWN, known).astype(np.int8)
        return codes


@dataclass(frozen=True)
class Field:
    """Rates of some members, with a pull to the conserved totals of their initial values; see `steady`.

    home, atol : (state, member)
    moves : (state, 1) 0 for a state that is held where it is, else 1
    laws : (member, state, state) projectors; pull : (member,) kappa, 1/time
    """

    kernels: Kernels
    t: np.ndarray
    p: np.ndarray
    k: np.ndarray
    home: np.ndarray
    rtol: float
    atol: np.ndarray
    moves: np.ndarray
    laws: np.ndarray
    pull: np.ndarray

    @classmethod
    def of(cls, kernels: Kernels, batch: Batch, rtol: float, atol: np.ndarray, held: Collection[str]) -> Field:
        """The field of a batch, states in `held` held, no law known yet."""
        n, members = batch.initial.shape
        p = batch.parameters
        t = np.full(members, batch.t_out[0])
        laws = np.zeros((members, n, n))
        moves = np.array([float(state not in held) for state in kernels.layout.states]).reshape(-1, 1)
        return cls(kernels, t, p, kernels.constants(p), batch.initial, rtol, atol, moves, laws, np.zeros(members))

    def part(self, lanes: np.ndarray) -> Field:
        """Some of the members."""

        def columns(rows: np.ndarray) -> np.ndarray:
            return np.ascontiguousarray(rows[:, lanes])

        return Field(
            self.kernels,
            self.t[lanes],
            columns(self.p),
            columns(self.k),
            columns(self.home),
            self.rtol,
            columns(self.atol),
            self.moves,
            self.laws[lanes],
            self.pull[lanes],
        )

    def with_laws(self) -> Field:
        """The field with its conserved totals found."""
        laws, pull = conserved(self.at, self.home)
        return replace(self, laws=laws, pull=pull)

    def known(self, y: np.ndarray) -> Rows:
        """Constants and, where rates hold conditions, what these are at `y`."""
        if not self.kernels.layout.switches:
            return tuple(self.k)
        k = self.k.copy()
        self.kernels.functions.settle(self.t, tuple(y), tuple(self.p), k)
        return tuple(k)

    def observe(self, y: np.ndarray) -> np.ndarray:
        """(observable, member) the quantities asked for."""
        out = np.empty((len(self.kernels.layout.observables), y.shape[1]))
        self.kernels.functions.observe(self.t, tuple(y), tuple(self.p), self.known(y), out)
        return out

    def rates(self, y: np.ndarray) -> np.ndarray:
        """(state, member) rates with the pull."""
        dy = np.empty_like(y)
        self.kernels.functions.rhs(self.t, tuple(y), tuple(self.p), self.known(y), dy)
        pulled: np.ndarray = self.moves * dy - self.pull * apply(self.laws, y - self.home)
        return pulled

    def at(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates (state, member), and their Jacobian (member, state, state)."""
        n, members = y.shape
        jacobian, by_time = np.zeros((members, n, n)), np.zeros((n, members))
        self.kernels.functions.jacobian(self.t, tuple(y), tuple(self.p), self.known(y), jacobian, by_time)
        return self.rates(y), self.moves * jacobian - self.pull[:, None, None] * self.laws

    def drifts(self, y: np.ndarray) -> np.ndarray:
        """(member,) whether a rate changes with time itself, so that what rests now will not."""
        n, members = y.shape
        jacobian, by_time = np.zeros((members, n, n)), np.zeros((n, members))
        if not self.kernels.layout.autonomous:
            self.kernels.functions.jacobian(self.t, tuple(y), tuple(self.p), self.known(y), jacobian, by_time)
        drifting: np.ndarray = (self.moves * by_time != 0).any(axis=0)
        return drifting

    def tolerance(self, y: np.ndarray) -> np.ndarray:
        """(state, member) atol + rtol |y|."""
        tolerance: np.ndarray = self.atol + self.rtol * np.abs(y)
        return tolerance

    def size(self, y: np.ndarray) -> np.ndarray:
        """(state, member) what counts as the size of a state."""
        return self.tolerance(y) / self.rtol

    def reach(self, jacobian: np.ndarray, y: np.ndarray) -> np.ndarray:
        r"""(state, member) what a rate changes by when one state moves by its tolerance.

        .. math:: \max_j |J_{ij}| (a_j + r |y_j|)

        with a = atol and r = rtol.
        """
        reach: np.ndarray = (np.abs(jacobian) * self.tolerance(y).T[:, None, :]).max(axis=2, initial=0.0).T
        return reach

    def shares(self, rates: np.ndarray, jacobian: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(state, member) rates over their `reach`; a rate that depends on no state has to be 0."""
        reach = np.maximum(self.reach(jacobian, y), TINIEST)
        share: np.ndarray = np.where(rates == 0, 0.0, np.abs(rates) / reach)
        return share

    def residual(self, rates: np.ndarray, jacobian: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(member,) the largest of the `shares`; at rest at most 1."""
        worst: np.ndarray = self.shares(rates, jacobian, y).max(axis=0, initial=0.0)
        return worst

    def at_rest(self, y: np.ndarray) -> np.ndarray:
        """(member,) whether the rates are 0 within the tolerance."""
        resting: np.ndarray = self.residual(*self.at(y), y) <= 1
        return resting

    def finite(self, y: np.ndarray) -> np.ndarray:
        """(member,) whether states, rates and slopes are numbers."""
        rates, jacobian = self.at(y)
        good: np.ndarray = np.isfinite([y, rates]).all(axis=(0, 1)) & np.isfinite(jacobian).all(axis=(1, 2))
        return good

    def culprit(self, y: np.ndarray, member: int) -> str:
        """The first state of a member whose value, rate or slope is no number."""
        rates, jacobian = self.at(y)
        good = np.isfinite(self.home) & np.isfinite(y) & np.isfinite(rates) & np.isfinite(jacobian).all(axis=2).T
        return f"from {self.kernels.layout.states[int(np.argmin(good[:, member]))]}"

    def first_step(self, y: np.ndarray) -> np.ndarray:
        """(member,) a hundredth of the time in which the fastest state changes by its own size."""
        fastest = (np.abs(self.rates(y)) / np.maximum(self.size(y), TINIEST)).max(axis=0, initial=0.0)
        return np.asarray(0.01 / np.maximum(fastest, TINIEST))


@dataclass(frozen=True)
class Rest:
    """The rest of every member of a batch; NaN where none was found.

    y : (state, member); observed : (observable, member); residual : (member,) as in `Field.residual`
    character : of the Jacobian there; drifts : (member,) whether a rate changes with time itself, which stands still
    followed : (member,) whether the way there was followed; status : (member,) codes of `Status`; cause : in words
    """

    y: np.ndarray
    observed: np.ndarray
    residual: np.ndarray
    character: Character
    drifts: np.ndarray
    followed: np.ndarray
    status: np.ndarray
    cause: dict[int, str] = field(default_factory=dict)

    @classmethod
    def unknown(cls, kernels: Kernels, batch: Batch) -> Rest:
        """Nothing found yet."""
        members = batch.members
        nothing = np.full(members, np.nan)
        return cls(
            y=np.full(batch.initial.shape, np.nan),
            observed=np.full((len(kernels.layout.observables), members), np.nan),
            residual=nothing.copy(),
            character=Character(nothing.copy(), np.zeros(members, np.int64)),
            drifts=np.zeros(members, bool),
            followed=np.zeros(members, bool),
            status=np.zeros(members, np.int8),
        )

    def fail(self, member: int, status: Status, detail: str) -> None:
        """A member without a rest."""
        self.status[member] = status
        self.cause[member] = f"found no rest: {status.word} ({detail}); {status.text}"

    def fill(self, near: Field, y: np.ndarray, members: np.ndarray, found: np.ndarray, followed: np.ndarray) -> None:
        """Write the rests `y` of `members`, and why the others have none."""
        rates, jacobian = near.at(y)
        residual, character = near.residual(rates, jacobian, y), assess(near, y)
        for lane, member in enumerate(members):
            if not found[lane]:
                why = _why(near.part(np.array([lane])), y[:, [lane]], character.growth[lane])
                self.fail(int(member), Status.NO_REST, why)
        good = members[found]
        self.drifts[good] = near.drifts(y)[found]
        self.observed[:, good] = near.observe(y)[:, found]
        self.y[:, good], self.residual[good], self.followed[good] = y[:, found], residual[found], followed[found]
        self.character.growth[good] = character.growth[found]
        self.character.conserved[good] = character.conserved[found]


def assess(near: Field, y: np.ndarray) -> Character:
    """Growth of disturbances at `y`, NaN where the Jacobian is no number; conserved totals are counted.

    States that are held are disturbed by nothing, and are no totals.
    """
    _, jacobian = near.at(y)
    size = np.maximum(near.size(y), TINIEST).T
    scaled = jacobian * size[:, None, :] / size[:, :, None]
    totals = np.rint(np.trace(near.laws, axis1=1, axis2=2)).astype(np.int64)
    growth = np.full(len(scaled), np.nan)
    good = np.isfinite(scaled).all(axis=(1, 2))
    if good.any() and scaled.shape[1]:
        values = np.linalg.eigvals(scaled[good])
        largest, zero = values.real.max(axis=1), ROUNDING * np.abs(values).max(axis=1)
        growth[good] = np.where(np.abs(largest) <= zero, 0.0, largest)
    # With every direction conserved nothing is left that could grow or die out.
    return Character(np.where(totals == scaled.shape[1], 0.0, growth), totals - np.count_nonzero(near.moves == 0))


def _why(one: Field, y: np.ndarray, growth: float) -> str:
    """Why the point (state, 1) at which the search for one member ended is no rest, in words."""
    rates, jacobian = one.at(y)

    def moving(share: np.ndarray) -> tuple[int, str]:
        worst = int(np.argmax(np.where(np.isfinite(share[:, 0]), share[:, 0], np.inf)))
        unit = one.kernels.layout.time_unit
        return worst, f"{rates[worst, 0]:.3g} {'an' if unit == 'hour' else 'a'} {unit} at {y[worst, 0]:.3g}"

    states, pattern = one.kernels.layout.states, one.kernels.layout.pattern
    share = one.shares(rates, jacobian, y)
    if not share.max(initial=0.0) <= 1:
        worst, speed = moving(share)
        unread = "" if any(column == worst for _, column in pattern) else ", and no rate reads it: hold it"
        return f"{states[worst]} still moves: {speed}{unread}"
    if growth > 0:
        return "the rest that was found is unstable, and nothing comes to it"
    # A rate that is small only beside what its state has become does not die out.
    share = one.shares(rates, jacobian, one.home)
    if share.max(initial=0.0) <= 1:
        return "rests lie on a line, and which one is reached depends on the way there"
    worst, speed = moving(share)
    return f"{states[worst]} drifts without end: {speed}, far from {one.home[worst, 0]:.3g} where it began"
