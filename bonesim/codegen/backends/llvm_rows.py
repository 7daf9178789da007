"""The memory of a block of lanes: a workspace of rows, one vector each, so that every function sees fixed places."""

from __future__ import annotations

from dataclasses import replace

from bonesim.codegen.alike import alike
from bonesim.codegen.block import Block
from bonesim.codegen.program import Program
from bonesim.codegen.sparse import Elimination, Entry
from bonesim.model.expr import Expr, Sym


def jacobian_entries(program: Program) -> dict[Entry, Expr]:
    """The entries of the Jacobian as the step has them; expressions with the same value are equal."""
    return {(store.index[0], store.index[1]): store.expr for store in program.start.stores if store.array == "jacobian"}


def plain_outputs(program: Program) -> dict[int, int]:
    """Rows of those observables that are states, in order, each with the row of its state."""
    place = {name: row for row, name in enumerate(program.layout.states)}
    return {
        store.index[0]: place[store.expr.name]
        for store in program.observe.stores
        if isinstance(store.expr, Sym) and store.expr.name in place
    }


def other_outputs(program: Program) -> Block:
    """The block of the other observables."""
    plain = plain_outputs(program)
    return replace(
        program.observe, stores=tuple(store for store in program.observe.stores if store.index[0] not in plain)
    )


class Rows:
    """Rows of the workspace by name; `size` of them in all.

    Truth values are kept as 1 and 0, counts as whole numbers; `member`, `next_out` and `place` hold integers.
    """

    def __init__(self, program: Program, stages: int, dense: int, lu: Elimination) -> None:
        self.size = 0
        layout = program.layout
        self.states, self.parameters = len(layout.states), len(layout.parameters)
        self.observables, self.plain_outputs = len(layout.observables), plain_outputs(program)
        n = self.states
        self.algebraic = layout.algebraic  # states whose rows of the step's matrix have no 1/(h gamma)
        # The member in each lane, and where it stands.
        self.member, self.active, self.new, self.fresh, self.ended, self.status = (self._take(1) for _ in range(6))
        self.t, self.planned, self.refused, self.steps, self.rejected = (self._take(1) for _ in range(5))
        self.y, self.atol = self._take(n), self._take(n)
        self.p, self.k = self._take(self.parameters), self._take(layout.kept)
        self.fault, self.fault_size = self._take(1), self._take(1)
        # Events: of each, its next time, its interval and how often it has happened; then the earliest.
        self.events = len(layout.events)
        self.due, self.first, self.every, self.turns = (self._take(self.events) for _ in range(4))
        self.event, self.firing = self._take(1), self._take(1)
        self.alike = alike(program)
        self.arguments = self._take(max((len(group.arguments) for group in self.alike), default=0))
        # Conditions: when the next turns, the events they set off, and the search for a crossing in a step.
        self.unsettled, self.next_stop, self.rounds, self.taken = (self._take(1) for _ in range(4))
        self.triggers = self.k + layout.triggers.start
        self.pending, self.g, self.stops = (
            self._take(rows) for rows in (len(layout.initially), len(layout.located), layout.timed)
        )
        self.crossed, self.theta, self.low, self.high, self.wrong, self.first_wrong = (self._take(1) for _ in range(6))
        self.depth, self.depth_low, self.depth_high = (self._take(1) for _ in range(3))
        self.turns_in_a_row, self.culprit, self.dwell, self.gone = (self._take(1) for _ in range(4))
        # Outputs: the next one of each lane, where it is written, and the states there.
        self.next_out, self.place, self.out_time, self.writing, self.seen_t, self.spare = (
            self._take(1) for _ in range(6)
        )
        self.seen, self.out = self._take(n), self._take(self.observables)
        # The step.
        self.h, self.inverse_h, self.at, self.t_next, self.accepted, self.norm = (self._take(1) for _ in range(6))
        self.u, self.f, self.y_next, self.scaled, self.by_time = (self._take(n) for _ in range(5))
        self.jacobian, self.nothing = self._jacobian(program), self._take(1)
        self.lu = self._take(lu.stored)
        self.stages, self.dense = self._take(n * stages), self._take(n * dense)
        self._pool = self.size

    def _take(self, rows: int) -> int:
        first = self.size
        self.size += rows
        return first

    def pool(self, rows: int) -> int:
        """The first of some rows for what the pieces of one function hand each other."""
        self.size = max(self.size, self._pool + rows)
        return self._pool

    @property
    def along(self) -> frozenset[int]:
        """Rows that hold numbers of several times of one lane while its outputs are written (`llvm_values.Along`)."""
        ranges = ((self.seen, self.states), (self.out, self.observables), (self._pool, self.size - self._pool))
        return frozenset({self.seen_t}.union(*(range(first, first + count) for first, count in ranges)))

    def _jacobian(self, program: Program) -> dict[Entry, int]:
        """A row for each entry; those that are the same expression share one."""
        entries = jacobian_entries(program)
        shared = {expr: self._take(1) for expr in dict.fromkeys(entries.values())}
        return {entry: shared[expr] for entry, expr in entries.items()}

    def homes(self, program: Program, states: int) -> dict[str, int]:
        """Where each name of the model is read from, with the states from the row `states` on."""
        layout = program.layout
        homes = {name: states + row for row, name in enumerate(layout.states)}
        homes |= {name: self.p + row for row, name in enumerate(layout.parameters)}
        return homes | {name: self.k + row for row, name in enumerate((*layout.constants, *layout.switches))}
