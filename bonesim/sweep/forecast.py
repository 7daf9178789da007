"""What a sweep will take, reckoned before anything of it is run."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.sweep.chunk import SUMMARIES
from bonesim.sweep.plan import Plan

BLOCK = 4096
"""Bytes that a file takes on a disk beside what is in it, and a folder."""

PLACES = 3
"""Files and folders that an array takes by itself, and as many for each of its chunks."""

PROGRAM = 250e6
"""Bytes that the program takes by itself, with the code generated for a scenario."""

WORK = 6
"""Arrays as large as one course in 8 bytes that summarising it needs besides."""

UNITS = ("kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Forecast:
    """What the missing members of a sweep take.

    store : bytes that are written, at most: without the compression, which halves them or more
    memory : bytes that the program takes with the plan and one chunk, about
    """

    members: int
    missing: int
    arms: int
    outputs: int
    times: int
    store: int
    memory: int

    @property
    def text(self) -> str:
        """All of it in one line."""
        members, done = self.members, self.members - self.missing
        size = f"{_count(members, 'member')} x {_count(self.arms, 'arm')} = {members * self.arms} variants"
        kept = f"{_count(self.outputs, 'output')} at {_count(self.times, 'time')}"
        needs = f"up to {in_words(self.store)} on disk, about {in_words(self.memory)} of memory"
        return "; ".join([size, *[f"{_count(done, 'member')} done"] * bool(done), kept, needs])


def forecast(plan: Plan, missing: Sequence[slice], outputs: int, dtype: str) -> Forecast:
    """What it takes to run the `missing` chunks of a plan, of `outputs` quantities kept as `dtype`."""
    base = plan.variants.base
    arms, times, item = len(base.arms), len(base.t_out), np.dtype(dtype).itemsize
    left, summaries = sum(chunk.stop - chunk.start for chunk in missing), 8 * len(SUMMARIES)
    ends = 1 + 8 + 8  # status, stop_time, an empty cause
    arrays = outputs * (1 + len(SUMMARIES)) + 3
    begun = 0 if left < plan.members else arrays + 3 + len(plan.axes)
    places = PLACES * (begun + arrays * len(missing))
    course = times * (8 * (outputs + len(base.ledger) + WORK) + item * outputs)
    return Forecast(
        members=plan.members,
        missing=left,
        arms=arms,
        outputs=outputs,
        times=times,
        store=left * (arms * (outputs * (times * item + summaries) + ends) + 8 * len(plan.axes)) + BLOCK * places,
        memory=int(PROGRAM) + min(plan.chunk, plan.members) * arms * course + 2 * plan.matrix.nbytes,
    )


def check_room(plan: Plan, needs: Forecast, folder: Path) -> None:
    """Refuse a sweep whose store would not fit on the disk, or a chunk not into memory.

    Raises
    ------
    InputError
        With what is needed, and what there is.
    """
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    remedy = "fewer members or outputs, or a longer record.every"
    if needs.store > free:
        problem = f"the store may take {in_words(needs.store)}, and {in_words(free)} are free there"
        raise InputError(problem, place=Place(str(folder)), remedy=f"another disk, {remedy}")
    available = available_memory()
    if available is not None and needs.memory > available:
        problem = f"the sweep needs {in_words(needs.memory)} of memory, and {in_words(available)} are free"
        raise InputError(problem, place=plan.scenario.place("sweep"), remedy=remedy)


def available_memory() -> int | None:
    """Bytes of memory that can be had without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return 1024 * int(found["MemAvailable"].split()[0]) if "MemAvailable" in found else None


def in_words(size: float) -> str:
    """A number of bytes with two digits, 82 MB for example."""
    size /= 1000
    for unit in UNITS[:-1]:
        if size < 999.5:
            return f"{_two_digits(size)} {unit}"
        size /= 1000
    return f"{_two_digits(size)} {UNITS[-1]}"


def _two_digits(size: float) -> str:
    return f"{float(f'{size:.2g}'):.3g}" if size < 99.5 else f"{size:.0f}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
