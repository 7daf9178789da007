"""Timed events in the compiled loop: when each happens next, and what happens now."""

from __future__ import annotations

from bonesim.codegen.alike import Alike
from bonesim.codegen.backends.llvm_parts import INFINITY, NOT_FINITE_AT_START, RUNNING, happen, soon
from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_text import whole_numbers
from bonesim.codegen.backends.llvm_values import Code, Mask, smaller
from bonesim.codegen.program import Program


class Events:
    """The functions `calendar`, `next_event` and `fire`."""

    def __init__(self, program: Program, rows: Rows, width: int) -> None:
        self.program, self.rows, self.width = program, rows, width
        self.homes = rows.homes(program, rows.y)

    def text(self) -> str:
        """All functions of timed events, and how often each happens."""
        if not self.rows.events:
            return self._next_event()
        counts = ", ".join(f"double {float(count)!r}" for count in self.program.layout.events)
        table = f"@counts = private constant [{self.rows.events} x double] [{counts}]"
        return "\n".join([table, self._calendar(), self._next_event(), self._fire()])

    def _calendar(self) -> str:
        """First occurrences in the lanes that `firing` marks; those before the start do not happen."""
        code, rows = Code(self.width), self.rows
        new = code.mask(rows.firing)
        code.run("event_times")
        with code.loop(rows.events) as event:
            due = code.at(rows.due, event)
            code.put(code.at(rows.turns, event), new, 0.0)
            self._schedule(code, event, new)
            unknown = new & ~code[due].equals(code[due])
            code.put(rows.status, unknown, NOT_FINITE_AT_START)
            code.put(rows.fault, unknown, -1.0)
            with code.forever() as skip:
                early = new & (soon(code[due]) < code.double("start"))
                skip.leave((~early).all)
                self._advance(code, event, early)
        return code.function("calendar")

    def _next_event(self) -> str:
        """The earliest of the events of each lane."""
        code, rows = Code(self.width), self.rows
        code[rows.event] = INFINITY
        if rows.events:
            with code.loop(rows.events) as event:
                code[rows.event] = smaller(code[rows.event], code[code.at(rows.due, event)])
        return code.function("next_event")

    def _fire(self) -> str:
        """Events due now, the earliest first, those of one time in the order of the model."""
        code, rows = Code(self.width), self.rows
        with code.forever() as group:
            running = code.mask(rows.active) & code[rows.status].equals(RUNNING)
            pending = running & (code[rows.event] <= soon(code[rows.t]))
            group.leave((~pending).all)
            for events in rows.alike:
                for number in code.each(range(events.first, events.end)):
                    with code.forever() as again:  # an interval of 0 repeats the event before the next one
                        well = pending & code[rows.status].equals(RUNNING)
                        hit = well & code[code.at(rows.due, number)].equals(code[rows.event])
                        again.leave((~hit).all)
                        self._hand_arguments(code, events, number)
                        happen(code, self.program, rows, events.first, hit)
                        self._advance(code, number, hit)
            code.run("next_event")
        tables = [
            whole_numbers(f"arguments_{events.first}_{place}", [self.homes[name] for name in names])
            for events in rows.alike
            for place, names in enumerate(events.arguments)
        ]
        return "\n".join([*tables, code.function("fire")])

    def _hand_arguments(self, code: Code, events: Alike, number: str) -> None:
        """Put what this event reads into the rows from which all that are alike read it."""
        for place in range(len(events.arguments)):
            row = code.whole(f"arguments_{events.first}_{place}", code.let(f"sub i64 {number}, {events.first}"))
            code[self.rows.arguments + place] = code[row]

    def _advance(self, code: Code, event: str, happened: Mask) -> None:
        """Move an event to its next occurrence in the lanes where it has happened."""
        place = code.at(self.rows.turns, event)
        code[place] = code[place] + happened.number
        self._schedule(code, event, happened)

    def _schedule(self, code: Code, event: str, lanes: Mask) -> None:
        """When an event happens next: first + turn every, from the last turn backwards if the interval is negative."""
        rows = self.rows
        count = code.splat(code.let(f"load double, ptr {code.let(f'getelementptr double, ptr @counts, i64 {event}')}"))
        turns, every = code[code.at(rows.turns, event)], code[code.at(rows.every, event)]
        turn = (every < 0.0).where(count - 1.0 - turns, turns)
        time = code[code.at(rows.first, event)] + turn * every
        code.put(code.at(rows.due, event), lanes, (turns < count).where(time, INFINITY))
