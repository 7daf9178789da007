"""The linear algebra of a step as NumPy text: LU of W = M/(h gamma) - J, one entry of all lanes at a time.

The operations are those of `codegen.sparse.Elimination`, one a line, products by way of a row that is kept
(`aligned`). Every entry is a row of lanes, so that no operation mixes lanes: a member has the same bits beside any
number of others, which batched LAPACK does not promise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bonesim.codegen.sparse import Elimination, Entry

WRITTEN = 6000
"""Most operations that are written out; each is a call on short rows, and a larger matrix is inverted instead."""


def functions(lu: Elimination, pattern: Sequence[Entry], algebraic: Collection[int]) -> list[str]:
    """The functions `factor` and `solve`; nothing for a matrix of no rows, or one of more operations than `WRITTEN`."""
    if not lu.blocks or lu.operations > WRITTEN:
        return []
    place = {entry: number for number, entry in enumerate(pattern)}
    return [
        _function("factor", "shift, slopes, lu", _factor(lu, place, algebraic)),
        _function("solve", "slopes, lu, x", _solve(lu, place)),
    ]


def _function(name: str, arguments: str, lines: Iterator[str]) -> str:
    return f"def {name}({arguments}):\n" + "\n".join(f"    {line}" for line in lines) + "\n"


def _factor(lu: Elimination, place: dict[Entry, int], algebraic: Collection[int]) -> Iterator[str]:
    """L and U in the rows of `lu`; the diagonal is kept as its reciprocal."""
    yield "w0_, = kept(1, shift.size)"
    yield from _names({(row, column) for row in lu.factored for column in (*lu.lower[row], row, *lu.upper[row])}, lu)
    for row in lu.factored:
        for column in (*lu.lower[row], row, *lu.upper[row]):
            slope = f"slopes[{place[row, column]}]" if (row, column) in place else ""
            shift = "shift" if row == column and row not in algebraic else ""
            yield _first(f"m_{row}_{column}", shift, slope)
        for pivot in lu.lower[row]:
            yield f"m_{row}_{pivot} *= m_{pivot}_{pivot}"
            for column in lu.upper[pivot]:
                yield f"m_{row}_{column} -= multiply(m_{row}_{pivot}, m_{pivot}_{column}, w0_)"
        yield f"divide(1.0, m_{row}_{row}, m_{row}_{row})"


def _first(entry: str, shift: str, slope: str) -> str:
    """An entry of W: shift - slope, as far as there are such."""
    if shift and slope:
        return f"subtract({shift}, {slope}, {entry})"
    return f"negative({slope}, {entry})" if slope else f"{entry}[:] = {shift or 0.0}"


def _solve(lu: Elimination, place: dict[Entry, int]) -> Iterator[str]:
    """The right-hand side `x` becomes the solution."""
    yield "w0_, = kept(1, x[0].size)"
    yield from (f"x_{row} = x[{row}]" for row in sorted(lu.lower))
    for block in lu.blocks:
        for row in block.rows:
            yield from (_added(row, "+", f"slopes[{place[row, column]}]", column) for column in lu.before[row])
            yield from (_added(row, "-", f"lu[{lu.slots[row, column]}]", column) for column in lu.lower[row])
        for row in reversed(block.rows):
            yield from (_added(row, "-", f"lu[{lu.slots[row, column]}]", column) for column in lu.upper[row])
            yield f"x_{row} *= lu[{lu.slots[row, row]}]"


def _added(row: int, sign: str, factor: str, column: int) -> str:
    return f"x_{row} {sign}= multiply({factor}, x_{column}, w0_)"


def _names(entries: set[Entry], lu: Elimination) -> Iterator[str]:
    return (f"m_{row}_{column} = lu[{lu.slots[row, column]}]" for row, column in sorted(entries))
