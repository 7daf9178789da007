"""Work-precision figures: error reached against members per second and core, one figure a problem."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

from benchmarks.rows import Row

MARKERS = "osD^vPX*<>"


def draw(rows: Sequence[Row], folder: Path, name: str) -> list[Path]:
    """A PNG for each problem that has a ladder; the bar over each point spans least and largest rate."""
    rungs = [row for row in rows if row.part == "ladder" and row.error and row.median == row.median]
    return [
        _figure([row for row in rungs if row.problem == problem], folder / f"{name}-{problem}.png")
        for problem in dict.fromkeys(row.problem for row in rungs)
    ]


def _figure(rungs: Sequence[Row], file: Path) -> Path:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.4), layout="constrained")
    axes = figure.subplots()
    for marker, engine in zip(cycle(MARKERS), dict.fromkeys(row.engine for row in rungs), strict=False):
        own = [row for row in rungs if row.engine == engine]
        reached, rates = [row.error or 0.0 for row in own], [row.median for row in own]
        spans = [[row.median - row.least for row in own], [row.largest - row.median for row in own]]
        axes.errorbar(reached, rates, spans, marker=marker, ms=4, lw=1, capsize=2, label=engine)
    axes.set(xscale="log", yscale="log", title=rungs[0].problem)
    axes.set(xlabel="error reached (largest over states and times, median over members)")
    axes.set(ylabel="members per second and core")
    axes.invert_xaxis()
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", fontsize="small")
    figure.savefig(file, dpi=120, metadata={"Software": None})
    return file
