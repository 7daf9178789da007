"""Every operator an expression may use: one row says all that the rest of the program knows of it.

A name that is not in `OPS` cannot occur in a model, so generated code holds nothing but these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

ATOM = 100  # precedence of what never needs brackets


@dataclass(frozen=True)
class Op:
    """One operator; `delay` means what is delayed where nothing moves, and elsewhere what `codegen.lags` says.

    `evaluate` is its meaning on floats (never raises: IEEE results instead), `numpy` the name of the NumPy
    function or, where `precedence` is given, the infix symbol, empty for what generated code does not
    call by name; `mathml` the element name in SBML.
    """

    name: str
    arity: tuple[int, int | None]
    evaluate: Callable[..., float]
    numpy: str
    mathml: str
    precedence: int = ATOM


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    if a == 0 or math.isnan(a):
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -math.inf if a < 0 and b % 2 == 1 else math.inf
    except ValueError:
        return math.inf if a == 0 else math.nan


def _safe(function: Callable[[float], float], *, odd: bool = False) -> Callable[[float], float]:
    def evaluate(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return math.copysign(math.inf, x) if odd else math.inf
        except ValueError:
            return math.nan

    return evaluate


def _logarithm(function: Callable[[float], float]) -> Callable[[float], float]:
    def evaluate(x: float) -> float:
        return -math.inf if x == 0 else function(x) if x > 0 else math.nan

    return evaluate


def _minimum(a: float, b: float) -> float:
    return math.nan if math.isnan(a) or math.isnan(b) else min(a, b)


def _maximum(a: float, b: float) -> float:
    return math.nan if math.isnan(a) or math.isnan(b) else max(a, b)


def _piecewise(*parts: float) -> float:
    for value, condition in zip(parts[:-1:2], parts[1::2], strict=True):
        if condition:
            return value
    return parts[-1]


def _factorial(x: float) -> float:
    """1 * 2 * ... * x of a whole number; what lies between whole numbers, or below 0, has none."""
    if not (x >= 0 and (math.isinf(x) or x == math.floor(x))):
        return math.nan
    return float(math.factorial(int(x))) if x <= LARGEST_FACTORIAL else math.inf


LARGEST_FACTORIAL = 170
"""The largest whole number whose factorial is a finite number."""


def _function(name: str, evaluate: Callable[[float], float], numpy: str, mathml: str) -> Op:
    return Op(name, (1, 1), evaluate, numpy, mathml)


OPS: dict[str, Op] = {
    op.name: op
    for op in (
        Op("or", (2, 2), lambda a, b: bool(a) or bool(b), "logical_or", "or"),
        Op("and", (2, 2), lambda a, b: bool(a) and bool(b), "logical_and", "and"),
        Op("not", (1, 1), lambda a: not a, "logical_not", "not"),
        Op("lt", (2, 2), lambda a, b: a < b, "<", "lt", 4),
        Op("le", (2, 2), lambda a, b: a <= b, "<=", "leq", 4),
        Op("gt", (2, 2), lambda a, b: a > b, ">", "gt", 4),
        Op("ge", (2, 2), lambda a, b: a >= b, ">=", "geq", 4),
        Op("eq", (2, 2), lambda a, b: a == b, "==", "eq", 4),
        Op("ne", (2, 2), lambda a, b: a != b, "!=", "neq", 4),
        Op("add", (2, 2), lambda a, b: a + b, "+", "plus", 5),
        Op("sub", (2, 2), lambda a, b: a - b, "-", "minus", 5),
        Op("mul", (2, 2), lambda a, b: a * b, "*", "times", 6),
        Op("div", (2, 2), _divide, "/", "divide", 6),
        Op("neg", (1, 1), lambda a: -a, "-", "minus", 7),
        Op("pow", (2, 2), _power, "**", "power", 8),
        Op("piecewise", (3, None), _piecewise, "where", "piecewise"),
        Op("min", (2, 2), _minimum, "minimum", "min"),
        Op("max", (2, 2), _maximum, "maximum", "max"),
        _function("exp", _safe(math.exp), "exp", "exp"),
        _function("ln", _logarithm(math.log), "log", "ln"),
        _function("log10", _logarithm(math.log10), "log10", "log"),
        _function("sqrt", _safe(math.sqrt), "sqrt", "root"),
        _function("abs", abs, "abs", "abs"),
        _function("floor", _safe(lambda x: math.copysign(math.floor(x), x), odd=True), "floor", "floor"),
        _function("ceil", _safe(lambda x: math.copysign(math.ceil(x), x), odd=True), "ceil", "ceiling"),
        _function("sin", _safe(math.sin), "sin", "sin"),
        _function("cos", _safe(math.cos), "cos", "cos"),
        _function("tan", _safe(math.tan), "tan", "tan"),
        _function("asin", _safe(math.asin), "arcsin", "arcsin"),
        _function("acos", _safe(math.acos), "arccos", "arccos"),
        _function("atan", _safe(math.atan), "arctan", "arctan"),
        _function("sinh", _safe(math.sinh, odd=True), "sinh", "sinh"),
        _function("cosh", _safe(math.cosh), "cosh", "cosh"),
        _function("tanh", _safe(math.tanh), "tanh", "tanh"),
        _function("factorial", _factorial, "", "factorial"),
        Op("delay", (2, 2), lambda x, ago: x, "", "delay"),
    )
}
