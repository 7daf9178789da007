"""When the timed events of a batch happen, and steps that end on a stop."""

from __future__ import annotations

import numpy as np

from bonesim.solve.controller import TINIEST
from bonesim.system import Batch, Kernels, Layout

CHUNK = 256
"""Members whose events are put in order together: what that takes on the way is some times what is kept."""

SLACK = 4
"""By how many of their last digits two times may differ by rounding alone."""


def calendar(kernels: Kernels, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
    """(occurrence, member) times of all timed events in order, closed by infinity, and which event each one is.

    Events of one time keep the order of the model. Members that all have the same times share one column.
    """
    layout: Layout = kernels.layout
    events, members = len(layout.events), batch.members
    constants = kernels.constants(batch.parameters)
    first, every = np.empty((events, members)), np.empty((events, members))
    kernels.functions.event_times(tuple(batch.parameters), tuple(constants), first, every)
    shape = (sum(layout.events) + 1, members)
    if np.all(first == first[:, :1]) and np.all(every == every[:, :1]):
        times, which = _in_order(layout, first[:, :1], every[:, :1], batch.t_out)
        return np.broadcast_to(times, shape), np.broadcast_to(which, shape)
    times, which = np.empty(shape), np.empty(shape, np.int32)
    for start in range(0, members, CHUNK):
        part = slice(start, start + CHUNK)
        times[:, part], which[:, part] = _in_order(layout, first[:, part], every[:, part], batch.t_out)
    return times, which


def _in_order(layout: Layout, first: np.ndarray, every: np.ndarray, t_out: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """As `calendar`, from the first times and the intervals, (event, member)."""
    turns = [(event, turn) for event, count in enumerate(layout.events) for turn in range(count)]
    times = [first[event] + turn * every[event] for event, turn in turns]
    occurrences = snapped(np.array([*times, np.full(first.shape[1], np.inf)]), t_out)
    order = np.argsort(occurrences, axis=0, kind="stable")
    return np.take_along_axis(occurrences, order, axis=0), np.array([*(event for event, _ in turns), -1])[order]


def snapped(times: np.ndarray, t_out: np.ndarray) -> np.ndarray:
    """Times that miss an output time by rounding alone (3 x 0.1 against 0.3), moved onto it.

    An output at the time of an event is the value after it, however either time was computed.
    """
    near = np.clip(np.searchsorted(t_out, times), 1, len(t_out) - 1)
    before, after = t_out[near - 1], t_out[near]
    nearest = np.where(times - before < after - times, before, after)
    return np.where(np.abs(times - nearest) <= SLACK * np.spacing(np.abs(nearest)), nearest, times)


def fit(t: np.ndarray, h: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Step sizes that end exactly on `stop` or stay clear of it, and which lanes land on it.

    A stop that is one step away is reached by stretching a little; one that is two steps away, by two equal halves.
    The size is what the clock will show: at t = 3000 day, t + h differs from h more than an infusion of a second may.
    """
    left = stop - t
    lands = h * 1.0001 >= left
    planned = np.where(2 * h > left, 0.5 * left, h)
    # The reciprocal of a step to a stop that is all but now must be a number; such a step moves nothing.
    return np.where(lands, np.maximum(left, TINIEST), (t + planned) - t), lands
