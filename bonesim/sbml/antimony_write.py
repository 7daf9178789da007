"""A model with its events as Antimony text, every digit kept: `x' = -k*x; at (time >= 5): x = x + 1;`.

What stands in the text is what `sbml.write` puts into SBML: one flat model without compartments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from bonesim.errors import InputError
from bonesim.model.evaluate import evaluate
from bonesim.model.expr import Call, Expr, Num, Sym, Time, fold
from bonesim.model.ode import Annotation, OdeModel, Parameter, Rule, State, StateEvent, TimedEvent
from bonesim.model.ops import ATOM, OPS
from bonesim.model.past import has_delays
from bonesim.sbml.annotations import ANTIMONY
from bonesim.sbml.mathml_write import number_text
from bonesim.sbml.read import read_antimony
from bonesim.sbml.write import BUILT_IN, exported_events, ranked, unit_ids
from bonesim.units import Unit


def write_antimony(model: OdeModel, *, doses: Sequence[TimedEvent] = ()) -> str:
    """The Antimony text; reading it back gives the same equations, numbers, units and events.

    Only brackets in sums and products are not kept: `a*(b*c)` comes back as `a*b*c`, and `x^(1/3)` with the number 1/3.
    `doses` are added to the model's own events.

    Raises
    ------
    InputError
        If the model has what Antimony has no words for: constraints, events that end the simulation, or a name that is
        one of its own words; or rates of change as values beside delays.
    """
    if constrained := [state.id for state in model.states if state.algebraic]:
        problem = f"Antimony has no word for constraints, and one determines '{constrained[0]}'"
        raise InputError(problem, remedy="write SBML instead")
    if has_delays(model) and (rates := [rule.rate_of for rule in model.rules if rule.rate_of]):
        problem = f"the rate of change of '{rates[0]}' would be delayed by its formula, which is not its past"
        raise InputError(problem, remedy="write SBML instead")
    events, units = exported_events(model, doses), unit_ids(model)
    lines = [
        *_units(units, model.time_unit),
        *(f"var {symbol.id}" for symbol in model.symbols()),  # Antimony keeps the order of first mention
        *(line for symbol in model.symbols() for line in _symbol(symbol, units)),
        *(_event(event, priority) for event, priority in ranked(events, model.queued)),
        *(line for one in model.annotations if one.id for line in _annotation(one.id, one)),
    ]
    name = [f"{model.id} is {_quoted(model.name)}"] if model.name else []
    name += [line for one in model.annotations if not one.id for line in _annotation(model.id, one)]
    text = "\n".join([f"model *{model.id}()", *(f"  {line};" for line in lines), "end", *name]) + "\n"
    _refuse_changed(text, model.with_(events=(), state_events=()))
    return text


def _refuse_changed(text: str, model: OdeModel) -> None:
    """Read the text back; InputError where Antimony takes a name for something else."""
    back = read_antimony(text, file="the exported text").with_(events=(), state_events=())
    for was, now in zip_longest(model.symbols(), back.symbols()):
        if was is None or now is None or _meaning(was) != _meaning(now):
            raise InputError(f"Antimony cannot hold '{(was or now).id}' as it is", remedy="write SBML instead")


def _meaning(symbol: State | Parameter | Rule) -> tuple[object, ...]:
    """What must not change."""
    if isinstance(symbol, Rule):
        return symbol.id, symbol.unit, _plain(symbol.expr)
    start = Num(symbol.value) if symbol.initial is None else _plain(symbol.initial)
    return symbol.id, symbol.unit, start, _plain(symbol.rate) if isinstance(symbol, State) else None


def _plain(expr: Expr) -> Expr:
    """The formula without what Antimony does not keep: brackets in sums and products; `-0.5` and `1/3` are numbers."""

    def call(old: Call, args: tuple[Expr, ...]) -> Expr:
        if old.op in {"neg", "div"} and all(isinstance(arg, Num) for arg in args):
            return Num(float(evaluate(Call(old.op, args), {})))
        if old.op not in {"add", "mul"}:
            return Call(old.op, args)
        parts = [part for arg in args for part in (arg.args if isinstance(arg, Call) and arg.op == old.op else (arg,))]
        return Call(old.op, tuple(parts))

    return fold(expr, lambda leaf: leaf, call)


def _units(units: Mapping[str, str], time_unit: str) -> Iterator[str]:
    for text, unit_id in units.items():
        if text not in {"", *BUILT_IN}:
            yield f"unit {unit_id} = {_product(text)}"
    if time_unit:
        yield f"unit time_unit = {_product(time_unit)}"


def _product(text: str) -> str:
    above: list[str] = []
    below: list[str] = []
    for factor in Unit.parse(text).sbml_factors():
        size = f"{number_text(factor.multiplier)}e{factor.scale}"
        power = f"^{number_text(abs(factor.exponent))}" if abs(factor.exponent) != 1 else ""
        (above if factor.exponent > 0 else below).append(f"({size} {factor.kind}){power}")
    return " * ".join(above or ["1"]) + (f" / ({' * '.join(below)})" if below else "")


def _symbol(symbol: State | Parameter | Rule, units: Mapping[str, str]) -> Iterator[str]:
    if isinstance(symbol, Rule):
        yield f"{symbol.id} := {_infix(symbol.expr)}"
    else:
        start = symbol.initial if symbol.initial is not None else Num(symbol.value)
        yield f"{symbol.id} = {_infix(start)}"
    if isinstance(symbol, State):
        yield f"{symbol.id}' = {_infix(symbol.rate)}"
    if symbol.unit:
        yield f"{symbol.id} has {units[symbol.unit]}"
    if symbol.label:
        yield f"{symbol.id} is {_quoted(symbol.label)}"


def _event(event: StateEvent, priority: Expr | None) -> str:
    late = f"{_infix(event.delay)} after " if event.delay is not None else ""
    how = [f"t0={_truth(event.initially)}", f"persistent={_truth(event.persistent)}"]
    how += [f"priority={_infix(priority)}"] if priority is not None else []
    how += [f"fromTrigger={_truth(event.from_trigger_time)}"]
    changes = ", ".join(f"{target} = {_infix(expr)}" for target, expr in event.assignments)
    return f"{event.id}: at {late}({_infix(event.trigger)}), {', '.join(how)}: {changes}"


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _annotation(name: str, annotation: Annotation) -> Iterator[str]:
    if annotation.sbo:
        yield f"{name}.sboTerm = {int(annotation.sbo.removeprefix('SBO:'))}"
    for qualifier, resource in annotation.resources:
        if qualifier not in ANTIMONY:
            raise InputError(f"Antimony has no word for '{qualifier}' of '{name}'", remedy="write SBML instead")
        yield f"{name} {ANTIMONY[qualifier]} {_quoted(resource)}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', "'").replace("\n", " ") + '"'


def _infix(expr: Expr) -> str:
    """The formula, every operation in brackets but for its outermost."""
    text = fold(expr, _leaf, _call)
    return text[1:-1] if text.startswith("(") else text


def _leaf(leaf: Num | Sym | Time) -> str:
    if isinstance(leaf, Num):
        text = number_text(leaf.value).replace("INF", "inf").replace("NaN", "nan")
        return f"({text})" if text.startswith("-") else text
    return leaf.name if isinstance(leaf, Sym) else "time"


_SIGNS = {"and": "&&", "or": "||", "pow": "^"}


def _call(expr: Call, args: tuple[str, ...]) -> str:
    if expr.op == "not":
        return f"(!{args[0]})"
    if expr.op not in _SIGNS and OPS[expr.op].precedence == ATOM:
        return f"{expr.op}({', '.join(args)})"
    sign = _SIGNS.get(expr.op, OPS[expr.op].numpy)
    return f"({sign}{args[0]})" if len(args) == 1 else f"({args[0]} {sign} {args[1]})"
