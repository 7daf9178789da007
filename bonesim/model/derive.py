"""Derivatives of expressions, and from them the sparse Jacobian of a model.

Forward accumulation with names: the derivative of a rule by a state is itself a named quantity
(`d_OPG__d_OBa`), so that a chain of rules costs one product a link and the generated code can be read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, free_name, symbols, walk
from bonesim.model.ode import OdeModel

ZERO: Expr = Num(0.0)
ONE: Expr = Num(1.0)


@dataclass(frozen=True)
class Jacobian:
    """The derivative of every rate by every state and by time, zeros left out.

    `chain` defines the named derivatives that the entries use, in order of use; `by_state` maps (row of the
    rate, row of the state) to an expression, `by_time` the row of the rate.
    """

    chain: tuple[tuple[str, Expr], ...]
    by_state: dict[tuple[int, int], Expr]
    by_time: dict[int, Expr]


def jacobian(model: OdeModel) -> Jacobian:
    """d(rate)/d(state) and d(rate)/d(time) of a model whose rules stand in order of use."""
    row = {state.id: number for number, state in enumerate(model.states)}
    gradients: dict[str, dict[str, Expr]] = {state.id: {state.id: ONE} for state in model.states}
    chain: list[tuple[str, Expr]] = []
    taken = set(model.by_id)
    for rule in model.rules:
        gradients[rule.id] = {}
        for variable, slope in _gradient(rule.expr, gradients).items():
            if isinstance(slope, Call):
                chain.append((free_name(f"d_{rule.id}__d_{variable or 'time'}", taken), slope))
                slope = Sym(chain[-1][0])
            gradients[rule.id][variable] = slope
    by_state, by_time = {}, {}
    for number, state in enumerate(model.states):
        for variable, slope in _gradient(state.rate, gradients).items():
            if variable == _TIME:
                by_time[number] = slope
            else:
                by_state[number, row[variable]] = slope
    return Jacobian(tuple(chain), by_state, by_time)


_TIME = ""  # key of the derivative by time among derivatives by state: no state has it, while one may be called `time`


def _gradient(expr: Expr, gradients: dict[str, dict[str, Expr]]) -> dict[str, Expr]:
    """Derivatives of `expr` by states and time, given those of the symbols it uses."""
    result: dict[str, Expr] = {}
    for name in sorted(symbols(expr)):
        if gradients.get(name):
            local = derivative(expr, Sym(name))
            for variable, slope in gradients[name].items():
                result[variable] = _add(result.get(variable, ZERO), _mul(local, slope))
    if any(node == TIME for node in walk(expr)):
        result[_TIME] = _add(result.get(_TIME, ZERO), derivative(expr, TIME))
    return {variable: slope for variable, slope in result.items() if slope != ZERO}


def derivative(expr: Expr, variable: Sym | Time) -> Expr:
    """The partial derivative of `expr` by one name (or by time), every other name held constant.

    Zeros and ones are folded; apart from that the result keeps the shape of the input. `floor`, `ceil`,
    comparisons and logic have derivative 0; `abs`, `min`, `max` and `piecewise` that of the branch taken.
    """

    def call(node: Call, slopes: tuple[Expr, ...]) -> Expr:
        if node.op not in _CHAIN_RULE or all(slope == ZERO for slope in slopes):
            return ZERO
        return _CHAIN_RULE[node.op](node, *slopes)

    return fold(expr, lambda node: ONE if node == variable else ZERO, call)


def _piecewise(expr: Call, *slopes: Expr) -> Expr:
    """The derivative of the branch taken; conditions, every second argument but the last, stay as they are."""
    branches = (*slopes[:-1:2], slopes[-1])
    if all(slope == ZERO for slope in branches):
        return ZERO
    last = len(slopes) - 1
    return Call(
        "piecewise",
        tuple(expr.args[place] if place % 2 and place < last else slope for place, slope in enumerate(slopes)),
    )


def _add(a: Expr, b: Expr) -> Expr:
    return b if a == ZERO else a if b == ZERO else Call("add", (a, b))


def _sub(a: Expr, b: Expr) -> Expr:
    return _neg(b) if a == ZERO else a if b == ZERO else Call("sub", (a, b))


def _neg(a: Expr) -> Expr:
    return Num(-a.value) if isinstance(a, Num) and a != ZERO else a if a == ZERO else Call("neg", (a,))


def _mul(a: Expr, b: Expr) -> Expr:
    if ZERO in (a, b):
        return ZERO
    if isinstance(a, Num) and isinstance(b, Num):
        return Num(a.value * b.value)
    return b if a == ONE else a if b == ONE else Call("mul", (a, b))


def _div(a: Expr, b: Expr) -> Expr:
    return ZERO if a == ZERO else Call("div", (a, b))


def _pow_rule(expr: Call, da: Expr, db: Expr) -> Expr:
    base, exponent = expr.args
    by_base, by_exponent = ZERO, ZERO
    if da != ZERO:
        lowered = Num(exponent.value - 1) if isinstance(exponent, Num) else Call("sub", (exponent, ONE))
        power = ONE if lowered == ZERO else base if lowered == ONE else Call("pow", (base, lowered))
        by_base = _mul(_mul(exponent, power), da)
    if db != ZERO:
        by_exponent = _mul(_mul(expr, Call("ln", (base,))), db)
    return _add(by_base, by_exponent)


def _choose(condition: str) -> Callable[..., Expr]:
    """The derivative of the argument that `min` or `max` picks."""
    return lambda expr, da, db: Call("piecewise", (da, Call(condition, expr.args), db))


def _unary(outer: Callable[[Call, Expr], Expr]) -> Callable[..., Expr]:
    """Chain rule of a function of one argument, from its derivative `outer(f(x), x)`."""
    return lambda expr, da: _mul(outer(expr, expr.args[0]), da)


def _square(x: Expr) -> Expr:
    return Call("mul", (x, x))


_CHAIN_RULE: dict[str, Callable[..., Expr]] = {
    "add": lambda expr, da, db: _add(da, db),
    "sub": lambda expr, da, db: _sub(da, db),
    "neg": lambda expr, da: _neg(da),
    "mul": lambda expr, da, db: _add(_mul(da, expr.args[1]), _mul(expr.args[0], db)),
    "div": lambda expr, da, db: _div(_sub(da, _mul(expr, db)), expr.args[1]),
    "pow": _pow_rule,
    "piecewise": _piecewise,
    "min": _choose("lt"),
    "max": _choose("gt"),
    "exp": _unary(lambda f, x: f),
    "ln": _unary(lambda f, x: Call("div", (ONE, x))),
    "log10": _unary(lambda f, x: Call("div", (ONE, Call("mul", (x, Call("ln", (Num(10.0),))))))),
    "sqrt": _unary(lambda f, x: Call("div", (Num(0.5), f))),
    "abs": _unary(lambda f, x: Call("piecewise", (Num(-1.0), Call("lt", (x, ZERO)), ONE))),
    "sin": _unary(lambda f, x: Call("cos", (x,))),
    "cos": _unary(lambda f, x: Call("neg", (Call("sin", (x,)),))),
    "tan": _unary(lambda f, x: Call("add", (ONE, _square(f)))),
    "asin": _unary(lambda f, x: Call("div", (ONE, Call("sqrt", (Call("sub", (ONE, _square(x))),))))),
    "acos": _unary(lambda f, x: Call("div", (Num(-1.0), Call("sqrt", (Call("sub", (ONE, _square(x))),))))),
    "atan": _unary(lambda f, x: Call("div", (ONE, Call("add", (ONE, _square(x)))))),
    "sinh": _unary(lambda f, x: Call("cosh", (x,))),
    "cosh": _unary(lambda f, x: Call("sinh", (x,))),
    "tanh": _unary(lambda f, x: Call("sub", (ONE, _square(f)))),
}
