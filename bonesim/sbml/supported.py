"""What SBML can say and we do not do: one table, one remedy each.

Everything that is not in this table is either done exactly or no SBML.
"""

from __future__ import annotations

from bonesim.errors import Place, UnsupportedModelError

UNSUPPORTED: dict[str, tuple[str, str]] = {
    "algebraic_rule": (
        "algebraic rules are not supported",
        "solve the equation for one of its symbols and write an assignment rule",
    ),
    "delay": (
        "delayed values (csymbol 'delay') are not supported",
        "replace the delay by a chain of first-order steps with the same mean",
    ),
    "rate_of": (
        "rates used as values (csymbol 'rateOf') are not supported",
        "write the rate as an assignment rule and use that in both places",
    ),
    "fast_reaction": (
        "fast reactions are not supported",
        "give it finite rate constants, or put the equilibrium into assignment rules",
    ),
    "event_delay": ("event delays are not supported", "add the delay to the time in the trigger"),
    "event_priority": (
        "event priorities that are not numbers are not supported",
        "a number as priority, or what happens at one time as one event",
    ),
    "state_event_priority": (
        "events that follow from states, with a priority above that of an event at a known time, are not supported",
        "give the events at known times the highest priorities",
    ),
    "event_persistence": (
        "events that another one at the same time may take back are not supported",
        'set persistent="true"',
    ),
    "event_conflict": (
        "events that set or use the same symbols at the same time, with values from before both, are not supported",
        'write them as one event, or set useValuesFromTriggerTime="false"',
    ),
    "varying_compartment": (
        "compartments whose size changes are not supported",
        "model amounts in a compartment of constant size and divide by the size where it is used",
    ),
    "random": (
        "random distributions are not supported",
        "replace it by a parameter and draw its values in a sweep",
    ),
    "submodels": (
        "hierarchies of submodels that are as large as this when flat are not supported",
        "fewer levels and smaller submodels",
    ),
    "package": ("this required SBML package is not supported", "export the model as SBML core"),
    "function": (
        "this mathematical function is not supported",
        "write it with the functions of SBML core, without factorial",
    ),
}
"""Construct -> (what the message says, what to do instead)."""


def refuse(construct: str, what: str, place: Place | None) -> UnsupportedModelError:
    """The error for one use of an unsupported construct; `what` names the element, such as `event 'E1'`."""
    problem, remedy = UNSUPPORTED[construct]
    return UnsupportedModelError(f"{what}: {problem}", place=place, remedy=remedy)
