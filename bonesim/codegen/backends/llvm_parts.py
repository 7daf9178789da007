"""Pieces that several functions of the compiled loop are made of."""

from __future__ import annotations

from bonesim.codegen.backends.llvm_rows import Rows
from bonesim.codegen.backends.llvm_step import Tableau
from bonesim.codegen.backends.llvm_values import Code, Mask, Vector, larger
from bonesim.codegen.program import Program

INFINITY = float("inf")
TINIEST = 1e-300  # in place of a zero in a denominator
NEAR = 4 * 2.0**-52
"""Times closer than this, relative to their size, differ by rounding alone."""

RUNNING, STEP_TOO_SMALL, TOO_MANY_STEPS, NOT_FINITE_AT_START, ENDED_BY_EVENT, EVENTS_WITHOUT_END = (
    float(code) for code in range(6)
)
NO_CONSISTENT_START = 7.0
"""Codes of `solve.status.Status`."""


def happen(code: Code, program: Program, rows: Rows, number: int, lanes: Mask) -> None:
    """Let an event happen in some lanes; what rests on the parameters follows."""
    code[rows.firing] = lanes.number
    code.run(f"fire_{number}")
    if any(store.array == "p" for store in program.firing[number].stores):
        code.run("constants")
    if program.layout.settles:
        code.run("settle")
    code.put(rows.fresh, lanes, 1.0)
    if program.layout.terminal[number]:
        code.put(rows.status, lanes, ENDED_BY_EVENT)
        code.put(rows.fault, lanes, float(number))


def interpolated(code: Code, rows: Rows, tableau: Tableau, state: str, theta: Vector) -> Vector:
    """y0 + theta ((y1 - y0) + (1 - theta) sum_r theta^r D_r): a state that does not move keeps its bits."""
    last = len(tableau.H) - 1

    def of(first: int) -> Vector:
        return code[code.at(first, state)]

    inner = of(rows.dense + last * rows.states)
    for row in range(last - 1, -1, -1):
        inner = theta.fma(inner, of(rows.dense + row * rows.states))
    y, rest = of(rows.y), code.constant(1.0) - theta
    return theta.fma(rest.fma(inner, of(rows.y_next) - y), y)


def power(code: Code, base: Vector, exponent: float) -> Vector:
    """base^exponent, of a positive base."""
    log = Vector(code, code.call("@ln", base.name))
    return Vector(code, code.call("@exp", (log * exponent).name))


def soon(t: Vector) -> Vector:
    """The latest time that is t but for rounding."""
    return t + abs(t) * NEAR


def just_before(t: Vector) -> Vector:
    """The latest time that is earlier than t by more than rounding."""
    return t - abs(t) * NEAR


def smallest_step(t: Vector, span: Vector) -> Vector:
    """As `solve.controller.smallest_step`."""
    return larger(abs(t), span * 1e-12) * 1e-14
