"""Copies of cargo in a cell in words: how many, whether they can explain an effect, and of what nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

ENOUGH = 1.0
"""Copies in a cell below which a cargo cannot act by stoichiometry: most cells hold none."""


def copies_told(peaks: Mapping[str, float], unknown: Iterable[str]) -> Iterator[str]:
    """Sentences on the most copies of each cargo in a cell, by `CELL.CARGO`, and on those that nobody has counted."""
    if peaks:
        yield _most(peaks)
    if uncounted := sorted({name.partition(".")[2] for name in unknown}, key=str.casefold):
        yield f"not known for {', '.join(uncounted)}: nothing says how many a vesicle holds"


def _most(peaks: Mapping[str, float]) -> str:
    name, most = max(peaks.items(), key=lambda item: item[1])
    cell, _, cargo = name.partition(".")
    told = f"at most {most:.2g} of {cargo} in a cell ({cell})"
    few = sum(peak < ENOUGH for peak in peaks.values())
    if not few:
        return told
    which = "" if few == len(peaks) else f"{few} of {len(peaks)} cargoes are "
    return f"{told}; {which}below 1 copy a cell: stoichiometry does not support the effect"
