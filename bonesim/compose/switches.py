"""Switches: parameters, 1 each, at which 0 cuts a module off from what it does to the others.

What it drives is then 1, and who takes its values has its own again, as if the module were not there. What the module
itself computes goes on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bonesim.compose.card import Port
from bonesim.compose.module import Module, flat
from bonesim.model.expr import Call, Expr, Num, Sym
from bonesim.model.ode import OdeModel, Parameter, Rule, State

ONE = Num(1.0)


def switches(module: Module, modules: Iterable[Module] = ()) -> tuple[str, ...]:
    """Flat ids of the switches of a module: of what its ports drive, and of what they give to optional ports."""
    others = [port for other in modules if other.name != module.name for port in other.ports if port.optional]
    taken = {port.name for port in others} if module.removable else ()
    given = (port for port in module.ports if port.direction == "out" and port.name in taken)
    driving = (port for port in module.ports if port.drives)
    return (*(_switch(drive_name(module, port)) for port in driving), *(_switch(_given(module, one)) for one in given))


def drive_name(module: Module, port: Port) -> str:
    """Flat id of the factor that a port gives to the processes which it drives."""
    return flat(module.name, f"{port.name}_drive")


def with_drives(module: Module, part: OdeModel) -> OdeModel:
    """The part with 1 + on (symbol - 1) for each port that drives: the factor, or 1 where it is switched off."""
    rules, parameters = list(part.rules), list(part.parameters)
    for port in module.ports:
        if port.drives:
            name = drive_name(module, port)
            label = part.by_id[flat(module.name, port.symbol or "")].label or port.name
            excess = Call("sub", (Sym(flat(module.name, port.symbol or "")), ONE))
            factor = Call("add", (ONE, Call("mul", (Sym(_switch(name)), excess))))
            parameters.append(Parameter(_switch(name), 1.0, "dimensionless", label=f"1 where it acts: {label}"))
            rules.append(Rule(name, factor, "dimensionless", label))
    return part.with_(rules=tuple(rules), parameters=tuple(parameters))


def switched(
    giver: Module, out: Port, part: OdeModel, taken: State | Parameter | Rule, value: Expr
) -> tuple[OdeModel, Parameter, Expr]:
    """on value + (1 - on) own, for a parameter that takes the `value` of an out-port.

    Returns
    -------
    The part of the giver with its switch, the parameter that holds the taker's own value, and the expression.
    """
    name = _switch(_given(giver, out))
    if name not in part.by_id:
        switch = Parameter(name, 1.0, "dimensionless", label=f"1 where it is given: {out.name}")
        part = part.with_(parameters=(*part.parameters, switch))
    assert isinstance(taken, Parameter)
    own = replace(taken, id=f"{taken.id}_own", label=f"{taken.label or taken.id}, where nothing gives it")
    on = Sym(name)
    kept = Call("mul", (Call("sub", (ONE, on)), Sym(own.id)))
    return part, own, Call("add", (Call("mul", (on, value)), kept))


def _given(module: Module, port: Port) -> str:
    return flat(module.name, f"{port.name}_given")


def _switch(name: str) -> str:
    return f"{name}_on"
