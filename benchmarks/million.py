"""A million members of a small model, one output in single precision: seconds and memory, in a process of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers import OURS
from benchmarks.problems import Problem, load_problems
from benchmarks.rows import Row, spread
from bonesim.simulate import build_kernels, members
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings

MEMBERS, RTOL = 1_000_000, 1e-4
BAR_SECONDS, BAR_GIB = 5.0, 1.0


def measure(problem: Problem, count: int, repeats: int) -> list[Row]:
    """Wall clock from the members' values to the last output, and the largest memory the process took."""
    command = [sys.executable, "-m", "benchmarks.million", problem.id, str(count)]
    runs = [
        json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout) for _ in range(repeats)
    ]
    said: dict[str, Any] = {
        "part": "million",
        "problem": problem.id,
        "engine": OURS.name,
        "members": count,
        "rtol": RTOL,
    }
    said |= {"cores": os.cpu_count() or 1, "versions": OURS.versions()}
    return [
        Row(**said, quantity="wall clock, s", **spread([run["seconds"] for run in runs]), bar=BAR_SECONDS),
        Row(**said, quantity="largest memory, GiB", **spread([run["gib"] for run in runs]), bar=BAR_GIB),
    ]


def solve(problem: Problem, count: int) -> dict[str, float]:
    """Seconds and GiB of one batch with its first state as the only output."""
    kernels = build_kernels(problem.model, problem.outputs[:1], "llvm")
    values = problem.values(count)
    started = perf_counter()
    batch = members(kernels, problem.model, problem.t_out, values)
    solution = integrate(kernels, batch, Settings(RTOL), dtype=np.float32)
    seconds = perf_counter() - started
    if not solution.ok:
        raise RuntimeError(f"{np.count_nonzero(solution.status)} members failed")
    return {"seconds": seconds, "gib": largest_memory()}


def largest_memory() -> float:
    """GiB that this program has held at most.

    What the system counts for a process includes the program it was before: that which started it, and may have been
    larger after it measured other things. Where the memory of this program alone is known, it is that.
    """
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    print(json.dumps(solve(load_problems()[0][sys.argv[1]], int(sys.argv[2]))))
