"""Symbolic LU of a sparse matrix, once for a model: which entries fill in, and every operation in order.

The matrix is I/(h gamma) - J. Its rows are put into block lower triangular form first: states that act on each other
in a ring make a block, and a block reads only those before it. The blocks of the diagonal alone are factored, what
couples them is multiplied in when a system is solved (doi:10.1145/1824801.1824814). Blocks with the same entries,
as a model has them that carries its own slopes, share one factorisation.

Inside a block the pivot is always on the diagonal, chosen by the smallest fill it can cause (Markowitz,
doi:10.1287/mnsc.3.3.255): the diagonal dominates as soon as h is small, and the step control makes h small where it
does not. Rows of constraints have no 1/(h gamma); `codegen.constraints` finds their order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

Entry = tuple[int, int]


@dataclass(frozen=True)
class Diagonal:
    """One block of the diagonal: its rows in order of elimination, and whether it is the first with its entries."""

    rows: tuple[int, ...]
    is_first: bool


@dataclass(frozen=True)
class Elimination:
    """The operations of one factorisation and of the solves that follow it, row by row.

        factor, rows i of first blocks in order: for k in lower[i]: m_ik /= m_kk; for j in upper[k]: m_ij -= m_ik m_kj
        solve, block by block: x_i -= sum_j m_ij x_j over before[i] and lower[i], rows in order, then
            x_i = (x_i - sum_j m_ij x_j) / m_ii over upper[i], rows in opposite order

    blocks : in order of solution
    slots : entries of all L + U with their places in storage; same blocks have the same places
    before : of each row, the columns of earlier blocks; these entries stay as they are
    lower, upper : of each row, the columns of its block that are eliminated before and after it

    All three in the order in which a solve comes to know their x, so that what is known last is waited for last.
    """

    blocks: tuple[Diagonal, ...]
    slots: dict[Entry, int]
    before: dict[int, tuple[int, ...]]
    lower: dict[int, tuple[int, ...]]
    upper: dict[int, tuple[int, ...]]

    @property
    def stored(self) -> int:
        """How many places the storage has."""
        return 1 + max(self.slots.values(), default=-1)

    @property
    def factored(self) -> Iterator[int]:
        """Every row that is eliminated, in order."""
        return (row for block in self.blocks if block.is_first for row in block.rows)

    @property
    def operations(self) -> int:
        """Products of one factorisation and one solve."""
        factor = sum(1 + len(self.upper[k]) for row in self.factored for k in self.lower[row])
        tables = (self.before, self.lower, self.upper)
        return factor + sum(1 + sum(len(table[row]) for table in tables) for row in self.lower)


def eliminate(size: int, entries: Mapping[Entry, Hashable], in_turn: Sequence[int] = ()) -> Elimination:
    """The elimination of a matrix with these entries beside its diagonal; those with equal values are the same.

    Rows of a block that are `in_turn` are eliminated in that order: no small h makes their diagonal dominate.
    """
    columns: dict[int, set[int]] = {row: set() for row in range(size)}
    for row, column in entries:
        columns[row].add(column)
    plan = Elimination((), {}, {}, {}, {})
    seen: dict[Hashable, tuple[int, ...]] = {}
    blocks = []
    solved: list[int] = []
    for states in components(columns):
        place = {state: number for number, state in enumerate(states)}
        pattern = {row: {row} | (columns[row] & place.keys()) for row in states}
        key = tuple((place[i], place[j], entries.get((i, j))) for i in states for j in sorted(pattern[i]))
        is_first = key not in seen
        first = seen.setdefault(key, () if not is_first else _order(pattern, in_turn))
        rows = first if is_first else tuple(states[number] for number in _places(first))
        blocks.append(Diagonal(rows, is_first))
        plan.before.update({row: tuple(sorted(columns[row] - place.keys(), key=solved.index)) for row in rows})
        solved += rows
        _add_block(plan, rows, first, pattern)
    return replace(plan, blocks=tuple(blocks))


def _places(rows: tuple[int, ...]) -> list[int]:
    """The place of each row among the sorted ones."""
    place = {row: number for number, row in enumerate(sorted(rows))}
    return [place[row] for row in rows]


def _add_block(plan: Elimination, rows: tuple[int, ...], first: tuple[int, ...], pattern: dict[int, set[int]]) -> None:
    """Fill-in of a block by its order, and places for its entries: those of `first` if that is another block."""
    filled: dict[int, set[int]] = {}
    for number, row in enumerate(rows):
        filled[row] = set(pattern[row])
        for pivot in rows[:number]:
            if pivot in filled[row]:
                filled[row].update(plan.upper[pivot])
        plan.lower[row] = tuple(column for column in rows[:number] if column in filled[row])
        plan.upper[row] = tuple(column for column in reversed(rows[number + 1 :]) if column in filled[row])
    same = dict(zip(rows, first, strict=True))
    free = plan.stored
    for row in rows:
        for column in (*plan.lower[row], row, *plan.upper[row]):
            if (same_row := same[row]) == row:
                plan.slots[row, column] = free
                free += 1
            else:
                plan.slots[row, column] = plan.slots[same_row, same[column]]


def _order(pattern: Mapping[int, set[int]], in_turn: Sequence[int]) -> tuple[int, ...]:
    """Rows of a block by the Markowitz count of their pivot: how many entries it can touch."""
    later = [row for row in reversed(in_turn) if row in pattern]
    free = pattern.keys() - set(later)
    rows = {row: columns - {row} for row, columns in pattern.items()}
    columns: dict[int, set[int]] = {row: set() for row in pattern}
    for row, others in rows.items():
        for column in others:
            columns[column].add(row)
    order = []
    while rows:
        pivot = min((*free, *later[-1:]), key=lambda k: (len(rows[k]) * len(columns[k]), k))
        order.append(pivot)
        if pivot in free:
            free.remove(pivot)
        else:
            later.pop()
        right, below = rows.pop(pivot), columns.pop(pivot)
        for row in below:
            rows[row] |= right
            rows[row] -= {row, pivot}
        for column in right:
            columns[column] |= below
            columns[column] -= {column, pivot}
    return tuple(order)


def components(reads: Mapping[int, set[int]]) -> list[tuple[int, ...]]:
    """Groups of nodes that reach each other, sorted, each after those it reads (Tarjan, doi:10.1137/0201010)."""
    found: list[tuple[int, ...]] = []
    number: dict[int, int] = {}  # of each node reached, in order
    lowest: dict[int, int] = {}  # the first node on the way that it leads back to
    waiting: list[int] = []  # nodes whose group is not complete
    complete: set[int] = set()
    for root in reads:
        path = [root] if root not in number else []
        while path:
            node = path[-1]
            if node not in number:
                number[node] = lowest[node] = len(number)
                waiting.append(node)
            ahead = next((other for other in sorted(reads[node]) if other not in number), None)
            if ahead is not None:
                path.append(ahead)
                continue
            path.pop()
            lowest[node] = min([number[node], *(lowest[other] for other in reads[node] if other not in complete)])
            if lowest[node] == number[node]:
                start = waiting.index(node)
                found.append(tuple(sorted(waiting[start:])))
                complete.update(found[-1])
                del waiting[start:]
    return found
