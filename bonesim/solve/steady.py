"""Where each member of a batch rests: all rates 0, by Newton's method or by following the members there.

Both steps solve (I/h - J) d = f; Newton has h = infinity. `find_rest` begins with Newton and follows where that fails;
`relax` follows from the start, so that a member comes to the rest it would reach in time, and ends with Newton.

A conserved total makes J singular: w^T f = 0 for the same w at every point. Such w are found once, and the field is
taken as f - kappa L (y - y_0) with the projector L on them: it has the same rests, keeps the totals of y_0, and its
Jacobian J - kappa L is regular. Where J is singular for another reason, a store that nothing empties for example, there
is no correction and Newton's method gives up. No operation mixes members.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from bonesim.solve.controller import TINIEST
from bonesim.solve.linear import apply, invert_shifted
from bonesim.solve.rest import Field, Rest, assess
from bonesim.solve.settings import Settings, default_atol
from bonesim.solve.status import Status
from bonesim.system import Batch, Kernels

TOGETHER = 256
"""Members that are searched for together: enough to spread the cost of a turn, few enough for the cache."""

NEWTON_TURNS = 60
SMALLEST_DAMPING = 1e-3
SOLVED = 0.1  # part of the rates that a correction may leave; rounding leaves less unless J is singular
FOLLOWED_STEPS = 2000
BEND = 0.1  # how far the field may depart from its tangent within a step, as a part of the states
KEPT = 0.1  # what a shortened step leaves of a state that it would have turned negative

Limit = Callable[[Field, np.ndarray], np.ndarray]
Search = Callable[[Field, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def find_rest(
    kernels: Kernels, batch: Batch, settings: Settings, guess: np.ndarray | None = None, held: Collection[str] = ()
) -> Rest:
    """A rest near `guess` (state, member), or near the initial values where there is none; it may be unstable.

    The conserved totals, and the states that are `held`, are those of the initial values in any case.
    """

    def search(field: Field, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found, close = _newton(field, y)
        left = np.flatnonzero(~close)
        if left.size:
            part = field.part(left)
            found[:, left], close[left] = _polished(part, _follow(part, y[:, left]))
        return found, close, np.isin(np.arange(len(close)), left)

    return _rest(kernels, batch, settings, batch.initial if guess is None else guess, search, held)


def relax(kernels: Kernels, batch: Batch, settings: Settings, held: Collection[str] = ()) -> Rest:
    """The rest that each member comes to from its initial values, some of them `held`.

    Long steps may run into an unstable rest, which no member comes to unless it starts there. Such members are
    followed again with steps shorter than half the time in which a disturbance grows, wherever one does.
    """

    def search(field: Field, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        found, close = _polished(field, _follow(field, y))
        astray = np.flatnonzero(close & (assess(field, found).growth > 0) & ~field.at_rest(y))
        if astray.size:
            part = field.part(astray)
            found[:, astray], close[astray] = _polished(part, _follow(part, y[:, astray], _escaping))
            close[astray] &= assess(part, found[:, astray]).growth <= 0
        return found, close, np.ones(len(close), bool)

    return _rest(kernels, batch, settings, batch.initial, search, held)


def _rest(
    kernels: Kernels, batch: Batch, settings: Settings, start: np.ndarray, search: Search, held: Collection[str]
) -> Rest:
    """What `search` finds for the members that can begin, `TOGETHER` of them at a time, and what stops the others."""
    with np.errstate(all="ignore"):
        rest = Rest.unknown(kernels, batch)
        size = np.where(np.isfinite(batch.initial), np.abs(batch.initial), 0.0)
        atol = default_atol(settings.rtol, size) if settings.atol is None else np.asarray(settings.atol, float)
        atol = np.broadcast_to(atol if atol.ndim == 2 else atol.reshape(-1, 1), size.shape)
        for first in range(0, batch.members, TOGETHER):
            share = slice(first, first + TOGETHER)
            field = Field.of(kernels, batch.part(share), settings.rtol, atol[:, share], held)
            _fill(rest, field, start[:, share], search, first)
    return rest


def _fill(rest: Rest, everyone: Field, start: np.ndarray, search: Search, first: int) -> None:
    """Write what `search` finds for some members, `first` the number of the first."""
    begins = everyone.finite(start) & np.isfinite(everyone.home).all(axis=0)
    for lane in np.flatnonzero(~begins):
        rest.fail(first + int(lane), Status.NOT_FINITE_AT_START, everyone.culprit(start, int(lane)))
    lanes = np.flatnonzero(begins)
    if lanes.size:
        field = everyone.part(lanes).with_laws()
        y = np.ascontiguousarray(start[:, lanes])
        found, close, followed = search(field, y)
        resting = field.at_rest(y)
        found = np.where(close | ~resting, found, y)
        rest.fill(field, found, first + lanes, close | resting, followed)


def _newton(field: Field, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where damped Newton ends, and whether that is a rest.

    A trial is taken if the next simplified correction is shorter than this one (natural monotonicity, Deuflhard,
    Newton Methods for Nonlinear Problems, doi:10.1007/978-3-642-23899-4), otherwise the damping is halved. The last
    correction, already within the tolerance, is taken too: what is left is of the order of its square.
    """
    found, close = y.copy(), np.zeros(y.shape[1], bool)
    lanes, damping = np.arange(y.shape[1]), np.ones(y.shape[1])
    start = y
    for _ in range(NEWTON_TURNS):
        if not lanes.size:
            break
        here = field.part(lanes)
        rates, jacobian = here.at(y)
        inverse = invert_shifted(jacobian, np.zeros(lanes.size))
        step = apply(inverse, rates)
        tolerance = here.tolerance(y)
        factor = np.minimum(damping, _room(start, y, step))
        trial = y + factor * step
        again = apply(inverse, here.rates(trial))
        better = _length(again, tolerance) <= (1 - factor / 4) * _length(step, tolerance)
        known = _solves(step, rates, jacobian, here.reach(jacobian, y))
        arrived = known & (_length(step, tolerance) <= 1) & (here.residual(rates, jacobian, y) <= 1)
        y = np.where(better | arrived, trial, y)
        damping = np.where(better, np.minimum(1.0, 2 * factor), factor / 2)
        found[:, lanes] = y
        close[lanes] = arrived
        going = ~arrived & (damping >= SMALLEST_DAMPING) & known
        lanes, damping, y, start = lanes[going], damping[going], y[:, going], start[:, going]
    return found, close


