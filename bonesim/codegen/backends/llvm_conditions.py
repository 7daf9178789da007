"""Conditions in the compiled loop: what they are now, the events they set off, and where in a step one turns over."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_parts import (
    EVENTS_WITHOUT_END,
    INFINITY,
    RUNNING,
    happen,
    interpolated,
    smallest_step,
)
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_step import Step
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, larger, smaller
from bonesim.codegen.program import Program

ROUNDS = 1000.0
"""As in `solve.driver`."""
PATIENCE = 8.0
DWELL = 10.0
GETS_ON = 100.0
"""As in `solve.sliding`."""
SAMPLES = (0.25, 0.5, 0.75, 1.0)
"""As in `solve.crossing`."""
AIMS = (2.0**-4, 2.0**-8, 2.0**-14, 2.0**-22)
"""How near to where a turn is expected it is looked for, as parts of what it may lie in."""


class Conditions:
    """The functions `read_conditions`, `fire_pending`, `locate`, `look`, `cut` and `dwell`."""

    def __init__(self, program: Program, step: Step, rows: Rows, width: int) -> None:
        self.program, self.step, self.rows, self.width = program, step, rows, width
        self.layout = program.layout
        self.watched = [row for row, name in enumerate(self.layout.states) if name in program.roots.used()]

    def text(self) -> str:
        """All functions of conditions."""
        located = (self._look(), self._locate(), self._cut(), self._dwell())
        every, watched = range(self.rows.states), self.watched
        extensions = (self.step.dense("dense", every), self.step.dense("dense_watched", watched))
        return "\n".join(
            [self._read_conditions(), self._fire_pending(), *((*located, *extensions) if self.layout.located else ())]
        )

    def _read_conditions(self) -> str:
        """Read all conditions anew where `firing` marks it: when the next turns, which events are to happen."""
        code, rows = Code(self.width), self.rows
        lanes, events = code.mask(rows.firing), range(len(self.layout.initially))
        before = [code[rows.triggers + number] for number in events]
        code.run("conditions")
        for number in events:
            risen = lanes & (code[rows.triggers + number] > 0.0) & before[number].equals(0.0)
            code.put(rows.pending + number, risen, 1.0)
        code.put(rows.next_stop, lanes, INFINITY)
        if self.layout.timed:
            code.run("stops")
            for number in range(self.layout.timed):
                stop = code[rows.stops + number]
                code.put(rows.next_stop, lanes & (stop > code[rows.t]), smaller(code[rows.next_stop], stop))
        return code.function("read_conditions")

    def _fire_pending(self) -> str:
        """The events of states that wait to happen, in each lane the first of the model, until none waits."""
        code, rows = Code(self.width), self.rows
        code[rows.rounds] = 0.0
        with code.forever() as group:
            waiting = code.constant(0.0).differs(0.0)
            for number in range(len(self.layout.initially)):
                waiting = waiting | code.mask(rows.pending + number)
            waiting = waiting & code.mask(rows.active) & code[rows.status].equals(RUNNING)
            group.leave((~waiting).all)
            endless = waiting & (code[rows.rounds] >= ROUNDS)
            code.put(rows.status, endless, EVENTS_WITHOUT_END)
            code[rows.taken] = (~waiting | endless).number
            for number in range(len(self.layout.initially)):
                mine = code.mask(rows.pending + number)
                code.put(rows.fault, endless & mine & (code[rows.fault] < 0.0), float(rows.events + number))
                lanes = mine & ~code.mask(rows.taken)
                with code.when(lanes.any):
                    code.put(rows.taken, lanes, 1.0)
                    code.put(rows.pending + number, lanes, 0.0)
                    happen(code, self.program, rows, rows.events + number, lanes)
            code[rows.rounds] = code[rows.rounds] + 1.0
        return code.function("fire_pending")

    def _look(self) -> str:
        """Whether some condition is on the wrong side of its root at `theta` of the step just taken, which and how far.

        `depth` is the largest of the root functions, with the sign by which it is above 0 on the wrong side.
        """
        code, rows = Code(self.width), self.rows
        for state in code.each(self.watched):
            code[code.at(rows.seen, state)] = self._state(code, state, code[rows.theta])
        code[rows.seen_t] = self._time(code, code[rows.theta])
        code.run("roots")
        code[rows.wrong], code[rows.depth] = 0.0, -INFINITY
        for number in range(len(self.layout.located) - 1, -1, -1):
            g = code[rows.g + number]
            depth = code.mask(rows.k + self.layout.turning[number]).where(-g, g)
            wrong = depth > 0.0
            code.put(rows.wrong, wrong, 1.0)
            code.put(rows.first_wrong, wrong, float(number))
            code[rows.depth] = larger(code[rows.depth], depth)
        return code.function("look")

    def _time(self, code: Code, theta: Vector) -> Vector:
        """The time at `theta` of the step; its end is where the clock will stand."""
        rows = self.rows
        return theta.equals(1.0).where(code[rows.t_next], code[rows.t] + theta * code[rows.h])

    def _state(self, code: Code, state: str, theta: Vector) -> Vector:
        end = code[code.at(self.rows.y_next, state)]
        return theta.equals(1.0).where(end, interpolated(code, self.rows, self.step.tableau, state, theta))

    def _locate(self) -> str:
        """Shorten accepted steps in which a condition turns over to the first place where it has done so.

        The conditions are looked at in four places; between the last where all are right and the first where one is
        wrong, the turn is found to the last bits of the time.
        """
        code, rows = Code(self.width), self.rows
        looked_at = code.mask(rows.accepted) & (code[rows.turns_in_a_row] < PATIENCE)
        code.run("dense_watched")
        code[rows.crossed], code[rows.low], code[rows.high] = 0.0, 0.0, 1.0
        for sample in SAMPLES:
            code[rows.theta] = sample
            code.run("look")
            missing = looked_at & ~code.mask(rows.crossed)
            found = missing & code.mask(rows.wrong)
            if sample == SAMPLES[0]:  # as if the start were as far from the turn
                code[rows.depth_low] = -code[rows.depth]
            self._narrow(code, missing)
            code.put(rows.crossed, found, 1.0)
        with code.when(code.mask(rows.crossed).any):
            self._aim(code)
            self._halve(code)
        return code.function("locate")

    def _narrow(self, code: Code, lanes: Mask) -> None:
        """What `look` has found at `theta` is a nearer end of where the turn is."""
        rows, wrong = self.rows, code.mask(self.rows.wrong)
        for end, depth, side in ((rows.high, rows.depth_high, wrong), (rows.low, rows.depth_low, ~wrong)):
            code.put(end, lanes & side, code[rows.theta])
            code.put(depth, lanes & side, code[rows.depth])

    def _aim(self, code: Code) -> None:
        """Close in on the turn from both sides of where a straight line has it, ever nearer.

        What misses it still narrows down where it is, and halving does the rest. Of several turns in a quarter of a
        step it may be another one than halving alone would find.
        """
        rows = self.rows
        for part in AIMS:
            low, high = code[rows.low], code[rows.high]
            width, depth = high - low, code[rows.depth_low]
            there = low + width * (depth / (depth - code[rows.depth_high]))
            for side in (-part, part):
                theta = there + width * side
                code[rows.theta] = theta
                self._probe(code, (theta > code[rows.low]) & (theta < code[rows.high]))

    def _probe(self, code: Code, lanes: Mask) -> None:
        """Look at `theta` in lanes in which a condition turns."""
        code.run("look")
        self._narrow(code, lanes & code.mask(self.rows.crossed))

    def _halve(self, code: Code) -> None:
        rows = self.rows
        crossed = code.mask(rows.crossed)
        with code.forever() as halving:
            low, high = code[rows.low], code[rows.high]
            middle = (low + high) * 0.5
            t = self._time(code, middle)
            wide = crossed & (t > self._time(code, low)) & (t < self._time(code, high))
            halving.leave((~wide).all)
            code[rows.theta] = middle
            self._probe(code, wide)
        code[rows.theta] = code[rows.high]
        code.run("look")
        code.put(rows.culprit, crossed, code[rows.first_wrong])
        code.put(rows.t_next, crossed, self._time(code, code[rows.high]))
        code.run("dense")

    def _cut(self) -> str:
        """Put the states at the crossing in place of those at the end of the step."""
        code, rows = Code(self.width), self.rows
        crossed = code.mask(rows.crossed)
        with code.loop(rows.states) as i:
            code.put(code.at(rows.y_next, i), crossed, self._state(code, i, code[rows.high]))
        return code.function("cut")

    def _dwell(self) -> str:
        """For lanes that slide along a condition a step so small that it need not look at conditions.

        Rates are those with which the step begins; constraints say nothing about how fast anything moves.
        """
        code, rows = Code(self.width), self.rows
        longest = rows.norm
        code[longest] = INFINITY
        for i in code.each([row for row in range(rows.states) if row not in rows.algebraic]):
            size = larger(code.double("rtol") * abs(code[code.at(rows.y, i)]), code[code.at(rows.atol, i)] * 1e3)
            code[longest] = smaller(code[longest], size * DWELL / abs(code[code.at(rows.f, i)]))
        least = smallest_step(code[rows.t], code.double("end") - code.double("start")) * 100.0
        code[rows.dwell] = larger(code[longest], least)
        return code.function("dwell")
