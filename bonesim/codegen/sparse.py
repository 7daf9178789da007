"""Symbolic LU of a sparse matrix, once for a model: which entries fill in, and every operation in order.

The pivot is always on the diagonal, chosen by the smallest fill it can cause (Markowitz, doi:10.1287/mnsc.3.3.255):
the matrix is I/(h gamma) - J, whose diagonal dominates as soon as h is small, and the step control makes h small
where it does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Entry = tuple[int, int]


@dataclass(frozen=True)
class Elimination:
    """The operations of one factorisation and of the two triangular solves.

    slots : every entry of L + U, with its place in storage; the diagonal holds reciprocals
    pivots : rows in order of elimination
    updates : for each pivot k, the rows i below with the columns j to update: m_ij -= m_ik m_kj
    """

    slots: dict[Entry, int]
    pivots: tuple[int, ...]
    updates: tuple[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]], ...]

    @property
    def forward(self) -> list[Entry]:
        """(i, k) in order: x_i -= l_ik x_k."""
        return [(row, pivot) for pivot, rows in self.updates for row, _ in rows]

    @property
    def backward(self) -> list[tuple[int, list[int]]]:
        """(k, columns) in order: x_k = (x_k - sum_j u_kj x_j) / u_kk."""
        position = {pivot: place for place, pivot in enumerate(self.pivots)}
        after = {
            pivot: sorted((j for i, j in self.slots if i == pivot and position[j] > position[pivot]), key=position.get)  # type: ignore[arg-type]
            for pivot in self.pivots
        }
        return [(pivot, after[pivot]) for pivot in reversed(self.pivots)]


def eliminate(size: int, pattern: Iterable[Entry]) -> Elimination:
    """The elimination of a matrix with entries at `pattern` and on the whole diagonal."""
    rows = {row: {row} for row in range(size)}
    for row, column in pattern:
        rows[row].add(column)
    left, pivots, updates = set(range(size)), [], []
    while left:
        pivot = min(left, key=lambda k: (_fill(k, rows, left), k))
        left.discard(pivot)
        pivots.append(pivot)
        columns = tuple(sorted(rows[pivot] & left))
        below = tuple((row, columns) for row in sorted(left) if pivot in rows[row])
        for row, _ in below:
            rows[row].update(columns)
        updates.append((pivot, below))
    entries = sorted((row, column) for row, columns in rows.items() for column in columns)
    return Elimination({entry: slot for slot, entry in enumerate(entries)}, tuple(pivots), tuple(updates))


def _fill(pivot: int, rows: dict[int, set[int]], left: set[int]) -> int:
    """Markowitz count: how many entries the pivot can touch."""
    others = len(rows[pivot] & left) - 1
    return others * sum(1 for row in left if row != pivot and pivot in rows[row])
