"""Constraints in the compiled loop: conditions and algebraic states as they are at a lane's time."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_parts import INFINITY, NO_CONSISTENT_START, RUNNING, TINIEST
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, larger, smaller
from bonesim.codegen.program import Program

HELD = 1e150
NEWTON_TURNS = 60.0
SMALLEST_DAMPING = 1e-3
"""As in `solve.constraints`."""


class Constraints:
    """The functions `settle` and `constrain`; they call `read_conditions`, and `start`, `rhs`, `factor` and `solve`.

    `constrain` keeps what it needs in rows that only the search for a crossing uses, which never runs beside it.
    """

    def __init__(self, program: Program, rows: Rows, width: int) -> None:
        self.layout, self.rows, self.width = program.layout, rows, width
        self.rows_held = [row for row in range(rows.states) if row not in self.layout.algebraic]
        self.left, self.damping, self.turn = rows.crossed, rows.theta, rows.first_wrong
        self.length, self.again, self.worst = rows.low, rows.high, rows.wrong

    def text(self) -> str:
        """Both functions; without algebraic states there is nothing to constrain."""
        return "\n".join([self._settle(), self._constrain()] if self.layout.algebraic else [self._settle()])

    def _settle(self) -> str:
        """As `Lanes._settle` of `solve.driver`, in the lanes that `firing` marks."""
        code, switching = Code(self.width), self.layout.switching
        triggers = range(self.rows.triggers, self.rows.triggers + len(self.layout.initially))
        for _ in range(1 + switching if self.layout.algebraic else 0):
            if switching:
                before = [code[row] for row in triggers]
                code.run("conditions")
                for row, value in zip(triggers, before, strict=True):
                    code[row] = value
            code.run("constrain")
        if switching:
            code.run("read_conditions")
        return code.function("settle")

    def _constrain(self) -> str:
        """Damped Newton for the algebraic states, as `Constraints.solve` of `solve.constraints`."""
        code, rows = Code(self.width), self.rows
        started = code.mask(rows.firing) & code[rows.status].equals(RUNNING)
        code[self.left], code[self.damping], code[self.worst], code[self.turn] = started.number, 1.0, -1.0, 0.0
        code[rows.inverse_h], code[rows.at] = HELD, code[rows.t]
        with code.forever() as newton:
            newton.leave((~code.mask(self.left)).all)
            code.run("start")
            known = self._known(code)
            code.run("factor")
            self._correct(code, rows.stages)
            self._measure(code)
            code[self.length] = self._largest(code, self.length, rows.stages)
            length = code[self.length]
            close = length <= 1.0
            factor = close.where(1.0, code[self.damping])
            self._try(code, factor)
            code[self.again] = self._largest(code, self.again, rows.stages + rows.states)
            better = code[self.again] <= (code.constant(1.0) - factor * 0.25) * length
            left = code.mask(self.left)
            for i in code.each(self.layout.algebraic):
                moved = code[code.at(rows.y, i)] + factor * code[code.at(rows.stages, i)]
                code.put(code.at(rows.y, i), left & (better | close), moved)
            code.put(self.worst, left & (close | ~known), -1.0)
            damping = better.where(smaller(factor * 2.0, 1.0), factor * 0.5)
            code[self.damping], code[self.turn] = damping, code[self.turn] + 1.0
            going = left & known & ~close & length.finite & (damping >= SMALLEST_DAMPING)
            code[self.left] = (going & (code[self.turn] < NEWTON_TURNS)).number
        failed = started & (code[self.worst] >= 0.0)
        code.put(rows.status, failed, NO_CONSISTENT_START)
        code.put(rows.fault, failed, code[self.worst])
        return code.function("constrain")

    def _known(self, code: Code) -> Mask:
        """Lanes in which all states and rates are numbers."""
        rows = self.rows
        code[rows.norm] = 0.0
        with code.loop(rows.states) as i:
            finite = code[code.at(rows.y, i)].finite & code[code.at(rows.f, i)].finite
            code.put(rows.norm, ~finite, 1.0)
        return code[rows.norm].equals(0.0)

    def _correct(self, code: Code, to: int) -> None:
        """Newton's correction by the rates in `f`, into the rows from `to` on."""
        for i in code.each(self.rows_held):
            code[code.at(self.rows.f, i)] = 0.0
        code.lines.append(f"  call void @solve(ptr %ws, i64 {to})")

    def _measure(self, code: Code) -> None:
        """What counts as one in each algebraic state, and which of them is farthest from where it is going."""
        rows = self.rows
        code[rows.norm] = -1.0
        for i in code.each(self.layout.algebraic):
            size = code[code.at(rows.atol, i)] + code.double("rtol") * abs(code[code.at(rows.y, i)])
            code[code.at(rows.scaled, i)] = larger(size, TINIEST)
            part = self._part(code, rows.stages, i)
            worse = code.mask(self.left) & (part > code[rows.norm])
            code.put(self.worst, worse, code.lane_count(i))
            code.put(rows.norm, worse, part)

    def _largest(self, code: Code, row: int, first: int) -> Vector:
        """The length of a correction; infinite where a part of it is no number."""
        code[row] = 0.0
        for i in code.each(self.layout.algebraic):
            code[row] = larger(code[row], self._part(code, first, i))
        return code[row]

    def _part(self, code: Code, first: int, i: str) -> Vector:
        part = abs(code[code.at(first, i)]) / code[code.at(self.rows.scaled, i)]
        return part.finite.where(part, INFINITY)

    def _try(self, code: Code, factor: Vector) -> None:
        """The next correction by the same slopes, from where this one leads."""
        rows = self.rows
        with code.loop(rows.states) as i:
            code[code.at(rows.u, i)] = code[code.at(rows.y, i)]
        for i in code.each(self.layout.algebraic):
            code[code.at(rows.u, i)] = code[code.at(rows.y, i)] + factor * code[code.at(rows.stages, i)]
        code.run("rhs")
        self._correct(code, rows.stages + rows.states)
