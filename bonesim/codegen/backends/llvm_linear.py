"""The linear algebra of a step as LLVM text: LU of I/(h gamma) - J, and the systems solved with it.

Two forms of the same operations in the same order, so that their results have the same bits: `Unrolled` writes each
one out, `Looped` goes over constant tables of places. Multiply-adds are fused explicitly. For the order of the
operations see `codegen.sparse.Elimination`.
"""

from __future__ import annotations

from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_text import in_turn, whole_numbers
from bonesim.codegen.backends.llvm_values import Code, Vector, carried
from bonesim.codegen.sparse import Elimination

UNROLLED = 6000
"""Most operations that are written out."""
LONGEST_PIECE = 1000
"""Lines of one function of them."""
SOLVE_ARGUMENTS = "ptr noalias %ws, i64 %to"


class Linear:
    """The functions `factor` and `solve` in the form that suits the size of the matrix.

    Where states are algebraic, and some rows have no 1/(h gamma), they are always written out.
    """

    def __init__(self, lu: Elimination, rows: Rows, gamma: float, width: int) -> None:
        unrolled = bool(rows.algebraic) or lu.operations <= UNROLLED
        self._form = (Unrolled if unrolled else Looped)(lu, rows, gamma, width)

    def text(self) -> str:
        """Both functions with what they rest on."""
        return self._form.text()


class Registers:
    """Rows of the workspace as values of one function: each is loaded once, and stored when the function ends."""

    def __init__(self, width: int) -> None:
        self.code = Code(width)
        self._values: dict[int, Vector] = {}
        self._changed: set[int] = set()

    def __getitem__(self, row: int) -> Vector:
        if row not in self._values:
            self._values[row] = self.code[row]
        return self._values[row]

    def __setitem__(self, row: int, value: Vector) -> None:
        self._values[row] = value
        self._changed.add(row)

    def end(self) -> None:
        """Store what has changed."""
        for row in sorted(self._changed):
            self.code[row] = self._values[row]


class Unrolled:
    """Every operation written out, what is used again in registers."""

    def __init__(self, lu: Elimination, rows: Rows, gamma: float, width: int) -> None:
        self.lu, self.rows, self.gamma, self.width = lu, rows, gamma, width

    def text(self) -> str:
        """The functions `factor` and `solve`."""
        return "\n".join([self._factor(), self._solve()])

    def _factor(self) -> str:
        """L and U in the rows `lu`; the diagonal is stored as its reciprocal."""
        pieces = [Registers(self.width)]
        for row in self.lu.factored:
            self._eliminate(pieces[-1], row)
            self._perhaps_cut(pieces)
        pieces[-1].end()
        return in_turn("factor", [piece.code for piece in pieces])

    def _eliminate(self, ws: Registers, row: int) -> None:
        lu = self.lu
        columns = (*lu.lower[row], row, *lu.upper[row])
        entry = {column: self._entry(ws, row, column) for column in columns}
        for pivot in lu.lower[row]:
            entry[pivot] = factor = entry[pivot] * ws[self._place(pivot, pivot)]
            minus = -factor
            for column in lu.upper[pivot]:
                entry[column] = minus.fma(ws[self._place(pivot, column)], entry[column])
        entry[row] = entry[row].reciprocal
        for column in columns:
            ws[self._place(row, column)] = entry[column]

    def _entry(self, ws: Registers, row: int, column: int) -> Vector:
        """An entry of I/(h gamma) - J; what fills in begins as -0, which a multiply-add leaves no trace of."""
        place = self.rows.jacobian.get((row, column))
        entry = ws.code.constant(-0.0) if place is None else -ws[place]
        shifted = row == column and row not in self.rows.algebraic
        return entry + ws[self.rows.inverse_h] * (1.0 / self.gamma) if shifted else entry

    def _solve(self) -> str:
        """Solve for the right-hand side in `f`, which is lost; the solution goes to the rows from %to on."""
        pieces, f = [Registers(self.width)], self.rows.f
        for block in self.lu.blocks:
            for row in block.rows:
                self._forward(pieces[-1], row)
                self._perhaps_cut(pieces)
            for row in reversed(block.rows):
                self._backward(pieces[-1], row)
                self._perhaps_cut(pieces)
        code = pieces[-1].code
        for row in range(self.rows.states):
            code[code.at(row, "%to")] = pieces[-1][f + row]
        return in_turn("solve", [piece.code for piece in pieces], SOLVE_ARGUMENTS)

    def _forward(self, ws: Registers, row: int) -> None:
        x = ws[self.rows.f + row]
        for column in self.lu.before[row]:
            x = ws[self.rows.jacobian[row, column]].fma(ws[self.rows.f + column], x)
        for column in self.lu.lower[row]:
            x = (-ws[self._place(row, column)]).fma(ws[self.rows.f + column], x)
        ws[self.rows.f + row] = x

    def _backward(self, ws: Registers, row: int) -> None:
        x = ws[self.rows.f + row]
        for column in self.lu.upper[row]:
            x = (-ws[self._place(row, column)]).fma(ws[self.rows.f + column], x)
        ws[self.rows.f + row] = x * ws[self._place(row, row)]

    def _place(self, row: int, column: int) -> int:
        return self.rows.lu + self.lu.slots[row, column]

    def _perhaps_cut(self, pieces: list[Registers]) -> None:
        """Go on in another function where this one is long."""
        if len(pieces[-1].code.lines) >= LONGEST_PIECE:
            pieces[-1].end()
            pieces.append(Registers(self.width))


