"""Models for tests in a few lines: formulas as text, states as name = (initial, rate)."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import TypeAlias

import numpy as np

from bonesim.model.expr import TIME, Call, Expr, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.solve.solution import Solution
from bonesim.system import Batch, Kernels

_INFIX = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow"}
_COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
_LOGIC = {ast.And: "and", ast.Or: "or"}

Formula: TypeAlias = str | float
Happening: TypeAlias = TimedEvent | StateEvent
Row: TypeAlias = Sequence[float] | np.ndarray | float

_backend: ContextVar[str] = ContextVar("_backend", default="numpy")


def formula(text: Formula) -> Expr:
    """An expression from Python's infix notation; `t` is time, functions are those of the operator table."""
    return _tree(ast.parse(str(text), mode="eval").body)


def _tree(node: ast.expr) -> Expr:
    match node:
        case ast.Constant(int() | float() as value):
            return Num(float(value))
        case ast.Name(name):
            return TIME if name == "t" else Sym(name)
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
            return Num(-float(value))
        case ast.UnaryOp(ast.USub(), operand):
            return Call("neg", (_tree(operand),))
        case ast.UnaryOp(ast.Not(), operand):
            return Call("not", (_tree(operand),))
        case ast.BinOp(left, op, right):
            return Call(_INFIX[type(op)], (_tree(left), _tree(right)))
        case ast.Compare(left, [op], [right]):
            return Call(_COMPARE[type(op)], (_tree(left), _tree(right)))
        case ast.BoolOp(op, [left, right]):
            return Call(_LOGIC[type(op)], (_tree(left), _tree(right)))
        case ast.Call(ast.Name(name), arguments):
            return Call(name, tuple(map(_tree, arguments)))
    raise ValueError(ast.dump(node))


def model(
    states: Mapping[str, tuple[Formula, Formula]],
    parameters: Mapping[str, float | str] | None = None,
    rules: Mapping[str, Formula] | None = None,
    events: Sequence[Happening] = (),
) -> OdeModel:
    """A model; a parameter given as text is computed by an initial assignment."""
    return OdeModel(
        id="test",
        states=tuple(State(name, formula(initial), formula(rate)) for name, (initial, rate) in states.items()),
        parameters=tuple(
            Parameter(name, 0.0, initial=formula(value)) if isinstance(value, str) else Parameter(name, float(value))
            for name, value in (parameters or {}).items()
        ),
        rules=tuple(Rule(name, formula(expr)) for name, expr in (rules or {}).items()),
        events=tuple(one for one in events if isinstance(one, TimedEvent)),
        state_events=tuple(one for one in events if isinstance(one, StateEvent)),
    )


def event(
    time: Formula, *, every: Formula | None = None, count: int = 1, terminal: bool = False, **assignments: Formula
) -> TimedEvent:
    """A timed event: `event(2, central="central + 5")`."""
    targets = tuple((target, formula(text)) for target, text in assignments.items())
    interval = None if every is None else formula(every)
    name = f"event_{next(iter(assignments), 'end')}"
    return TimedEvent(name, formula(time), targets, every=interval, count=count, terminal=terminal)


def when(
    trigger: str,
    *,
    terminal: bool = False,
    initially: bool = True,
    delay: Formula | None = None,
    priority: Formula | None = None,
    persistent: bool = True,
    early: bool = False,
    **assignments: Formula,
) -> StateEvent:
    """A state event: `when("x < 0", v="-v")`; `early` for values from the trigger's time."""
    return StateEvent(
        f"when_{next(iter(assignments), 'end')}",
        formula(trigger),
        tuple((target, formula(text)) for target, text in assignments.items()),
        terminal,
        initially,
        delay=None if delay is None else formula(delay),
        priority=None if priority is None else formula(priority),
        persistent=persistent,
        from_trigger_time=early,
    )


@contextmanager
def by_backend(name: str) -> Iterator[None]:
    """Within it, `kernels_of` and `solve` use this back end; without it, NumPy."""
    token = _backend.set(name)
    try:
        yield
    finally:
        _backend.reset(token)


def kernels_of(ode: OdeModel, *observables: str, method: str = "auto") -> Kernels:
    """Kernels that report `observables`, by default all states; the same model gives the same kernels."""
    return _kernels(ode, observables or tuple(state.id for state in ode.states), _backend.get(), method)


_kernels = lru_cache(maxsize=64)(build_kernels)


def batch_of(kernels: Kernels, ode: OdeModel, times: Sequence[float] | np.ndarray, **rows: Row) -> Batch:
    """A batch in which `rows` differ between members, whatever they hold (NaN too)."""
    count = max((len(np.atleast_1d(row)) for row in rows.values()), default=1)
    p = np.empty((len(ode.parameters), count))
    for number, parameter in enumerate(ode.parameters):
        p[number] = rows.get(parameter.id, parameter.value)
    y = np.empty((len(ode.states), count))
    with np.errstate(all="ignore"):
        kernels.functions.initialise(p, y)
    for number, state in enumerate(ode.states):
        if state.id in rows:
            y[number] = rows[state.id]
    return Batch(p, y, np.asarray(times, float))


def solve(
    ode: OdeModel,
    times: Sequence[float] | np.ndarray,
    *observables: str,
    settings: Settings | None = None,
    lanes: int = 256,
    **rows: Row,
) -> Solution:
    """The solution of a batch of members of a model."""
    kernels = kernels_of(ode, *observables, method=settings.method if settings else "auto")
    return integrate(kernels, batch_of(kernels, ode, times, **rows), settings, lanes=lanes)
