"""How long a user waits: `bonesim --help`, and a shipped scenario with an empty and with a filled cache.

    python benchmarks/startup.py [REPEATS]

Each run is a new process, with byte code of Python kept. A cold run has an empty BONESIM_CACHE: models are read through
libsbml and kernels are generated. Prints medians with least and largest, seconds of wall clock.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

SCENARIO = "ovx_m2.yaml"


def seconds(arguments: list[str], cache: Path) -> float:
    """Wall clock of one `bonesim` in a new process, which must succeed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["BONESIM_CACHE"] = str(cache)
    started = perf_counter()
    subprocess.run([sys.executable, "-m", "bonesim", *arguments], env=environment, check=True, capture_output=True)
    return perf_counter() - started


def row(name: str, measure: Callable[[], float], repeats: int) -> None:
    """Measure and print one line of the table."""
    times = [measure() for _ in range(repeats)]
    print(f"| {name} | {median(times):.2f} | {min(times):.2f} to {max(times):.2f} |", flush=True)


def main(repeats: int) -> None:
    """Print the table of this machine."""
    print(f"{repeats} runs each, Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores\n")
    print("| command | median, s | least to largest |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm"

        def cold() -> float:
            with tempfile.TemporaryDirectory(dir=folder) as empty:
                return seconds(["run", SCENARIO, "--json"], Path(empty))

        for arguments in (["--help"], ["run", SCENARIO, "--json"]):
            seconds(arguments, warm)
        row("`bonesim --help`", lambda: seconds(["--help"], warm), repeats)
        row(f"`bonesim run {SCENARIO}`, warm", lambda: seconds(["run", SCENARIO, "--json"], warm), repeats)
        row(f"`bonesim run {SCENARIO}`, cold", cold, repeats)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
