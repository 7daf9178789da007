"""The first step of lanes with a new member, or with values that an event has changed."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_parts import (
    INFINITY,
    NOT_FINITE_AT_START,
    RUNNING,
    TINIEST,
    hold_still,
    power,
    rates_now,
    smallest_step,
)
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, carried, larger, smaller
from bonesim.codegen.program import Program


class Restart:
    """The function `restart`, with the estimates of `solve.controller`."""

    def __init__(self, program: Program, order: int, rows: Rows, width: int) -> None:
        self.program, self.order, self.rows, self.width = program, order, rows, width

    def text(self) -> str:
        """The function."""
        return self._restart()

    def _restart(self) -> str:
        """A first step for lanes with a new member, or with values that an event has changed; as `solve.controller`."""
        code, rows = Code(self.width), self.rows
        fresh = code.mask(rows.fresh)
        rates_now(code, rows)
        self._refuse_unknown(code, fresh)
        hold_still(code, self.program, rows)
        zero = code.constant(0.0)
        with carried(code, rows.states, 0, zero, zero) as (i, (size, slope)):
            weight = self._weight(code, i)
            code[code.at(rows.scaled, i)] = weight
            size.next = larger(size.value, abs(code[code.at(rows.y, i)]) * weight)
            slope.next = larger(slope.value, abs(code[code.at(rows.f, i)]) * weight)
        span = code.double("end") - code.double("start")
        ratio = size.value * 0.01 / larger(slope.value, TINIEST)
        step = ((size.value > 1e-5) & (slope.value > 1e-5)).where(ratio, span * 1e-6)
        trial = smaller(larger(step, smallest_step(code[rows.t], span) * 100.0), span * 0.01)
        with code.loop(rows.states) as i:
            f = code[code.at(rows.f, i)]
            code[code.at(rows.by_time, i)] = f
            code[code.at(rows.u, i)] = code[code.at(rows.y, i)] + trial * f
        code[rows.at] = code[rows.t] + trial
        code.run("rhs")
        hold_still(code, self.program, rows)
        with carried(code, rows.states, 0, zero) as (i, (bend,)):
            weight = code[code.at(rows.scaled, i)]
            change = abs(code[code.at(rows.f, i)] - code[code.at(rows.by_time, i)]) * weight
            bend.next = larger(bend.value, change.equals(change).where(change, INFINITY))
        code.put(rows.planned, fresh, self._first_step(code, slope.value, bend.value / trial, trial, span))
        code.put(rows.refused, fresh, 0.0)
        code[rows.fresh] = 0.0
        return code.function("restart")

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
