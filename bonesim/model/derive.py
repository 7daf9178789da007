"""Derivatives of expressions, and from them the sparse Jacobian of a model.

Forward accumulation with names: the derivative of a rule by a state is itself a named quantity
(`d_OPG__d_OBa`), so that a chain of rules costs one product a link and the generated code can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, free_name, symbols
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


def jacobian(model: OdeModel, taken: Iterable[str] = ()) -> Jacobian:
    """d(rate)/d(state) and d(rate)/d(time) of a model whose rules stand in order of use; names are none of `taken`."""
    row = {state.id: number for number, state in enumerate(model.states)}
    chain, gradients = rule_gradients(model, row, {*model.by_id, *taken})
    by_state, by_time = {}, {}
    for number, state in enumerate(model.states):
        for variable, slope in gradient(state.rate, gradients).items():
            if variable == BY_TIME:
                by_time[number] = slope
            else:
                by_state[number, row[variable]] = slope
    return Jacobian(chain, by_state, by_time)


Gradients: TypeAlias = dict[str, dict[str, Expr]]  # of each symbol, by variable


def rule_gradients(
    model: OdeModel, variables: Iterable[str], taken: set[str]
) -> tuple[tuple[tuple[str, Expr], ...], Gradients]:
    """Derivatives of the rules, which stand in order of use, by `variables` (states or parameters) and by time.

    Returns named derivatives in order of use, their names none of `taken` and then among them, and the gradients of
    the variables and the rules in terms of these names.
    """
    gradients: Gradients = {name: {name: ONE} for name in variables}
    chain: list[tuple[str, Expr]] = []
    for rule in model.rules:
        gradients[rule.id] = {}
        for variable, slope in gradient(rule.expr, gradients).items():
            if isinstance(slope, Call):
                chain.append((free_name(f"d_{rule.id}__d_{variable or 'time'}", taken), slope))
                slope = Sym(chain[-1][0])
            gradients[rule.id][variable] = slope
    return tuple(chain), gradients


BY_TIME = (
    ""  # key of the derivative by time among derivatives by state: no state has it, while one may be called `time`
)


def gradient(expr: Expr, gradients: Gradients) -> dict[str, Expr]:
    """Derivatives of `expr` by the variables and by time, given those of the symbols it uses; zeros are left out."""
    result: dict[str, Expr] = {}
    partial = partials(expr, {name for name in symbols(expr) if gradients.get(name)})
    for name in sorted(partial.keys() - {BY_TIME}):
        for variable, slope in gradients[name].items():
            result[variable] = add(result.get(variable, ZERO), multiply(partial[name], slope))
    if BY_TIME in partial:
        result[BY_TIME] = add(result.get(BY_TIME, ZERO), partial[BY_TIME])
    return {variable: slope for variable, slope in result.items() if slope != ZERO}


def partials(expr: Expr, names: Container[str]) -> dict[str, Expr]:
    """The partial derivatives of `expr` by each of some names and by time, as `derivative` has them, but for zeros."""

    def leaf(node: Num | Sym | Time) -> dict[str, Expr]:
        if isinstance(node, Sym):
            return {node.name: ONE} if node.name in names else {}
        return {BY_TIME: ONE} if node == TIME else {}

    def call(node: Call, slopes: tuple[dict[str, Expr], ...]) -> dict[str, Expr]:
        if node.op not in _CHAIN_RULE:
            return {}
        found = {}
        for variable in dict.fromkeys(variable for each in slopes for variable in each):
            slope = _CHAIN_RULE[node.op](node, *(each.get(variable, ZERO) for each in slopes))
            if slope != ZERO:
                found[variable] = slope
        return found

    return fold(expr, leaf, call)


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


def add(a: Expr, b: Expr) -> Expr:
    """a + b, zeros left out."""
    return b if a == ZERO else a if b == ZERO else Call("add", (a, b))


def subtract(a: Expr, b: Expr) -> Expr:
    """a - b, zeros left out."""
    return _neg(b) if a == ZERO else a if b == ZERO else Call("sub", (a, b))


def _neg(a: Expr) -> Expr:
    return Num(-a.value) if isinstance(a, Num) and a != ZERO else a if a == ZERO else Call("neg", (a,))


def multiply(a: Expr, b: Expr) -> Expr:
    """a b, zeros and ones left out."""
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
        by_base = multiply(multiply(exponent, power), da)
    if db != ZERO:
        by_exponent = multiply(multiply(expr, Call("ln", (base,))), db)
    return add(by_base, by_exponent)


def _choose(condition: str) -> Callable[..., Expr]:
    """The derivative of the argument that `min` or `max` picks."""
    return lambda expr, da, db: Call("piecewise", (da, Call(condition, expr.args), db))


def _unary(outer: Callable[[Call, Expr], Expr]) -> Callable[..., Expr]:
    """Chain rule of a function of one argument, from its derivative `outer(f(x), x)`."""
    return lambda expr, da: multiply(outer(expr, expr.args[0]), da)


def _square(x: Expr) -> Expr:
    return Call("mul", (x, x))


_CHAIN_RULE: dict[str, Callable[..., Expr]] = {
    "add": lambda expr, da, db: add(da, db),
    "sub": lambda expr, da, db: subtract(da, db),
    "neg": lambda expr, da: _neg(da),
    "mul": lambda expr, da, db: add(multiply(da, expr.args[1]), multiply(expr.args[0], db)),
    "div": lambda expr, da, db: _div(subtract(da, multiply(expr, db)), expr.args[1]),
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
