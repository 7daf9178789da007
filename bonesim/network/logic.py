"""The building blocks of the signal network as expressions and symbols of the flat model."""

from __future__ import annotations

from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ode import State

ZERO, ONE, TWO = Num(0.0), Num(1.0), Num(2.0)


def saturation(load: str, half: str, hill: str) -> Expr:
    """h = V^n / (V50^n + V^n): how far a cargo's action is saturated, from the vesicles inside a cell.

    The solver may leave V below 0 by its tolerance, where a broken power is not a number; that counts as 0.
    """
    level = Call("pow", (Call("max", (ZERO, Sym(load))), Sym(hill)))
    return Call("div", (level, Call("add", (Call("pow", (Sym(half), Sym(hill))), level))))


def doubling(action: str, sign: int) -> Expr:
    """2^(sign h): the drive a cargo gives to its first node, at most twice or half of the basal drive."""
    return Call("pow", (TWO, _signed(Sym(action), sign)))


def odds_ratio(activity: str, basal: str) -> Expr:
    """y (1 - b) / (b (1 - y)): the odds of a node over its basal odds; 1 at rest."""
    y, b = Sym(activity), Sym(basal)
    return Call("div", (Call("mul", (y, Call("sub", (ONE, b)))), Call("mul", (b, Call("sub", (ONE, y))))))


def powered(base: Expr, exponent: Expr) -> Expr:
    """base^exponent, left out where the exponent is 1."""
    return base if exponent == ONE else Call("pow", (base, exponent))


def signed_share(strength: str, sign: int, parallel: int) -> Expr:
    """+-strength / n: the gain of one of n chains that share the strength of the vesicles on one process."""
    gain: Expr = Sym(strength)
    if parallel > 1:
        gain = Call("div", (gain, Num(float(parallel))))
    return _signed(gain, sign)


def node(name: str, drive: Expr, basal: str, tau: str, label: str) -> State:
    """The logic ODE of one node or process: starts at rest, follows the basal-normalised Hill function of its drive."""
    b, y = Sym(basal), Sym(name)
    driven = Call("mul", (b, drive))
    target = Call("div", (driven, Call("add", (Call("sub", (ONE, b)), driven))))
    rate = Call("div", (Call("sub", (target, y)), Sym(tau)))
    return State(name, initial=b, rate=rate, unit="dimensionless", label=label)


def _signed(expr: Expr, sign: int) -> Expr:
    return expr if sign > 0 else Call("neg", (expr,))
