"""The blocks of a program as functions on the workspace: each reads names from their rows and writes its results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from bonesim.codegen.backends.llvm_lower import lowered, one_less
from bonesim.codegen.backends.llvm_rows import Rows, other_outputs
from bonesim.codegen.backends.llvm_text import ARGUMENTS, Expressions, in_turn
from bonesim.codegen.backends.llvm_values import LANE_ARGUMENTS, Along, Code, Vector
from bonesim.codegen.block import Block, Store
from bonesim.codegen.pieces import Piece, cost, cut
from bonesim.codegen.program import Program
from bonesim.codegen.schedule import single_operations

LONGEST_INLINED = 8000
"""Instructions of a block with the elementary functions inside; in a longer one they are called."""
LONGEST_PIECE = 6000
"""Instructions of one function of a block."""


Targets: TypeAlias = dict[tuple[str, tuple[int, ...]], int]  # array and index -> row of the workspace that takes it


class MarkedCode(Code):
    """A body whose stores change only the lanes that a row marks."""

    def __init__(self, width: int, mark: int) -> None:
        super().__init__(width)
        self._marked = super().mask(mark)

    def store(self, value: str, row: int | str) -> None:
        """Put a value into a row, in the marked lanes."""
        super().store(self._marked.where(Vector(self, value), self[row]).name, row)


class Blocks:
    """The model's equations; `firing` marks the lanes that events act on."""

    def __init__(self, program: Program, rows: Rows, width: int) -> None:
        self.program, self.rows, self.width = program, rows, width
        self.higher = one_less(program)

    def text(self) -> str:
        """All functions of the model."""
        program, rows = self.program, self.rows
        parts = [
            self._block("constants", program.constants, {"k": rows.k}, rows.y, rows.t),
            self._block("rhs", program.rhs, {"dy": rows.f}, rows.u, rows.at),
            self._start(),
            self._block("observe", program.observe, {"out": rows.out}, rows.seen, rows.seen_t),
            self._observe_along(),
        ]
        targets = {"times": rows.first, "every": rows.every}
        parts.append(self._block("event_times", program.event_times, targets, rows.y, rows.t, marked=True))
        parts.append(self._block("stops", program.stops, {"stops": rows.stops}, rows.y, rows.t))
        parts.append(self._block("roots", program.roots, {"g": rows.g}, rows.seen, rows.seen_t))
        parts.append(self._block("conditions", program.settle, {"k": rows.k}, rows.y, rows.t, marked=True))
        for group in rows.alike:
            parts.append(self._fire(group.first, group.block, group.argument_names))
        for number in range(rows.events, len(program.firing)):
            parts.append(self._fire(number, program.firing[number]))
        return "\n".join(parts)

    def _fire(self, number: int, block: Block, arguments: Sequence[str] = ()) -> str:
        """What an event sets; the arguments of events that are alike stand in rows of their own."""
        rows = self.rows
        homes = {name: rows.arguments + place for place, name in enumerate(arguments)}
        targets = {"y": rows.y, "p": rows.p}
        return self._block(f"fire_{number}", block, targets, rows.y, rows.t, marked=True, homes=homes)

    def _block(
        self,
        name: str,
        block: Block,
        arrays: dict[str, int],
        states: int,
        time: int,
        *,
        marked: bool = False,
        homes: dict[str, int] | None = None,
    ) -> str:
        target = {(store.array, store.index): arrays[store.array] + store.index[0] for store in block.stores}
        new_body = partial(MarkedCode, self.width, self.rows.firing) if marked else partial(Code, self.width)
        known = self.rows.homes(self.program, states) | (homes or {})
        return self._functions(name, block, target, known, time, new_body)

    def _observe_along(self) -> str:
        """What is observed beside states, at several times of one lane."""
        rows, block = self.rows, other_outputs(self.program)
        target = {(store.array, store.index): rows.out + store.index[0] for store in block.stores}
        homes, new_body = rows.homes(self.program, rows.seen), lambda: Along(self.width, rows.along)
        name, time = "observe_along", rows.seen_t
        return self._functions(name, block, target, homes, time, new_body, arguments=LANE_ARGUMENTS)

    def _start(self) -> str:
        """Rates and their derivatives where the step begins; derivatives that are the same expression once."""
        program, rows = self.program, self.rows
        target: Targets = {("dy", (row,)): rows.f + row for row in range(rows.states)}
        target |= {("by_time", (row,)): rows.by_time + row for row in range(rows.states)}
        target |= {("jacobian", entry): row for entry, row in rows.jacobian.items()}
        once = {target[store.array, store.index]: store for store in reversed(program.start.stores)}
        block = replace(program.start, stores=tuple(reversed(once.values())))
        homes = rows.homes(program, rows.y)
        return self._functions("start", block, target, homes, rows.t, partial(Code, self.width))

    def _functions(
        self,
        name: str,
        block: Block,
        target: Targets,
        homes: dict[str, int],
        time: int,
        new_body: Callable[[], Code],
        *,
        arguments: str = ARGUMENTS,
    ) -> str:
        """A function, of several pieces if it is long, that computes a block and writes each store to its target.

        Powers are taken the quick way. Where a number in some lane is none for it, the piece is computed once more by
        its careful form, which gives the other lanes the same bits. What would see its own stores then has that alone.
        """
        overwrites = any(homes.get(used) in target.values() for used in block.used())
        block = single_operations(lowered(block, self.higher))
        pieces = cut(block, LONGEST_PIECE, overwrites=overwrites)
        pool = self.rows.pool(1 + max((place for piece in pieces for place in piece.kept.values()), default=-1))
        kept = {value: pool + place for piece in pieces for value, place in piece.kept.items()}
        attribute = "noinline" if cost(block) > LONGEST_INLINED else ""
        bodies, careful_forms = [], []
        for number, piece in enumerate(pieces):

            def compute(careful: bool, piece: Piece = piece) -> Expressions:
                expressions = Expressions(new_body(), homes | kept, time, attribute, careful=careful)
                _compute(piece, expressions, target, kept)
                return expressions

            form = compute(careful=overwrites)
            if form.ordinary:
                again = f"{name}_careful_{number}"
                careful_forms.append(compute(careful=True).body.alone(again, arguments))
                form.call_where_extraordinary(again, arguments)
            bodies.append(form.body)
        return "\n".join([*careful_forms, in_turn(name, bodies, arguments)])


def _compute(piece: Piece, expressions: Expressions, target: Targets, kept: dict[str, int]) -> None:
    """Write the lines of a piece; values that a later piece reads go to their rows of the pool."""
    code = expressions.body
    for step in piece.steps:
        if isinstance(step, Store):
            code.store(expressions.number(step.expr), target[step.array, step.index])
        else:
            expressions.known[step[0]] = expressions.number(step[1])
    for name in piece.kept:
        Code.store(code, expressions.known[name], kept[name])
