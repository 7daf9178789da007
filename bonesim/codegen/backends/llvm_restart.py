"""The first step of lanes with a new member, or with values that an event has changed."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_parts import (
    INFINITY,
    NOT_FINITE_AT_START,
    RUNNING,
    TINIEST,
    power,
    smallest_step,
)
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_text import whole_numbers
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, carried, larger, smaller


class Restart:
    """The function `restart`, with the estimates of `solve.controller`."""

    def __init__(self, order: int, rows: Rows, width: int) -> None:
        self.order, self.rows, self.width = order, rows, width

    def text(self) -> str:
        """The function and its tables."""
        return "\n".join([*self._tables(), self._restart()])

    def _tables(self) -> list[str]:
        """The entries of the Jacobian row by row, but for those of constraints: where each stands, and its column."""
        entries = sorted(entry for entry in self.rows.jacobian if entry[0] not in self.rows.algebraic)
        before = [sum(row < state for row, _ in entries) for state in range(self.rows.states + 1)]
        return [
            whole_numbers("bend_first", before),
            whole_numbers("bend_column", [column for _, column in entries]),
            whole_numbers("bend_source", [self.rows.jacobian[entry] for entry in entries]),
        ]

    def _restart(self) -> str:
        """A first step for lanes with a new member, or with values that an event has changed; as `solve.controller`.

        Rates and Jacobian are known: the step that follows begins with them.
        """
        code, rows = Code(self.width), self.rows
        fresh = code.mask(rows.fresh)
        self._refuse_unknown(code, fresh)
        rates, weights = rows.u, rows.scaled
        with code.loop(rows.states) as i:
            code[code.at(rates, i)] = code[code.at(rows.f, i)]
        for i in code.each(rows.algebraic):  # constraints say nothing about how fast anything moves
            code[code.at(rates, i)] = 0.0
        zero = code.constant(0.0)
        with carried(code, rows.states, 0, zero, zero) as (i, (size, slope)):
            weight = self._weight(code, i)
            code[code.at(weights, i)] = weight
            size.next = larger(size.value, abs(code[code.at(rows.y, i)]) * weight)
            slope.next = larger(slope.value, abs(code[code.at(rates, i)]) * weight)
        span = code.double("end") - code.double("start")
        ratio = size.value * 0.01 / larger(slope.value, TINIEST)
        step = ((size.value > 1e-5) & (slope.value > 1e-5)).where(ratio, span * 1e-6)
        trial = smaller(larger(step, smallest_step(code[rows.t], span) * 100.0), span * 0.01)
        for i in code.each(rows.algebraic):
            code[code.at(weights, i)] = 0.0
        with carried(code, rows.states, 0, zero) as (i, (bend,)):
            change = abs(self._second_derivative(code, i, rates)) * code[code.at(weights, i)]
            bend.next = larger(bend.value, change.equals(change).where(change, INFINITY))
        code.put(rows.planned, fresh, self._first_step(code, slope.value, bend.value, trial, span))
        code.put(rows.refused, fresh, 0.0)
        code[rows.fresh] = 0.0
        return code.function("restart")

    def _second_derivative(self, code: Code, state: str, rates: int) -> Vector:
        """y'' = J y' + f_t of a state; f_t is 0 in the rows of states that do not depend on time."""
        end = code.whole("bend_first", code.let(f"add i64 {state}, 1"))
        sofar = code[code.at(self.rows.by_time, state)]
        with carried(code, end, code.whole("bend_first", state), sofar) as (entry, (total,)):
            rate = code[code.at(rates, code.whole("bend_column", entry))]
            total.next = code[code.whole("bend_source", entry)].fma(rate, total.value)
        return total.value

    def _first_step(self, code: Code, slope: Vector, bend: Vector, trial: Vector, span: Vector) -> Vector:
        """As `solve.controller.first_step`."""
        speed = bend / slope
        filling = power(code, code.double("rtol") * (1.0 / 200.0), 1.0 / self.order) / speed
        step = larger(power(code, slope * 100.0 / speed, -1.0 / (self.order + 1)) / speed, filling)
        known = step.finite & (speed > 0.0)
        seen = trial * 100.0
        longest = smaller(known.where(larger(seen, filling), seen), span * 0.01)
        otherwise = bend.finite.where(longest, trial)
        return larger(known.where(smaller(step, longest), otherwise), trial)

    def _refuse_unknown(self, code: Code, fresh: Mask) -> None:
        """Fail lanes in which a state or a rate is not finite, naming the first."""
        rows, running = self.rows, code[self.rows.status].equals(RUNNING)
        code[rows.norm] = 0.0
        with code.loop(rows.states) as i:
            unknown = ~(code[code.at(rows.y, i)].finite & code[code.at(rows.f, i)].finite)
            code.put(rows.norm, unknown & code[rows.norm].equals(0.0), code.lane_count(i) + 1.0)
        failed = fresh & running & code[rows.norm].differs(0.0)
        code.put(rows.status, failed, NOT_FINITE_AT_START)
        code.put(rows.fault, failed, code[rows.norm] - 1.0)

    def _weight(self, code: Code, i: str) -> Vector:
        """1 over the error that is allowed in a state."""
        allowed = code[code.at(self.rows.atol, i)] + code.double("rtol") * abs(code[code.at(self.rows.y, i)])
        return code.constant(1.0) / larger(allowed, TINIEST)
