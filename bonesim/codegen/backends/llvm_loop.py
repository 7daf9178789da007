"""The loop over members as LLVM text: what `solve.driver` does in NumPy, for the lanes of one thread.

    drive:   load members into idle lanes; until none is active: prepare what is new, retire what has ended, take a turn
    prepare: constants and events of new members; what happens now
    turn:    rates and slopes; a first step for lanes that (re)start; fit a step to the next stop, take it, judge it,
             write the outputs inside it, move on

Lanes never mix: every lane has its own time, step size, events and output pointer, and the next member is taken from a
counter that all threads share. The functions hand each other everything through the rows of the workspace.
"""

from __future__ import annotations

from bonesim.codegen.backends.llvm_conditions import GETS_ON, PATIENCE, Conditions
from bonesim.codegen.backends.llvm_constraints import Constraints
from bonesim.codegen.backends.llvm_events import Events
from bonesim.codegen.backends.llvm_outputs import Outputs
from bonesim.codegen.backends.llvm_parts import (
    INFINITY,
    RUNNING,
    STEP_TOO_SMALL,
    TINIEST,
    TOO_MANY_STEPS,
    just_before,
    power,
    smallest_step,
    soon,
)
from bonesim.codegen.backends.llvm_restart import Restart
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_step import Step
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, larger, smaller
from bonesim.codegen.program import Program

SAFETY, SHRINK, GROW = 0.8, 0.2, 6.0
"""As in `solve.controller`."""


