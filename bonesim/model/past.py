"""What a model says of times before the start, and of delayed values: `delay(x, tau)` is x at the time t - tau.

Before the start every quantity is what its initial assignment says, at that time, and what its rule says: a sine there
is a sine. What has a plain initial value had it always, and its rate of change was 0. SBML Level 3 Version 2 Core,
sections 3.4.6 and 3.4.8.
"""

from __future__ import annotations

from bonesim.errors import InputError, UnsupportedModelError
from bonesim.model.derive import derivative
from bonesim.model.expr import TIME, Call, Expr, Num, Sym, Time, fold, rebuild, symbols, walk
from bonesim.model.ode import OdeModel, Rule
from bonesim.model.rewrite import rewritten


def is_delayed(expr: Expr) -> bool:
    """Whether an expression has a delay in it."""
    return any(isinstance(node, Call) and node.op == "delay" for node in walk(expr))


def has_delays(model: OdeModel) -> bool:
    """Whether some expression of a model has a delay in it."""
    return any(map(is_delayed, _expressions(model)))


def without_delays(model: OdeModel, what: str) -> OdeModel:
    """The model, for `what` is not known of delayed values; UnsupportedModelError if it has any."""
    if has_delays(model):
        raise UnsupportedModelError(
            f"{what} of a model with delayed values",
            place=model.origin.place,
            remedy="compare simulations, or replace the delay by a chain of first-order steps with the same mean",
        )
    return model


def at_rest(model: OdeModel) -> OdeModel:
    """The model with each delayed value as it is where nothing moves: the value itself."""

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op == "delay":
            return args[0]
        return old if all(a is b for a, b in zip(args, old.args, strict=True)) else Call(old.op, args)

    return rewritten(model, lambda expr: fold(expr, lambda leaf: leaf, call))


class Past:
    """What expressions of a model were before the start, from parameters and initial values alone."""

    def __init__(self, model: OdeModel) -> None:
        self.model = model
        self.moving = _moving(model)

    def at(self, expr: Expr, time: Expr, within: tuple[str, ...] = ()) -> Expr:
        """The expression at a time not after the start; names of parameters and states in it are initial values.

        Raises
        ------
        InputError
            If a value rests on itself at ever earlier times.
        """
        if not is_delayed(expr):
            return rebuild(expr, lambda leaf: self._leaf(leaf, time, within))
        assert isinstance(expr, Call)
        if expr.op == "delay":
            value, ago = expr.args
            return self.at(value, Call("sub", (time, self.at(ago, time, within))), within)
        return Call(expr.op, tuple(self.at(arg, time, within) for arg in expr.args))

    def assigned(self, expr: Expr) -> bool:
        """Whether an expression rests on initial assignments that depend on time."""
        rules = {rule.id: rule.expr for rule in self.model.rules}
        seen: set[str] = set()
        pending = [expr]
        while pending:
            names = symbols(pending.pop()) - seen
            seen |= names
            pending += [rules[name] for name in names if name in rules]
        return bool((seen & self.moving) - rules.keys())

    def _leaf(self, leaf: Num | Sym | Time, time: Expr, within: tuple[str, ...]) -> Expr:
        if isinstance(leaf, Time):
            return time
        if isinstance(leaf, Num):
            return leaf
        symbol = self.model.by_id[leaf.name]
        if isinstance(symbol, Rule) and symbol.rate_of:
            slope = derivative(self.at(Sym(symbol.rate_of), TIME, within), TIME)
            return rebuild(slope, lambda leaf: time if isinstance(leaf, Time) else leaf)
        if isinstance(symbol, Rule):
            defined = symbol.expr
        elif leaf.name in self.moving and symbol.initial is not None:
            defined = symbol.initial
        else:
            return leaf
        if leaf.name in within:
            raise InputError(
                f"'{leaf.name}' rests on its own past, at ever earlier times",
                place=symbol.origin.place,
                remedy="give it an initial value, and let a rate or an event change it",
            )
        return self.at(defined, time, (*within, leaf.name))


def _moving(model: OdeModel) -> set[str]:
    """Symbols that were not always what they are at the start: time itself is behind their initial values."""
    defined = {rule.id: rule.expr for rule in model.rules}
    defined |= {state.id: state.initial for state in model.states}
    defined |= {one.id: one.initial for one in model.parameters if one.initial is not None}
    moving = {name for name, expr in defined.items() if TIME in walk(expr)}
    while more := {name for name, expr in defined.items() if name not in moving and symbols(expr) & moving}:
        moving |= more
    return moving


def _expressions(model: OdeModel) -> list[Expr]:
    found: list[Expr] = []

    def noted(expr: Expr) -> Expr:
        found.append(expr)
        return expr

    rewritten(model, noted)
    return found
