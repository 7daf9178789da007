"""One Rosenbrock step of a block of lanes as LLVM text, with the model's equations inside.

Everything a block of lanes needs lies in a workspace of rows, one vector each: the arrays of the caller are copied in,
stepped and copied out, so that the inner functions see aligned rows at fixed places. The formulas are those of
`solve.methods.rosenbrock`; multiply-adds of the method and of the linear algebra are fused explicitly, those of the
model's equations are not, so that both agree bit for bit whatever the optimiser does.
"""

from __future__ import annotations

from typing import Protocol

from bonesim.codegen.backends.llvm_math import functions, splat
from bonesim.codegen.backends.llvm_text import Body, Targets, emit_block
from bonesim.codegen.program import Program
from bonesim.codegen.sparse import Elimination, eliminate

Rows = tuple[tuple[float, ...], ...]


class Tableau(Protocol):
    """What the step reads of a method; see `solve.methods.rosenbrock` for the letters."""

    @property
    def name(self) -> str: ...
    @property
    def gamma(self) -> float: ...
    @property
    def a(self) -> Rows: ...
    @property
    def C(self) -> Rows: ...
    @property
    def H(self) -> Rows: ...
    @property
    def c(self) -> tuple[float, ...]: ...
    @property
    def d(self) -> tuple[float, ...]: ...


class Workspace:
    """Rows of the workspace by name; `size` of them in all."""

    def __init__(self, program: Program, tableau: Tableau, lu: Elimination) -> None:
        self.size = 0
        n, layout = len(program.layout.states), program.layout
        self.t, self.h, self.inverse_h, self.at, self.rtol = (self._take(1) for _ in range(5))
        self.y, self.u, self.f, self.y_next = (self._take(n) for _ in range(4))
        self.atol, self.scaled, self.by_time = (self._take(n) for _ in range(3))
        used = program.rhs.used() | program.jacobian.used()
        self.p = {row: self._take(1) for row, name in enumerate(layout.parameters) if name in used}
        self.k = {row: self._take(1) for row, name in enumerate(layout.constants) if name in used}
        self.jacobian = {entry: self._take(1) for entry in layout.pattern}
        self.lu = self._take(len(lu.slots))
        self.stages = self._take(n * len(tableau.a))
        self.dense = self._take(n * len(tableau.H))

    def _take(self, rows: int) -> int:
        first = self.size
        self.size += rows
        return first


