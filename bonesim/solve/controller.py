"""Error norm, next step size, first step size: the same rules for every back end."""

from __future__ import annotations

import numpy as np

SAFETY, SHRINK, GROW = 0.8, 0.2, 6.0
TINIEST = 1e-300  # in place of a zero in a denominator


def scaled_error(error: np.ndarray, y: np.ndarray, y_next: np.ndarray, rtol: float, atol: np.ndarray) -> np.ndarray:
    """(state, member) error over tolerance; so are the rest, `atol` (state, 1) where it is that of all."""
    size: np.ndarray = np.abs(y)
    scaled: np.ndarray = np.abs(y_next)
    np.maximum(size, scaled, out=size)
    size *= rtol
    size += atol
    # The floor makes 0/0 a 0: a state that stays exactly 0 has no error, also without an absolute tolerance.
    np.maximum(size, TINIEST, out=size)
    np.abs(error, out=scaled)
    scaled /= size
    return scaled


def error_norm(scaled: np.ndarray) -> np.ndarray:
    """(member,) the largest component, so that no state hides behind many quiet ones.

    A maximum is also exact: unlike a sum, it cannot depend on the order in which the machine adds. NaN stays NaN.
    """
    worst: np.ndarray = np.max(scaled, axis=0, initial=0.0)
    return worst


def step_factor(norm: np.ndarray, order: int, after_rejection: np.ndarray) -> np.ndarray:
    """(member,) factor from this step size to the next: 0.8 norm^(-1/order) within [0.2, 6].

    No growth on an accepted step right after a rejected one; a rejected step always shrinks; a norm that is not
    finite shrinks most. A second rejection in a row shows that the error does not fall with the order of the method,
    as over a kink: then 0.8/norm, if that is less.
    """
    factor = np.clip(SAFETY * np.maximum(norm, 1e-10) ** (-1.0 / order), SHRINK, GROW)
    again = np.maximum(np.minimum(factor, SAFETY / np.maximum(norm, 1.0)), SHRINK)
    factor = np.where(np.isfinite(norm), np.where(after_rejection & (norm > 1), again, factor), SHRINK)
    return np.where(norm <= 1, np.where(after_rejection, np.minimum(factor, 1.0), factor), np.minimum(factor, SAFETY))


def smallest_step(t: np.ndarray, span: float) -> np.ndarray:
    """(member,) the step below which t + h is t for all practical purposes.

    Near t = 0 a step may be far smaller than `span`: 1e-26 of it leaves room for transients at the start.
    """
    smallest: np.ndarray = 1e-14 * np.maximum(np.abs(t), 1e-12 * span)
    return smallest


def trial_step(t: np.ndarray, y: np.ndarray, dy: np.ndarray, rtol: float, atol: np.ndarray, span: float) -> np.ndarray:
    """(member,) a step that changes no state by more than a hundredth of its tolerance-weighted size.

    Hairer, Norsett & Wanner, Solving Ordinary Differential Equations I, section II.4, doi:10.1007/978-3-540-78862-1;
    the first of their two estimates, capped by a hundredth of `span`, that of the whole simulation: the time to the
    next event can be a rounding error, and a step is fitted to it anyway. Where all states have decayed to almost 0 and
    an infusion begins, the estimate is far below what t can be told apart by, hence the lower bound.
    """
    scale = np.maximum(atol + rtol * np.abs(y), TINIEST)
    size, slope = np.max(np.abs(y) / scale, axis=0, initial=0.0), np.max(np.abs(dy) / scale, axis=0, initial=0.0)
    step = np.where((size > 1e-5) & (slope > 1e-5), 0.01 * size / np.maximum(slope, TINIEST), 1e-6 * span)
    return np.clip(step, 100 * smallest_step(t, span), 0.01 * span)


def first_step(
    trial: np.ndarray,
    y: np.ndarray,
    dy: np.ndarray,
    bend: np.ndarray,
    rtol: float,
    atol: np.ndarray,
    span: float,
    order: int,
) -> np.ndarray:
    """(member,) the step with which a method of `order` begins, where `bend` are the second derivatives y''.

    Where rates change as those of exp(lambda t), with lambda = |y''|/|y'|, a step of h errs by about
    (lambda h)^(order + 1) |y'|/lambda. This sets that to a hundredth of the tolerance and takes at most a hundred trial
    steps: it spares the steps in which a trial would only grow. A state that was almost 0 has a tolerance of about
    rtol |y'| h by the end of the step, so that (lambda h)^order = rtol/200 is never too long either: without that, a
    dose into an empty compartment would begin with steps as small as if it stayed empty. The idea is the second
    estimate of the same section, here in a form that knows no unit of time, and with y'' = J y' + f_t in place of a
    difference of rates: a compiled step begins with J anyway. Where slopes are 0 at the start alone, as that of a
    square is, or put to 0 because they are infinite, it sees nothing, and some first steps are refused.
    """
    scale = np.maximum(atol + rtol * np.abs(y), TINIEST)
    slope = np.max(np.abs(dy) / scale, axis=0, initial=0.0)
    most = np.max(np.abs(bend) / scale, axis=0, initial=0.0)
    speed = most / slope
    filling = (rtol / 200) ** (1.0 / order) / speed
    step = np.maximum((100 * slope / speed) ** (-1.0 / (order + 1)) / speed, filling)
    known = np.isfinite(step) & (speed > 0)
    longest = np.minimum(np.where(known, np.maximum(100 * trial, filling), 100 * trial), 0.01 * span)
    first: np.ndarray = np.maximum(
        trial, np.where(known, np.minimum(step, longest), np.where(np.isfinite(most), longest, trial))
    )
    return first
