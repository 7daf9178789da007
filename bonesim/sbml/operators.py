"""What each kind of libsbml's formula nodes means in our operators; derived ones (`sec`, `xor`, `rem`) written out.

SBML Level 3 Version 2 Core, section 3.4. Inverse functions take the principal branch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, reduce
from itertools import pairwise
from typing import Any

from bonesim.model.expr import TIME, Call, Expr, Num

AVOGADRO = 6.02214179e23
"""1/mol, the value that SBML Level 3 fixes (the 2006 CODATA value, not today's)."""

_LEFT_TO_RIGHT = 100
"""Sums and products of more operands are halved again and again, so that no tree is as deep as a sum is long."""

Node = Any
"""A libsbml ASTNode; libsbml has no types."""


def _real(node: Node) -> Expr:
    """`<cn>`; mantissa and exponent are joined as text, since multiplying them, as libsbml does, rounds again."""
    import libsbml

    if node.getType() == libsbml.AST_REAL_E:
        return Num(float(f"{node.getMantissa()!r}e{node.getExponent()}"))
    return Num(float(node.getReal()))


def _constant(value: float) -> Callable[[Node], Expr]:
    return lambda _: Num(value)


def _chain(op: str, empty: float) -> Callable[[Sequence[Expr]], Expr]:
    def build(args: Sequence[Expr]) -> Expr:
        if not args:
            return Num(empty)
        if len(args) > _LEFT_TO_RIGHT:
            half = len(args) // 2
            return Call(op, (build(args[:half]), build(args[half:])))
        return reduce(lambda left, right: Call(op, (left, right)), args)

    return build


def _exactly(count: int, build: Callable[..., Expr]) -> Callable[[Sequence[Expr]], Expr]:
    def checked(args: Sequence[Expr]) -> Expr:
        if len(args) != count:
            raise ValueError
        return build(*args)

    return checked


def _some(build: Callable[[Sequence[Expr]], Expr]) -> Callable[[Sequence[Expr]], Expr]:
    def checked(args: Sequence[Expr]) -> Expr:
        if not args:
            raise ValueError
        return build(args)

    return checked


def _call(op: str, *args: Expr) -> Call:
    return Call(op, args)


def _relation(op: str) -> Callable[[Sequence[Expr]], Expr]:
    """`a < b < c` is `a < b and b < c`."""

    def build(args: Sequence[Expr]) -> Expr:
        if len(args) < 2:
            raise ValueError
        pairs = [_call(op, left, right) for left, right in pairwise(args)]
        return _chain("and", 1.0)(pairs)

    return build


def _minus(args: Sequence[Expr]) -> Expr:
    if len(args) == 1:
        negative_infinity = args[0] == Num(math.inf)
        return Num(-math.inf) if negative_infinity else _call("neg", args[0])
    return _exactly(2, lambda a, b: _call("sub", a, b))(args)


def _log(args: Sequence[Expr]) -> Expr:
    """`log` with its base first."""
    if len(args) == 1 or args[0] == Num(10.0):
        return _call("log10", args[-1])
    return _exactly(2, lambda base, x: _call("div", _call("ln", x), _call("ln", base)))(args)


def _root(args: Sequence[Expr]) -> Expr:
    """`root` with its degree first."""
    if len(args) == 1 or args[0] == Num(2.0):
        return _call("sqrt", args[-1])
    return _exactly(2, lambda degree, x: _call("pow", x, _call("div", Num(1.0), degree)))(args)


def _piecewise(args: Sequence[Expr]) -> Expr:
    """Without `otherwise` nothing is defined outside the pieces: NaN."""
    parts = tuple(args) if len(args) % 2 else (*args, Num(math.nan))
    return parts[0] if len(parts) == 1 else Call("piecewise", parts)


def _xor(args: Sequence[Expr]) -> Expr:
    """True for an odd number of true operands."""

    def two(a: Expr, b: Expr) -> Expr:
        return _call("and", _call("or", a, b), _call("not", _call("and", a, b)))

    return reduce(two, args[1:], args[0]) if args else Num(0.0)


def _quotient(a: Expr, b: Expr) -> Expr:
    """Integer quotient, rounded towards zero."""
    ratio = _call("div", a, b)
    return _call("piecewise", _call("floor", ratio), _call("ge", ratio, Num(0.0)), _call("ceil", ratio))


def _over(op: str) -> Callable[[Expr], Expr]:
    return lambda x: _call("div", Num(1.0), _call(op, x))


def _of_inverse(function: Callable[[Expr], Expr]) -> Callable[[Expr], Expr]:
    return lambda x: function(_call("div", Num(1.0), x))


def _plain(op: str) -> Callable[[Expr], Expr]:
    return lambda x: _call(op, x)


def _arcsinh(x: Expr) -> Expr:
    return _call("ln", _call("add", x, _call("sqrt", _call("add", _call("mul", x, x), Num(1.0)))))


def _arccosh(x: Expr) -> Expr:
    below, above = _call("sub", x, Num(1.0)), _call("add", x, Num(1.0))
    return _call("ln", _call("add", x, _call("mul", _call("sqrt", below), _call("sqrt", above))))


def _arctanh(x: Expr) -> Expr:
    ratio = _call("div", _call("add", Num(1.0), x), _call("sub", Num(1.0), x))
    return _call("mul", Num(0.5), _call("ln", ratio))


_ONE_ARGUMENT: dict[str, Callable[[Expr], Expr]] = {
    **{
        name.upper(): _plain(name)
        for name in ("abs", "exp", "ln", "floor", "sin", "cos", "tan", "sinh", "cosh", "tanh")
    },
    "CEILING": _plain("ceil"),
    "FACTORIAL": _plain("factorial"),
    **{f"ARC{name.upper()}": _plain(f"a{name}") for name in ("sin", "cos", "tan")},
    **{"SEC": _over("cos"), "CSC": _over("sin"), "COT": _over("tan")},
    **{"SECH": _over("cosh"), "CSCH": _over("sinh"), "COTH": _over("tanh")},
    **{"ARCSINH": _arcsinh, "ARCCOSH": _arccosh, "ARCTANH": _arctanh},
    **{
        "ARCSEC": _of_inverse(_plain("acos")),
        "ARCCSC": _of_inverse(_plain("asin")),
        "ARCCOT": _of_inverse(_plain("atan")),
    },
    **{"ARCSECH": _of_inverse(_arccosh), "ARCCSCH": _of_inverse(_arcsinh), "ARCCOTH": _of_inverse(_arctanh)},
}
"""libsbml's AST_FUNCTION_ name -> the expression."""


@cache
def builders() -> dict[int, Callable[[Sequence[Expr]], Expr]]:
    """libsbml's node type -> what makes the expression of its operands; ValueError where their number is wrong."""
    import libsbml

    power = _exactly(2, lambda a, b: _call("pow", a, b))
    named: dict[str, Callable[[Sequence[Expr]], Expr]] = {
        "PLUS": _chain("add", 0.0),
        "TIMES": _chain("mul", 1.0),
        "MINUS": _minus,
        "DIVIDE": _exactly(2, lambda a, b: _call("div", a, b)),
        "POWER": power,
        "FUNCTION_POWER": power,
        "FUNCTION_LOG": _log,
        "FUNCTION_ROOT": _root,
        "FUNCTION_PIECEWISE": _some(_piecewise),
        "FUNCTION_MIN": _some(_chain("min", math.nan)),
        "FUNCTION_MAX": _some(_chain("max", math.nan)),
        "FUNCTION_DELAY": _exactly(2, lambda x, ago: _call("delay", x, ago)),
        "FUNCTION_QUOTIENT": _exactly(2, _quotient),
        "FUNCTION_REM": _exactly(2, lambda a, b: _call("sub", a, _call("mul", b, _quotient(a, b)))),
        "LOGICAL_AND": _chain("and", 1.0),
        "LOGICAL_OR": _chain("or", 0.0),
        "LOGICAL_XOR": _xor,
        "LOGICAL_NOT": _exactly(1, _plain("not")),
        "LOGICAL_IMPLIES": _exactly(2, lambda a, b: _call("or", _call("not", a), b)),
        **{
            f"RELATIONAL_{sbml}": _relation(op)
            for sbml, op in (("LT", "lt"), ("LEQ", "le"), ("GT", "gt"), ("GEQ", "ge"))
        },
        "RELATIONAL_EQ": _relation("eq"),
        "RELATIONAL_NEQ": _exactly(2, lambda a, b: _call("ne", a, b)),
        **{f"FUNCTION_{name}": _exactly(1, build) for name, build in _ONE_ARGUMENT.items()},
    }
    return {getattr(libsbml, f"AST_{name}"): build for name, build in named.items()}


@cache
def leaves() -> dict[int, Callable[[Node], Expr]]:
    """libsbml's node type -> the expression of a number, a constant or the time."""
    import libsbml

    constants = {"E": math.e, "PI": math.pi, "TRUE": 1.0, "FALSE": 0.0}
    return {
        libsbml.AST_INTEGER: lambda node: Num(float(node.getInteger())),
        libsbml.AST_REAL: _real,
        libsbml.AST_REAL_E: _real,
        libsbml.AST_RATIONAL: lambda node: Num(node.getNumerator() / node.getDenominator()),
        libsbml.AST_NAME_TIME: lambda _: TIME,
        libsbml.AST_NAME_AVOGADRO: lambda _: Num(AVOGADRO),
        **{getattr(libsbml, f"AST_CONSTANT_{name}"): _constant(value) for name, value in constants.items()},
    }


@cache
def refused() -> dict[int, str]:
    """libsbml's node type -> the row of `supported` that refuses it."""
    import libsbml

    random = [name for name in dir(libsbml) if name.startswith("AST_DISTRIB_")]
    return {getattr(libsbml, name): "random" for name in random}
