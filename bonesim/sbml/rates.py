"""Rates of change that formulas use as values (csymbol `rateOf`): each becomes a rule of the model.

SBML Level 3 Version 2 Core, section 3.4.6. What nothing but events moves has the rate 0.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from bonesim.errors import InputError, closest
from bonesim.model.derive import BY_TIME, ZERO, add, multiply, partials
from bonesim.model.expr import Expr, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State
from bonesim.model.past import is_delayed
from bonesim.sbml.mathml_read import Where
from bonesim.sbml.supported import refuse

Asked = Mapping[str, tuple[str, Where]]
"""Symbol -> the name that its rate goes by, and where it is asked for first."""


def with_rates(model: OdeModel, asked: Asked, assigned: Collection[str]) -> OdeModel:
    """The model with a rule for each rate that is asked for; states change by the same rule.

    `assigned` are symbols of which SBML forbids to ask: those of assignment rules, and reactions.

    Raises
    ------
    InputError
        If there is no such symbol.
    UnsupportedModelError
        If an algebraic rule or one of `assigned` defines it.
    """
    problems = [problem for name, (_, where) in asked.items() for problem in _problems(model, name, assigned, where)]
    if problems:
        raise InputError.together(problems)
    rules = tuple(
        Rule(rate, _rate(model, name, {}), origin=model.by_id[name].origin, rate_of=name)
        for name, (rate, _) in asked.items()
    )
    states = tuple(replace(s, rate=Sym(asked[s.id][0])) if s.id in asked else s for s in model.states)
    return model.with_(states=states, rules=(*model.rules, *rules))


def _problems(model: OdeModel, name: str, assigned: Collection[str], where: Where) -> Iterator[InputError]:
    symbol = model.by_id.get(name)
    if symbol is None:
        problem = f"{where.what} asks for the rate of change of '{name}', which is not defined"
        yield InputError(problem, place=where.place, remedy=closest(name, model.by_id))
    elif name in assigned or _has_no_derivative(symbol):
        yield refuse("rate_of", f"{where.what}, '{name}'", where.place)


def _has_no_derivative(symbol: State | Parameter | Rule) -> bool:
    """Whether we know none: of what a constraint determines, or of a rule with delayed values."""
    return symbol.algebraic if isinstance(symbol, State) else isinstance(symbol, Rule) and is_delayed(symbol.expr)


def _rate(model: OdeModel, name: str, known: dict[str, Expr]) -> Expr:
    """The derivative by time of a symbol; of a rule by the chain rule."""
    symbol = model.by_id[name]
    if isinstance(symbol, State):
        return symbol.rate
    if isinstance(symbol, Parameter):
        return ZERO
    if name not in known:
        slopes = partials(symbol.expr, model.by_id)
        known[name] = slopes.pop(BY_TIME, ZERO)
        for used, slope in slopes.items():
            known[name] = add(known[name], multiply(slope, _rate(model, used, known)))
    return known[name]
