"""Constraints: residuals that are 0 at every time, each put into the row of a state that it can determine.

Which constraint was written beside which algebraic state says nothing. The elimination of a step takes its pivots from
the diagonal and in one order for all members, so each residual moves to the row of a state for which it is solved when
the slopes at the start are eliminated with a choice of pivots. Where pivots vanish later, the solver says that it finds
no consistent start, or its steps become too small: a member is never given wrong numbers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace

from bonesim.codegen.sparse import Entry
from bonesim.errors import InputError
from bonesim.model.blame import initial_values, with_rules
from bonesim.model.derive import Jacobian, add, jacobian, multiply
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Num
from bonesim.model.matching import matching
from bonesim.model.ode import OdeModel
from bonesim.system import FASTER

LEAST = 0.1
"""Of the largest entry of its column: a smaller pivot lets rounding grow."""

ROUNDING = 1e-9
"""Of the largest entry of a row: what elimination leaves of it below that is none."""

UNKNOWN = 1e-6
"""An entry of which the start does not tell the size."""


def matched(model: OdeModel) -> tuple[OdeModel, tuple[int, ...]]:
    """The model with its constraints in rows of states that they determine; these rows, in order of elimination.

    Raises
    ------
    InputError
        If the constraints cannot determine the algebraic states, whatever the numbers: the index is above 1.
    """
    algebraic = [row for row, state in enumerate(model.states) if state.algebraic]
    if not algebraic:
        return model, ()
    slopes = jacobian(model)
    reads: dict[int, list[int]] = {row: [] for row in algebraic}
    for equation, state in sorted(slopes.by_state):
        if equation in reads and state in reads:
            reads[equation].append(state)
    # Those written at a state that they contain come first.
    owner = matching(reads, {row: row for row, states in reads.items() if row in states})
    missing, idle = set(algebraic) - owner.keys(), set(algebraic) - set(owner.values())
    if missing:
        raise InputError(
            f"the constraints leave {_names(model, missing)} undetermined: that written at {_names(model, idle)} "
            "contains no algebraic state that the others spare",
            remedy="let each constraint contain an algebraic state of its own (an index of 1)",
        )
    solved = pivots(_numbers(model, slopes, reads)) or owner
    moved = {state: model.states[equation].rate for state, equation in solved.items()}
    model = model.with_(
        states=tuple(replace(state, rate=moved.get(row, state.rate)) for row, state in enumerate(model.states))
    )
    return model, tuple(solved)


def pivots(matrix: Mapping[int, Mapping[int, float]]) -> dict[int, int]:
    """Column -> row of each pivot of a sparse matrix (row -> column -> entry), in order of elimination.

    The pivot with the smallest fill (Markowitz) among those of at least `LEAST` of their column. Entries that are 0
    by their numbers are taken last; nothing is returned where not even they suffice.
    """
    rows = {row: dict(entries) for row, entries in matrix.items()}
    size = {row: max(map(abs, entries.values()), default=0.0) for row, entries in rows.items()}
    chosen: dict[int, int] = {}
    while rows:
        held: dict[int, list[int]] = {}
        for row, entries in rows.items():
            for column in entries:
                held.setdefault(column, []).append(row)
        greatest = {column: max(abs(rows[row][column]) for row in those) for column, those in held.items()}
        every = [(row, column) for column, those in held.items() for row in those]
        large = [
            (row, column)
            for row, column in every
            if abs(rows[row][column]) >= max(LEAST * greatest[column], ROUNDING * size[row])
        ]
        if not every:
            return {}
        row, column = min(
            large or every, key=lambda at: ((len(rows[at[0]]) - 1) * (len(held[at[1]]) - 1), at[0] != at[1], at)
        )
        chosen[column] = row
        pivot = rows.pop(row)
        by = pivot.pop(column)
        for other in held[column]:
            if other != row:
                factor = rows[other].pop(column) / by if by else 0.0
                for place, entry in pivot.items():
                    rows[other][place] = rows[other].get(place, 0.0) - factor * entry
    return chosen


def _numbers(model: OdeModel, slopes: Jacobian, reads: Mapping[int, Sequence[int]]) -> dict[int, dict[int, float]]:
    """Slopes of the constraints by algebraic states at the start; where one is no number or 0, `UNKNOWN`."""
    values, _ = initial_values(model, {})
    known = with_rules(model, values, 0.0)
    for name, expr in slopes.chain:
        known[name] = evaluate(expr, known, 0.0)
    numbers = {row: {state: evaluate(slopes.by_state[row, state], known, 0.0) for state in reads[row]} for row in reads}
    return {
        row: {state: entry if math.isfinite(entry) and entry else UNKNOWN for state, entry in entries.items()}
        for row, entries in numbers.items()
    }


def hastened(model: OdeModel) -> OdeModel:
    """The model with what moves fast states in their rates, multiplied by FASTER."""
    if all(state.fast is None for state in model.states):
        return model
    return model.with_(
        states=tuple(
            state if state.fast is None else replace(state, rate=add(state.rate, multiply(Num(FASTER), state.fast)))
            for state in model.states
        )
    )


def apart(entries: Mapping[Entry, Hashable], algebraic: Collection[int]) -> dict[Entry, Hashable]:
    """Entries of the Jacobian for `sparse.eliminate`: those of a constraint's diagonal are like no other's.

    The matrix of a step has 1/(h gamma) on the diagonal, but for constraints.
    """
    return {
        entry: ("constraint", value) if entry[0] == entry[1] and entry[0] in algebraic else value
        for entry, value in entries.items()
    }


def _names(model: OdeModel, rows: Collection[int]) -> str:
    return ", ".join(f"'{model.states[row].id}'" for row in sorted(rows))
