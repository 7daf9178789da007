"""Constraints: residuals that are 0 at every time, each put into the row of a state that it can determine.

Which constraint was written beside which algebraic state says nothing. The elimination of a step takes its pivots from
the diagonal, so each residual moves to the row of an algebraic state that it contains, no two to the same.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from dataclasses import replace

from bonesim.codegen.sparse import Entry
from bonesim.errors import InputError
from bonesim.model.derive import add, jacobian, multiply
from bonesim.model.expr import Num
from bonesim.model.matching import matching
from bonesim.model.ode import OdeModel
from bonesim.system import FASTER


def matched(model: OdeModel) -> OdeModel:
    """The model with its constraints in rows of states that they contain.

    Raises
    ------
    InputError
        If the constraints cannot determine the algebraic states, whatever the numbers: the index is above 1.
    """
    algebraic = [row for row, state in enumerate(model.states) if state.algebraic]
    if not algebraic:
        return model
    reads: dict[int, list[int]] = {row: [] for row in algebraic}
    for equation, state in sorted(jacobian(model).by_state):
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
    moved = {row: model.states[owner[row]].rate for row in algebraic}
    return model.with_(
        states=tuple(replace(state, rate=moved.get(row, state.rate)) for row, state in enumerate(model.states))
    )


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