class Loop:
    """The functions `drive`, `load`, `prepare` and `turn`, and what they rest on."""

    def __init__(self, program: Program, step: Step, rows: Rows, width: int) -> None:
        self.program, self.step, self.rows, self.width = program, step, rows, width
        self.tableau = step.tableau
        self.layout = program.layout
        self.outputs = Outputs(program, step, rows, width)

    def text(self) -> str:
        """All functions of the loop."""
        conditions = Conditions(self.program, self.step, self.rows, self.width)
        parts = [
            Events(self.program, self.rows, self.width).text(),
            conditions.text() if self.layout.switching else "",
            Constraints(self.program, self.rows, self.width).text() if self.layout.settles else "",
            self.outputs.text(),
            Restart(self.tableau.order, self.rows, self.width).text(),
        ]
        own = (self._load(), self._begin(), self._prepare(), self._give_up(), self._turn(), self._drive())
        return "\n".join([*parts, *own])

    def _drive(self) -> str:
        code, rows = Code(self.width), self.rows
        code.run("load")
        with code.forever() as turn:
            active = code.mask(rows.active)
            turn.leave((~active).all)
            due = code[rows.event] <= soon(code[rows.t])
            with code.when((active & (due | code.mask(rows.unsettled))).any):
                code.run("prepare")
            over = (code[rows.t] >= code.double("end")) | code[rows.status].differs(RUNNING)
            ended = active & over
            with code.when((ended & code.mask(rows.fresh)).any):
                code.run("start")  # what ends where it restarts may be no number there
                code.run("restart")
            code[rows.ended] = ended.number
            some = ended.any
            with code.when(some):
                code.run("retire")
                code.run("load")
            with code.when(code.let(f"xor i1 {some}, true")):
                code.run("turn")
        return code.function("drive", linkage="")

    def _load(self) -> str:
        """Give each idle lane the next waiting member.

        A lane that gets none and has taken no step computes beside the others with the numbers of the first member, so
        that nothing in it is out of the ordinary.
        """
        code, rows = Code(self.width), self.rows
        with code.loop(self.width) as lane:
            idle = code.let(f"fcmp oeq double {code.get(rows.active, lane)}, 0.0")
            with code.when(idle):
                counter, members = code.word("next", "ptr"), code.word("members", "i64")
                member = code.let(f"atomicrmw add ptr {counter}, i64 1 monotonic")
                with code.when(code.let(f"icmp slt i64 {member}, {members}")):
                    self._take(code, lane, member)
                unused = code.let(f"fcmp oeq double {code.get(rows.steps, lane)}, 0.0")
                still_idle = code.let(f"fcmp oeq double {code.get(rows.active, lane)}, 0.0")
                with code.when(code.let(f"and i1 {unused}, {still_idle}")):
                    self._fill(code, lane, "0")
        return code.function("load")

    def _take(self, code: Code, lane: str, member: str) -> None:
        rows = self.rows
        code.set(rows.member, lane, member, "i64")
        for row, value in (
            *((row, "1.0") for row in (rows.active, rows.new, rows.fresh, rows.unsettled)),
            *((row, "0.0") for row in (rows.status, rows.refused, rows.steps, rows.rejected, rows.turns_in_a_row)),
            *((row, "0.0") for row in (rows.fault_size, rows.planned)),
            (rows.fault, "-1.0"),
            (rows.t, code.word("start", "double")),
            (rows.out_time, code.fetch("t_out", "0")),
        ):
            code.set(row, lane, value)
        size = code.let(f"mul i64 {code.word('times', 'i64')}, {len(self.program.layout.observables)}")
        code.set(rows.place, lane, code.let(f"mul i64 {member}, {size}"), "i64")
        code.set(rows.next_out, lane, "0", "i64")
        self._fill(code, lane, member)

    def _fill(self, code: Code, lane: str, member: str) -> None:
        """Parameters, initial states and tolerances of a member."""
        rows = self.rows
        for field, first, count in (
            ("parameters", rows.p, rows.parameters),
            ("initial", rows.y, rows.states),
            ("atol", rows.atol, rows.states),
        ):
            if count:
                with code.loop(count) as i:
                    code.set(code.at(first, i), lane, code.fetch(field, code.plane(i, member)))

    def _prepare(self) -> str:
        code, rows = Code(self.width), self.rows
        with code.when(code.mask(rows.new).any):
            code.run("begin")
        if self.layout.settles:
            with code.when(code.mask(rows.unsettled).any):
                code[rows.firing] = code[rows.unsettled]
                code.run("settle")
        code[rows.unsettled] = 0.0
        if rows.events:
            code.run("fire")
        if self.layout.initially:
            code.run("fire_pending")
        return code.function("prepare")

    def _begin(self) -> str:
        """Constants and events of new members; outputs before the start, if any; events before it do not happen."""
        code, rows = Code(self.width), self.rows
        new = code.mask(rows.new)
        code.run("constants")
        code[rows.firing] = new.number
        if rows.events:
            code.run("calendar")
        code.run("next_event")
        if self.layout.settles:
            for number, before in enumerate(self.layout.initially):
                code.put(rows.triggers + number, new, float(before))
                code.put(rows.pending + number, new, 0.0)
            code[rows.firing] = new.number
            code.run("settle")
            code.put(rows.unsettled, new, 0.0)
        with code.forever() as write:
            early = new & (code[rows.out_time] < code[rows.t]) & code[rows.status].equals(RUNNING)
            write.leave((~early).all)
            self.outputs.show_now(code, early)
        code[rows.new] = 0.0
        return code.function("begin")

    def _turn(self) -> str:
        """One step of every lane, accepted or not."""
        code, rows = Code(self.width), self.rows
        code.run("start")
        with code.when(code.mask(rows.fresh).any):
            code.run("restart")
        active = code.mask(rows.active) & code[rows.status].equals(RUNNING)
        t, planned = code[rows.t], code[rows.planned]
        stop = smaller(code[rows.event], code.double("end"))
        if self.layout.timed:
            stop = smaller(code[rows.next_stop], stop)
        if self.layout.located:
            sliding = active & (code[rows.turns_in_a_row] >= PATIENCE)
            with code.when(sliding.any):
                code.run("dwell")
                gets_on = sliding & (code[rows.gone] > code[rows.dwell] * GETS_ON)
                code.put(rows.turns_in_a_row, gets_on, 0.0)
            sliding = active & (code[rows.turns_in_a_row] >= PATIENCE)
            planned = sliding.where(smaller(planned, code[rows.dwell]), planned)
        left = stop - t
        lands = planned * 1.0001 >= left
        part = (planned * 2.0 > left).where(left * 0.5, planned)
        # The reciprocal of a step to a stop that is all but now must be a number; such a step moves nothing.
        h = active.where(lands.where(larger(left, TINIEST), (t + part) - t), 1.0)
        code[rows.h] = h
        code.run("step")
        norm = code[rows.norm]
        accepted = norm <= 1.0
        factor = self._factor(code, norm, accepted)
        code[rows.t_next], code[rows.accepted] = lands.where(stop, t + h), (active & accepted).number
        short = lands
        if self.layout.located:
            code.run("locate")
            short = short | sliding | code.mask(rows.crossed)
        t_next = code[rows.t_next]
        with code.when((active & accepted & (code[rows.out_time] < just_before(t_next))).any):
            code.run("dense_shown")
            code.run("between")
        if self.layout.located:
            self._count_turns(code, accepted, sliding)
        # A step cut short by a stop says nothing against the size that was planned.
        grown = h * factor
        kept = (accepted & short & (factor >= 1.0)).where(larger(code[rows.planned], grown), grown)
        code[rows.unsettled] = (active & accepted & short).number
        with code.loop(rows.states) as i:
            code.put(code.at(rows.y, i), active & accepted, code[code.at(rows.y_next, i)])
        code.put(rows.t, active & accepted, t_next)
        code[rows.planned], code[rows.refused] = kept, (~accepted).number
        code[rows.steps] = code[rows.steps] + active.number
        code[rows.rejected] = code[rows.rejected] + (active & ~accepted).number
        self._judge(code, active, kept)
        return code.function("turn")

    def _count_turns(self, code: Code, accepted: Mask, sliding: Mask) -> None:
        """End steps at the turns found in them; after a dwell, one more turn shows that the lane still slides."""
        rows = self.rows
        crossed = code.mask(rows.crossed)
        with code.when(crossed.any):
            code.run("cut")
        alone = sliding.where(PATIENCE - 1.0, 0.0)
        code.put(rows.turns_in_a_row, accepted, crossed.where(code[rows.turns_in_a_row] + 1.0, alone))
        code.put(rows.gone, accepted, code[rows.t_next] - code[rows.t])

    def _factor(self, code: Code, norm: Vector, accepted: Mask) -> Vector:
        """From this step size to the next, as in `solve.controller.step_factor`."""
        order = self.tableau.order
        scaled = power(code, larger(norm, 1e-10), -1.0 / order)
        factor = smaller(larger(scaled * SAFETY, SHRINK), GROW)
        again = code.mask(self.rows.refused)
        falling = larger(smaller(factor, code.constant(SAFETY) / norm), SHRINK)
        held = again.where(smaller(factor, 1.0), factor)
        shrunk = norm.finite.where(again.where(falling, smaller(factor, SAFETY)), SHRINK)
        return accepted.where(held, shrunk)

    def _judge(self, code: Code, active: Mask, planned: Vector) -> None:
        """Fail lanes whose step size fell to rounding level, or that took too many steps."""
        rows = self.rows
        t, end = code[rows.t], code.double("end")
        tiny = planned < smallest_step(t, end - code.double("start"))
        long = code[rows.steps] >= code.double("max_steps")
        failed = active & (tiny | long) & (t < end)
        with code.when(failed.any):
            code.put(rows.status, failed, tiny.where(STEP_TOO_SMALL, TOO_MANY_STEPS))
            code[rows.firing] = failed.number
            code.run("give_up")

    def _give_up(self) -> str:
        """The state with the largest error in the lanes that `firing` marks; what is not a number is the largest."""
        code, rows = Code(self.width), self.rows
        failed = code.mask(rows.firing)
        code.put(rows.fault_size, failed, -1.0)
        with code.loop(rows.states) as i:
            scaled = code[code.at(rows.scaled, i)]
            error = scaled.finite.where(scaled, INFINITY)
            worse = failed & (error > code[rows.fault_size])
            code.put(rows.fault, worse, code.lane_count(i))
            code.put(rows.fault_size, worse, error)
        if self.layout.located:
            slid = failed & (code[rows.turns_in_a_row] >= PATIENCE - 1.0)
            code.put(rows.fault, slid, code[rows.culprit] + float(rows.states))
        return code.function("give_up")