def _solves(step: np.ndarray, rates: np.ndarray, jacobian: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """(member,) whether a correction d solves J d = -f, rather than only being what rounding makes of a singular J.

    Where some direction moves no rate, and the rates have a part that no move undoes, there is no correction: states
    drift along that direction for ever, and what is computed leads to where rounding swallows the drift.
    """
    solved: np.ndarray = _length(apply(jacobian, step) + rates, reach) <= SOLVED * _length(rates, reach)
    return solved


def _unlimited(field: Field, y: np.ndarray) -> np.ndarray:
    """(member,) no limit to a step."""
    return np.full(y.shape[1], np.inf)


def _escaping(field: Field, y: np.ndarray) -> np.ndarray:
    """(member,) half the time in which the fastest disturbance grows; implicit Euler damps it in longer steps."""
    growth = assess(field, y).growth
    return np.where(growth > 0, 0.5 / growth, np.inf)


def _follow(field: Field, y: np.ndarray, longest: Limit = _unlimited) -> np.ndarray:
    """Where implicit Euler with growing steps ends: near a rest, or wherever it was given up.

    A step is taken if along it the field departs from its tangent by no more than `BEND` of the states: the path bends
    where that of the member does, and where the field is nearly linear the steps grow until they are Newton's. A state
    that was positive at the start stays so. Where the determinant of I/h - J is negative, a disturbance grows faster
    than 1/h, and the step would turn it round; it is not taken. No step is longer than `longest` says at its start.
    """
    found, start = y.copy(), y
    lanes, h = np.arange(y.shape[1]), field.first_step(y)
    for _ in range(FOLLOWED_STEPS):
        here = field.part(lanes)
        rates, jacobian = here.at(y)
        going = ~(here.residual(rates, jacobian, y) <= 1) & (h > 0)
        if not going.all():
            found[:, lanes] = y
            lanes, h, y, rates, jacobian = lanes[going], h[going], y[:, going], rates[:, going], jacobian[going]
            here = field.part(lanes)
        if not lanes.size:
            return found
        h = np.minimum(h, longest(here, y))
        step = apply(invert_shifted(jacobian, 1 / h), rates)
        forward = np.linalg.slogdet(np.eye(len(y)) / h[:, None, None] - jacobian).sign > 0
        trial = y + step
        bend = _length(h * here.rates(trial) - step, np.maximum(here.size(y), here.size(trial)))
        taken = (bend <= BEND) & forward & ~((start[:, lanes] > 0) & (trial < 0)).any(axis=0)
        y = np.where(taken, trial, y)
        growth = np.sqrt(0.5 * BEND / np.maximum(bend, TINIEST))
        h = h * np.where(taken, np.clip(growth, 0.5, 10.0), np.where(bend > BEND, np.clip(growth, 0.1, 0.5), 0.25))
    found[:, lanes] = y
    return found


def _polished(field: Field, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Newton's last steps; where they lead nowhere, `y` stays."""
    found, close = _newton(field, y)
    return np.where(close, found, y), close


def _room(start: np.ndarray, y: np.ndarray, step: np.ndarray) -> np.ndarray:
    """(member,) the part of a step after which no state that was positive is negative."""
    crossing = (start > 0) & (y + step < 0)
    room = np.where(crossing, (1 - KEPT) * y / np.maximum(-step, TINIEST), 1.0)
    least: np.ndarray = room.min(axis=0, initial=1.0)
    return least


def _length(step: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """(member,) the largest component in its unit."""
    longest: np.ndarray = (np.abs(step) / np.maximum(unit, TINIEST)).max(axis=0, initial=0.0)
    return longest