class Step:
    """The text of `advance`, and how large a workspace it wants."""

    def __init__(self, program: Program, tableau: Tableau, width: int) -> None:
        self.program, self.tableau, self.width = program, tableau, width
        self.states = len(program.layout.states)
        self.lu = eliminate(self.states, program.layout.pattern)
        self.rows = Workspace(program, tableau, self.lu)

    def text(self) -> str:
        """The whole module."""
        parts = [
            functions(self.width),
            self._rhs(),
            self._jacobian(),
            self._factor(),
            self._solve(),
            self._step(),
            self._advance(),
        ]
        return "\n".join(parts)

    def _body(self) -> Body:
        return Body(self.width)

    def _homes(self, states: int) -> dict[str, int]:
        layout, rows = self.program.layout, self.rows
        homes = {name: states + row for row, name in enumerate(layout.states)}
        homes |= {layout.parameters[row]: place for row, place in rows.p.items()}
        return homes | {layout.constants[row]: place for row, place in rows.k.items()}

    def _rhs(self) -> str:
        body, rows = self._body(), self.rows
        targets: Targets = {"dy": {(row,): rows.f + row for row in range(self.states)}}
        emit_block(body, self.program.rhs, self._homes(rows.u), rows.at, targets)
        return body.function("rhs")

    def _jacobian(self) -> str:
        body, rows = self._body(), self.rows
        targets: Targets = {
            "jacobian": {entry: place for entry, place in rows.jacobian.items()},
            "by_time": {(row,): rows.by_time + row for row in range(self.states)},
        }
        emit_block(body, self.program.jacobian, self._homes(rows.y), rows.t, targets)
        return body.function("jacobian")

    def _factor(self) -> str:
        """L and U of I/(h gamma) - J, all entries in registers; the diagonal is stored as its reciprocal."""
        body, rows = self._body(), self.rows
        shift = body.binary("fmul", body.load(rows.inverse_h), splat(1.0 / self.tableau.gamma))
        entry: dict[tuple[int, int], str] = {}
        for (row, column), place in rows.jacobian.items():
            value = body.load(place)
            is_diagonal = row == column
            entry[row, column] = (
                body.binary("fsub", shift, value) if is_diagonal else body.let(f"fneg {body.vector} {value}")
            )
        for row in range(self.states):
            entry.setdefault((row, row), shift)
        for pivot, below in self.lu.updates:
            entry[pivot, pivot] = body.binary("fdiv", splat(1.0), entry[pivot, pivot])
            for row, columns in below:
                factor = body.binary("fmul", entry[row, pivot], entry[pivot, pivot])
                entry[row, pivot] = factor
                minus = body.let(f"fneg {body.vector} {factor}") if columns else ""
                for column in columns:
                    old = entry.get((row, column), "zeroinitializer")
                    entry[row, column] = body.fma(minus, entry[pivot, column], old)
        for key, slot in self.lu.slots.items():
            body.store(entry[key], rows.lu + slot)
        return body.function("factor")

    def _solve(self) -> str:
        """Solve for the right-hand side in `f`; the solution goes to the rows from %to on."""
        body, rows = self._body(), self.rows
        x = [body.load(rows.f + row) for row in range(self.states)]
        for row, pivot in self.lu.forward:
            x[row] = body.fma(self._minus_lu(body, row, pivot), x[pivot], x[row])
        for pivot, columns in self.lu.backward:
            value = x[pivot]
            for column in columns:
                value = body.fma(self._minus_lu(body, pivot, column), x[column], value)
            x[pivot] = body.binary("fmul", value, body.load(rows.lu + self.lu.slots[pivot, pivot]))
        for row in range(self.states):
            body.store(x[row], body.let(f"add i64 %to, {row}"))
        return body.function("solve", "ptr noalias %ws, i64 %to")

    def _minus_lu(self, body: Body, row: int, column: int) -> str:
        return body.let(f"fneg {body.vector} {body.load(self.rows.lu + self.lu.slots[row, column])}")

    def _step(self) -> str:
        body, rows, method, n = self._body(), self.rows, self.tableau, self.states
        body.store(body.binary("fdiv", splat(1.0), body.load(rows.h)), rows.inverse_h)
        body.lines.append("  call void @jacobian(ptr %ws)")
        body.lines.append("  call void @factor(ptr %ws)")
        for stage in range(len(method.a)):
            self._stage_state(body, stage)
            elapsed = body.fma(splat(method.c[stage]), body.load(rows.h), body.load(rows.t))
            body.store(elapsed, rows.at)
            body.lines.append("  call void @rhs(ptr %ws)")
            self._stage_right_side(body, stage)
            body.lines.append(f"  call void @solve(ptr %ws, i64 {rows.stages + stage * n})")
        self._finish(body)
        return body.function("step")

    def _stage_state(self, body: Body, stage: int) -> None:
        """u = y + sum_j a_ij k_j."""
        rows, n = self.rows, self.states
        with body.loop(n) as i:
            value = self._load_at(body, rows.y, i)
            for number, factor in enumerate(self.tableau.a[stage]):
                if factor:
                    value = body.fma(splat(factor), self._load_at(body, rows.stages + number * n, i), value)
            self._store_at(body, value, rows.u, i)

    def _stage_right_side(self, body: Body, stage: int) -> None:
        """f + sum_j C_ij k_j / h + h d_i f_t."""
        rows, n, method = self.rows, self.states, self.tableau
        terms = [(number, factor) for number, factor in enumerate(method.C[stage]) if factor]
        if terms:
            with body.loop(n) as i:
                value = ""
                for number, factor in terms:
                    stage_row = self._load_at(body, rows.stages + number * n, i)
                    value = (
                        body.fma(splat(factor), stage_row, value)
                        if value
                        else body.binary("fmul", splat(factor), stage_row)
                    )
                total = body.fma(value, body.load(rows.inverse_h), self._load_at(body, rows.f, i))
                self._store_at(body, total, rows.f, i)
        if method.d[stage]:
            scale = body.binary("fmul", splat(method.d[stage]), body.load(rows.h))
            for store in self.program.jacobian.stores:
                if store.array == "by_time":
                    row = store.index[0]
                    body.store(body.fma(scale, body.load(rows.by_time + row), body.load(rows.f + row)), rows.f + row)

    def _finish(self, body: Body) -> None:
        """Next states, error over tolerance, and the rows of the continuous extension."""
        rows, n, method = self.rows, self.states, self.tableau
        last = rows.stages + (len(method.a) - 1) * n
        with body.loop(n) as i:
            error, y = self._load_at(body, last, i), self._load_at(body, rows.y, i)
            y_next = body.binary("fadd", self._load_at(body, rows.u, i), error)
            self._store_at(body, y_next, rows.y_next, i)
            old, new = body.intrinsic("fabs", y), body.intrinsic("fabs", y_next)
            larger = body.select(body.let(f"fcmp ogt {body.vector} {old}, {new}"), old, new)
            scale = body.fma(body.load(rows.rtol), larger, self._load_at(body, rows.atol, i))
            self._store_at(body, body.binary("fdiv", body.intrinsic("fabs", error), scale), rows.scaled, i)
            for place, row in enumerate(method.H):
                value = "zeroinitializer"
                for number, factor in enumerate(row):
                    if factor:
                        value = body.fma(splat(factor), self._load_at(body, rows.stages + number * n, i), value)
                self._store_at(body, value, rows.dense + place * n, i)

    def _load_at(self, body: Body, first: int, i: str) -> str:
        return body.load(body.let(f"add i64 {i}, {first}"))

    def _store_at(self, body: Body, value: str, first: int, i: str) -> None:
        body.store(value, body.let(f"add i64 {i}, {first}"))

    def _advance(self) -> str:
        """Copy each block of lanes in, step it, copy the results out; lanes beyond the last are masked."""
        body, rows, n = self._body(), self.rows, self.states
        body.store(self._splat(body, "%rtol", "double"), rows.rtol)
        with body.loop("%lanes", step=self.width) as first:
            lane = body.let(
                f"add <{self.width} x i64> {self._splat(body, first, 'i64')}, "
                f"<{', '.join(f'i64 {number}' for number in range(self.width))}>"
            )
            mask = body.let(f"icmp slt <{self.width} x i64> {lane}, {self._splat(body, '%lanes', 'i64')}")
            for array, row in (("%t", rows.t), ("%h", rows.h)):
                body.store(self._load_lanes(body, array, "0", first, mask), row)
            for array, row in (("%y", rows.y), ("%atol", rows.atol)):
                with body.loop(n) as i:
                    self._store_at(body, self._load_lanes(body, array, i, first, mask), row, i)
            for array, places in (("%p", rows.p), ("%k", rows.k)):
                for number, place in places.items():
                    body.store(self._load_lanes(body, array, str(number), first, mask), place)
            body.lines.append("  call void @step(ptr %ws)")
            for array, row, rows_out in (
                ("%y_next", rows.y_next, n),
                ("%scaled", rows.scaled, n),
                ("%dense", rows.dense, n * len(self.tableau.H)),
            ):
                with body.loop(rows_out) as i:
                    self._store_lanes(body, self._load_at(body, row, i), array, i, first, mask)
        arguments = "i64 %lanes, double %rtol, ptr %t, ptr %h, ptr %y, ptr %p, ptr %k, ptr %atol, "
        return body.function("advance", arguments + "ptr %y_next, ptr %scaled, ptr %dense, ptr %ws", linkage="")

    def _splat(self, body: Body, scalar: str, kind: str) -> str:
        vector = f"<{self.width} x {kind}>"
        one = body.let(f"insertelement {vector} poison, {kind} {scalar}, i64 0")
        return body.let(f"shufflevector {vector} {one}, {vector} poison, <{self.width} x i32> zeroinitializer")

    def _address(self, body: Body, array: str, row: str, first: str) -> str:
        offset = body.let(f"add i64 {body.let(f'mul i64 {row}, %lanes')}, {first}")
        return body.let(f"getelementptr inbounds double, ptr {array}, i64 {offset}")

    def _load_lanes(self, body: Body, array: str, row: str, first: str, mask: str) -> str:
        address = self._address(body, array, row, first)
        return body.let(
            f"call {body.vector} @llvm.masked.load.{body.suffix}.p0(ptr {address}, i32 8, "
            f"{body.booleans} {mask}, {body.vector} {splat(1.0)})"
        )

    def _store_lanes(self, body: Body, value: str, array: str, row: str, first: str, mask: str) -> None:
        address = self._address(body, array, row, first)
        body.lines.append(
            f"  call void @llvm.masked.store.{body.suffix}.p0({body.vector} {value}, ptr {address}, i32 8, "
            f"{body.booleans} {mask})"
        )