class Looped:
    """The same operations in loops over tables of whole numbers.

    Rows are numbered in the order in which they are solved. Each has its entries behind one another in `column`: those
    of earlier blocks from `first`, lower ones from `lower`, the diagonal at `diagonal`, upper ones up to the `first`
    of the next. An entry stands in the workspace `shift` places behind that, but for those of earlier blocks, which
    are read from the Jacobian, row `source`.
    """

    def __init__(self, lu: Elimination, rows: Rows, gamma: float, width: int) -> None:
        self.lu, self.rows, self.gamma, self.width = lu, rows, gamma, width

    def text(self) -> str:
        """The functions `factor` and `solve`, and their tables."""
        return "\n".join([*self._tables(), self._factor(), self._solve()])

    def _tables(self) -> list[str]:
        lu, jacobian = self.lu, self.rows.jacobian
        tables: dict[str, list[int]] = {name: [] for name in _TABLES}
        number = {row: place for place, row in enumerate(row for block in lu.blocks for row in block.rows)}
        for row in number:
            columns = (*lu.before[row], *lu.lower[row], row, *lu.upper[row])
            first = len(tables["column"])
            lower = first + len(lu.before[row])
            tables["column"] += columns
            tables["source"] += [jacobian.get((row, column), self.rows.nothing) for column in columns]
            tables["state"].append(row)
            tables["first"].append(first)
            tables["lower"].append(lower)
            tables["diagonal"].append(lower + len(lu.lower[row]))
            tables["shift"].append(lu.slots[row, (*lu.lower[row], row)[0]] - lower)
        tables["first"].append(len(tables["column"]))
        tables["number"] = [number[row] for row in range(self.rows.states)]
        tables["factored"] = [number[row] for row in lu.factored]
        tables["block"] = [number[block.rows[0]] for block in lu.blocks] + [self.rows.states]
        return [whole_numbers(f"lu_{name}", values) for name, values in tables.items()]

    def _factor(self) -> str:
        """L and U in the rows `lu`; the diagonal is stored as its reciprocal. A row is spread out in `scaled` first."""
        code, rows = Code(self.width), self.rows
        spread, unit = rows.scaled, code[rows.inverse_h] * (1.0 / self.gamma)
        with code.loop(len(list(self.lu.factored))) as turn:
            i = _read(code, "factored", turn)
            state, lower, diagonal = (_read(code, name, i) for name in ("state", "lower", "diagonal"))
            end, shift = _read(code, "first", code.let(f"add i64 {i}, 1")), _read(code, "shift", i)
            with code.loop(end, lower) as entry:
                code[code.at(spread, _read(code, "column", entry))] = -code[_read(code, "source", entry)]
            pivot_place = code.at(spread, state)
            code[pivot_place] = code[pivot_place] + unit
            with code.loop(diagonal, lower) as entry:
                self._subtract_row(code, _read(code, "column", entry))
            code[pivot_place] = code[pivot_place].reciprocal
            with code.loop(end, lower) as entry:
                code[self._place(code, entry, shift)] = code[code.at(spread, _read(code, "column", entry))]
        return code.function("factor")

    def _subtract_row(self, code: Code, pivot: str) -> None:
        """m_ik /= m_kk and m_ij -= m_ik m_kj for one pivot k and the row i that is spread out."""
        spread, k = self.rows.scaled, _read(code, "number", pivot)
        diagonal, shift = _read(code, "diagonal", k), _read(code, "shift", k)
        place = code.at(spread, pivot)
        factor = code[place] * code[self._place(code, diagonal, shift)]
        code[place] = factor
        minus = -factor
        after = code.let(f"add i64 {diagonal}, 1")
        with code.loop(_read(code, "first", code.let(f"add i64 {k}, 1")), after) as entry:
            target = code.at(spread, _read(code, "column", entry))
            code[target] = minus.fma(code[self._place(code, entry, shift)], code[target])

    def _solve(self) -> str:
        """Solve for the right-hand side in `f`, which is lost; the solution goes to the rows from %to on."""
        code, rows = Code(self.width), self.rows
        with code.loop(len(self.lu.blocks)) as block:
            first, end = _read(code, "block", block), _read(code, "block", code.let(f"add i64 {block}, 1"))
            with code.loop(end, first) as i:
                self._forward(code, i)
            with code.loop(code.let(f"sub i64 {end}, {first}")) as back:
                self._backward(code, code.let(f"sub i64 {code.let(f'sub i64 {end}, 1')}, {back}"))
        with code.loop(rows.states) as i:
            code[code.let(f"add i64 {i}, %to")] = code[code.at(rows.f, i)]
        return code.function("solve", SOLVE_ARGUMENTS)

    def _forward(self, code: Code, i: str) -> None:
        shift, lower, diagonal = (_read(code, name, i) for name in ("shift", "lower", "diagonal"))
        x = code.at(self.rows.f, _read(code, "state", i))
        value = code[x]
        with carried(code, lower, _read(code, "first", i), value) as (entry, (sofar,)):
            known = code[code.at(self.rows.f, _read(code, "column", entry))]
            sofar.next = code[_read(code, "source", entry)].fma(known, sofar.value)
        value = sofar.value
        with carried(code, diagonal, lower, value) as (entry, (sofar,)):
            known = code[code.at(self.rows.f, _read(code, "column", entry))]
            sofar.next = (-code[self._place(code, entry, shift)]).fma(known, sofar.value)
        code[x] = sofar.value

    def _backward(self, code: Code, i: str) -> None:
        shift, diagonal = _read(code, "shift", i), _read(code, "diagonal", i)
        x = code.at(self.rows.f, _read(code, "state", i))
        after, end = code.let(f"add i64 {diagonal}, 1"), _read(code, "first", code.let(f"add i64 {i}, 1"))
        with carried(code, end, after, code[x]) as (entry, (sofar,)):
            known = code[code.at(self.rows.f, _read(code, "column", entry))]
            sofar.next = (-code[self._place(code, entry, shift)]).fma(known, sofar.value)
        code[x] = sofar.value * code[self._place(code, diagonal, shift)]

    def _place(self, code: Code, entry: str, shift: str) -> str:
        return code.at(self.rows.lu, code.let(f"add i64 {entry}, {shift}"))


_TABLES = ("column", "source", "state", "first", "lower", "diagonal", "shift")


def _read(code: Code, table: str, index: str) -> str:
    """A whole number of a table."""
    return code.whole(f"lu_{table}", index)
