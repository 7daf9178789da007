"""How long a new process takes to its first result, with the flat model and the compiled kernel in the cache."""

from __future__ import annotations

import os
import subprocess
import sys
from time import perf_counter

from benchmarks.peers import OURS
from benchmarks.rows import Row, spread

BAR, GOAL = 0.3, 0.2


def measure(model_id: str, repeats: int) -> Row:
    """Seconds from starting Python to its end, after one run that fills the cache."""
    samples = [_seconds(model_id) for _ in range(repeats + 1)][1:]
    return Row(
        part="cold",
        problem=model_id,
        engine=OURS.name,
        quantity="new process to first result, s",
        **spread(samples),
        bar=BAR,
        goal=GOAL,
        versions=OURS.versions(),
    )


def _seconds(model_id: str) -> float:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "benchmarks.first_result", model_id]
    started = perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return perf_counter() - started
