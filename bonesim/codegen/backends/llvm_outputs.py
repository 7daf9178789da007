"""Outputs in the compiled loop: those inside a step, those of a moment, and the end of a member."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from bonesim.codegen.backends.llvm_parts import (
    EVENTS_WITHOUT_END,
    INFINITY,
    NO_CONSISTENT_START,
    NOT_FINITE_AT_START,
    RUNNING,
    interpolated,
    just_before,
    soon,
)
from bonesim.codegen.backends.llvm_rows import Rows, other_outputs
from bonesim.codegen.backends.llvm_step import Step
from bonesim.codegen.backends.llvm_values import LANE_ARGUMENTS, PRECISIONS, Along, Code, Mask, Vector
from bonesim.codegen.block import Block
from bonesim.codegen.program import Program

LINE = 64
"""Bytes that memory hands over at a time."""


class Outputs:
    """The functions `between`, `along`, `record`, `send` and `retire`."""

    def __init__(self, program: Program, step: Step, rows: Rows, width: int) -> None:
        self.program, self.step, self.rows, self.width = program, step, rows, width
        self.layout = program.layout
        self.shown = _rows_of(program.observe, program)
        self.read = _rows_of(other_outputs(program), program)

    def text(self) -> str:
        """All functions of outputs."""
        parts = (self._send(), self._record(), self._along(), self._between(), self._retire())
        return "\n".join([_declarations(self.width), self.step.dense("dense_shown", self.shown), *parts])

    def _between(self) -> str:
        """Outputs strictly inside the accepted steps, lane by lane."""
        code, rows = Code(self.width), self.rows
        code[rows.writing] = (code.mask(rows.accepted) & (code[rows.out_time] < just_before(code[rows.t_next]))).number
        with code.loop(self.width) as lane, code.marked(rows.writing, lane):
            code.run("along", f"i64 {lane}")
        return code.function("between")

    def _along(self) -> str:
        """Outputs of one lane, from the method's continuous extension, as many times at once as a vector holds.

        Lanes differ in how many outputs lie in their steps; a vector over lanes would be empty for the most part.
        """
        code, rows = Along(self.width, self.rows.along), self.rows
        t, h, end = code[rows.t], code[rows.h], just_before(code[rows.t_next])
        with code.forever() as write:
            place = code.get(rows.next_out, "%lane", "i64")
            at = code.fetch_vector("t_out", place)
            inside = at < end
            count = inside.count
            write.leave(code.let(f"icmp eq i64 {count}, 0"))
            at = inside.where(at, t)  # elsewhere in the vector nothing out of the ordinary is computed
            theta = (at - t) / h
            for state in code.each(self.read):
                code[code.at(rows.seen, state)] = interpolated(code, rows, self.step.tableau, state, theta)
            code[rows.seen_t] = at
            code.run("observe_along", "i64 %lane")
            self._send_along(code, theta, inside)
            for row in (rows.place, rows.next_out):
                code.set(row, "%lane", code.let(f"add i64 {code.get(row, '%lane', 'i64')}, {count}"), "i64")
        code.set(rows.out_time, "%lane", code.fetch("t_out", code.get(rows.next_out, "%lane", "i64")))
        return code.function("along", LANE_ARGUMENTS)

    def _send_along(self, code: Along, theta: Vector, inside: Mask) -> None:
        """Write all observables of one lane at the times of it that are inside.

        Those that are states come from the continuous extension, the others from the rows `out`.
        """
        rows, plain = self.rows, self.rows.plain_outputs
        others = [row for row in range(rows.observables) if row not in plain]
        for kind, suffix in code.each_precision():
            place = _Place(kind, suffix, code.get(rows.place, "%lane", "i64"), code.word("times", "i64"))
            for shift, group in groupby(plain.items(), lambda pair: pair[1] - pair[0]):
                for i in code.each([row for row, _ in group]):
                    value = interpolated(code, rows, self.step.tableau, code.at(shift, i), theta)
                    place.send(code, i, value.name, inside)
            for i in code.each(others):
                place.send(code, i, code.load_whole(code.at(rows.out, i)), inside)

    def _record(self) -> str:
        """Write the observables of the lanes that `writing` marks at the states `seen`."""
        code = Code(self.width)
        code.run("observe")
        code.run("send")
        return code.function("record")

    def _send(self) -> str:
        """Write the rows `out` of the lanes that `writing` marks, and move their output pointers."""
        code, rows = Code(self.width), self.rows
        writing = code.mask(rows.writing)
        for kind, _ in code.each_precision():
            self._send_all(code, writing, kind, 4 if kind == "float" else 8)
        for row in (rows.place, rows.next_out):
            one = code.let(f"zext {code.booleans} {writing.name} to {code.integers}")
            code.put_integers(row, code.let(f"add {code.integers} {code.get_integers(row)}, {one}"))
        code[rows.out_time] = code.gather("t_out", code.get_integers(rows.next_out))
        return code.function("send")

    def _send_all(self, code: Code, writing: Mask, kind: str, size: int) -> None:
        """Write every observable; a member's course of one observable lies in one piece.

        Without a branch: lanes that write nothing write to a row that nobody reads.
        """
        rows = self.rows
        start = code.let(f"ptrtoint ptr {code.word('out', 'ptr')} to i64")
        spare = code.splat_integer(code.let(f"ptrtoint ptr {code.row(rows.spare)} to i64"))
        scaled = code.let(f"mul {code.integers} {code.get_integers(rows.place)}, splat (i64 {size})")
        first = code.let(f"add {code.integers} {scaled}, {code.splat_integer(start)}")
        stride = code.let(f"mul i64 {code.word('times', 'i64')}, {size}")
        with code.loop(len(self.program.layout.observables)) as i:
            offset = code.splat_integer(code.let(f"mul i64 {i}, {stride}"))
            place = code.let(f"add {code.integers} {first}, {offset}")
            place = code.let(f"select {code.booleans} {writing.name}, {code.integers} {place}, {code.integers} {spare}")
            value = code[code.at(rows.out, i)].name
            if kind == "float":
                value = code.let(f"fptrunc {code.vector} {value} to <{self.width} x float>")
            code.scatter(value, place, kind)

    def show_now(self, code: Code, lanes: Mask) -> None:
        """Write one output of some lanes with the values they have now."""
        rows = self.rows
        for state in code.each(self.shown):
            code[code.at(rows.seen, state)] = code[code.at(rows.y, state)]
        code[rows.seen_t], code[rows.writing] = code[rows.t], lanes.number
        code.run("record")

    def _retire(self) -> str:
        """The last outputs and the end of members that arrived or failed; their lanes become idle."""
        code, rows = Code(self.width), self.rows
        ended = code.mask(rows.ended)
        known = code[rows.status].differs(NOT_FINITE_AT_START) & code[rows.status].differs(EVENTS_WITHOUT_END)
        known = known & code[rows.status].differs(NO_CONSISTENT_START)
        with code.forever() as write:
            wanted = ended & known & (code[rows.out_time] <= soon(code[rows.t]))
            write.leave((~wanted).all)
            self.show_now(code, wanted)
        with code.loop(self.width) as lane, code.marked(rows.ended, lane):
            self._hand_over(code, lane)
        return code.function("retire")

    def _hand_over(self, code: Code, lane: str) -> None:
        rows, member = self.rows, code.get(self.rows.member, lane, "i64")
        with code.loop(rows.states) as i:
            code.send("last", code.plane(i, member), code.get(code.at(rows.y, i), lane))
        code.send("stop_time", member, code.get(rows.t, lane))
        for field, row, kind in (
            ("status", rows.status, "i8"),
            ("steps", rows.steps, "i32"),
            ("rejected", rows.rejected, "i32"),
        ):
            code.send(field, member, code.let(f"fptosi double {code.get(row, lane)} to {kind}"), kind)
        with code.when(code.let(f"fcmp une double {code.get(rows.status, lane)}, {RUNNING}")):
            for number, row in enumerate((rows.fault, rows.fault_size, rows.planned)):
                value = code.let(f"fptrunc double {code.get(row, lane)} to float")
                code.send("fault", code.plane(number, member), value, "float")
            self._leave_blank(code, lane)
        code.set(rows.active, lane, "0.0")

    def _leave_blank(self, code: Code, lane: str) -> None:
        """Write NaN, by `send`, to all outputs that a member did not reach."""
        rows = self.rows
        code[rows.writing] = 0.0
        code.set(rows.writing, lane, "1.0")
        with code.forever() as write:
            missing = code.mask(rows.writing) & (code[rows.out_time] < INFINITY)
            write.leave((~missing).all)
            with code.loop(len(self.layout.observables)) as i:
                code[code.at(rows.out, i)] = float("nan")
            code.run("send")


@dataclass(frozen=True)
class _Place:
    """Where outputs of a lane stand: its next one, and how many times each observable has."""

    kind: str
    suffix: str
    next: str
    times: str

    def send(self, code: Code, observable: str, value: str, inside: Mask) -> None:
        """Write those elements of a vector that are inside; they lie one behind another.

        A masked store, which AMD processors before AVX-512 do in microcode, once for up to a vector of outputs.
        """
        vector = f"<{code.width} x {self.kind}>"
        if self.kind == "float":
            value = code.let(f"fptrunc {code.vector} {value} to {vector}")
        index = code.let(f"add i64 {code.let(f'mul i64 {observable}, {self.times}')}, {self.next}")
        address = code.let(f"getelementptr inbounds {self.kind}, ptr {code.word('out', 'ptr')}, i64 {index}")
        stored = f"{vector} {value}, ptr {address}, i32 4, {code.booleans} {inside.name}"
        code.lines.append(f"  call void @llvm.masked.store.v{code.width}{self.suffix}.p0({stored})")
        # Memory is far away: what comes next in this row is asked for in time.
        ahead = code.let(f"getelementptr i8, ptr {address}, i64 {LINE}")
        code.lines.append(f"  call void @llvm.prefetch.p0(ptr {ahead}, i32 1, i32 3, i32 1)")


def _rows_of(block: Block, program: Program) -> list[int]:
    """The states that a block reads."""
    used = block.used()
    return [row for row, name in enumerate(program.layout.states) if name in used]


def _declarations(width: int) -> str:
    """What writing a part of a vector rests on."""
    stored = (
        f"declare void @llvm.masked.store.v{width}{suffix}.p0(<{width} x {kind}>, ptr, i32, <{width} x i1>)"
        for kind, suffix in PRECISIONS
    )
    prefetch = "declare void @llvm.prefetch.p0(ptr, i32, i32, i32)"
    return "\n".join([f"declare i{width} @llvm.ctpop.i{width}(i{width})", prefetch, *stored])
