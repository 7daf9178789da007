"""One Rosenbrock step of a block of lanes as LLVM text.

The formulas are those of `solve.methods.rosenbrock`. Multiply-adds of the method and of the linear algebra are fused
explicitly, those of the model's equations are not, so that no optimiser can change a bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_values import Code, Vector, carried, larger
from bonesim.codegen.program import Program

Table = tuple[tuple[float, ...], ...]


class Tableau(Protocol):
    """What the step reads of a method; see `solve.methods.rosenbrock` for the letters."""

    @property
    def name(self) -> str: ...
    @property
    def order(self) -> int: ...
    @property
    def gamma(self) -> float: ...
    @property
    def a(self) -> Table: ...
    @property
    def C(self) -> Table: ...
    @property
    def H(self) -> Table: ...
    @property
    def c(self) -> tuple[float, ...]: ...
    @property
    def d(self) -> tuple[float, ...]: ...


class Step:
    """The function `step`, which calls `rhs`, `factor` and `solve`, and those of its continuous extension.

    It begins where the function `start` has left rates and Jacobian.
    """

    def __init__(self, program: Program, tableau: Tableau, rows: Rows, width: int) -> None:
        self.program, self.tableau, self.rows, self.width = program, tableau, rows, width

    def text(self) -> str:
        """The function `step`."""
        code, rows, method = Code(self.width), self.rows, self.tableau
        code[rows.inverse_h] = code.constant(1.0) / code[rows.h]
        code.run("factor")
        for stage in range(len(method.a)):
            if stage:
                self._stage_state(code, stage)
                code[rows.at] = code.constant(method.c[stage]).fma(code[rows.h], code[rows.t])
                code.run("rhs")
            self._stage_right_side(code, stage)
            code.lines.append(f"  call void @solve(ptr %ws, i64 {rows.stages + stage * rows.states})")
        self._finish(code)
        return code.function("step")

    def _stage_state(self, code: Code, stage: int) -> None:
        """u = y + sum_j a_ij k_j; where a row only adds a term to the one before it, u goes on from where it is."""
        rows, row, before = self.rows, self.tableau.a[stage], self.tableau.a[stage - 1]
        goes_on = bool(before) and row[:-1] == before
        with code.loop(rows.states) as i:
            value = code[code.at(rows.u if goes_on else rows.y, i)]
            for number in range(stage - 1 if goes_on else 0, stage):
                if row[number]:
                    value = code.constant(row[number]).fma(self._stage(code, number, i), value)
            code[code.at(rows.u, i)] = value

    def _stage_right_side(self, code: Code, stage: int) -> None:
        """f + M sum_j C_ij k_j / h + h d_i f_t; M is 1, but 0 for constraints."""
        rows, method = self.rows, self.tableau
        terms = [(number, factor) for number, factor in enumerate(method.C[stage]) if factor]
        if terms:
            moving = [row for row in range(rows.states) if row not in self.program.layout.algebraic]
            per_time = [(number, code[rows.inverse_h] * factor) for number, factor in terms]
            for i in code.each(moving):
                place = code.at(rows.f, i)
                total = code[place]
                for number, weight in per_time:
                    total = weight.fma(self._stage(code, number, i), total)
                code[place] = total
        if method.d[stage]:
            scale = code[rows.h] * method.d[stage]
            for i in code.each(self.program.layout.drifting):
                place = code.at(rows.f, i)
                code[place] = scale.fma(code[code.at(rows.by_time, i)], code[place])

    def _finish(self, code: Code) -> None:
        """Next states, error over tolerance and its norm, the largest component; NaN where one is not finite."""
        rows, tolerance, zero = self.rows, code.double("rtol"), code.constant(0.0)
        with carried(code, rows.states, 0, zero, zero) as (i, (largest, unknown)):
            error, y = self._stage(code, len(self.tableau.a) - 1, i), code[code.at(rows.y, i)]
            y_next = code[code.at(rows.u, i)] + error
            code[code.at(rows.y_next, i)] = y_next
            scale = tolerance.fma(larger(abs(y), abs(y_next)), code[code.at(rows.atol, i)])
            scaled = abs(error) * larger(scale, 1e-300).reciprocal
            code[code.at(rows.scaled, i)] = scaled
            largest.next = larger(largest.value, scaled)
            unknown.next = scaled.fma(zero, unknown.value)
        code[rows.norm] = largest.value + unknown.value

    def dense(self, name: str, states: Sequence[int]) -> str:
        """A function for the rows D_r = sum_j H_rj k_j of the continuous extension of some states."""
        code, rows = Code(self.width), self.rows
        for state in code.each(states):
            known = [self._stage(code, number, state) for number in range(len(self.tableau.a))]
            values = [code.constant(0.0) for _ in self.tableau.H]
            for place, row in enumerate(self.tableau.H):
                for factor, k in zip(row, known, strict=True):
                    if factor:
                        values[place] = code.constant(factor).fma(k, values[place])
            for place, value in enumerate(values):
                code[code.at(rows.dense + place * rows.states, state)] = value
        return code.function(name)

    def _stage(self, code: Code, number: int, i: str) -> Vector:
        return code[code.at(self.rows.stages + number * self.rows.states, i)]
