"""What SBML can say and we do not do: one table, one remedy each.

Everything that is not in this table is either done exactly or no SBML.
"""

from __future__ import annotations

from bonesim.errors import Place, UnsupportedModelError

UNSUPPORTED: dict[str, tuple[str, str]] = {
    "overdetermined": (
        "every variable in it is constant or is determined otherwise, so that nothing is left for it to determine",
        "let it contain a variable that is not constant, that no other rule needs and that no reaction changes",
    ),
    "undetermined": (
        "it determines one of these variables, and nothing says which",
        "make one of them constant, or solve the equation for one and write an assignment rule",
    ),
    "early_use": (
        "it depends on what an algebraic rule determines, which is not known before the start",
        "write that rule as an assignment rule, solved for its variable",
    ),
    "rate_of": (
        "the rate of change (csymbol 'rateOf') of what a rule, a reaction or a constraint defines is not supported",
        "write the derivative as an assignment rule and use that",
    ),
    "fast_stoichiometry": (
        "fast reactions whose stoichiometries change in time or are no numbers are not supported",
        "numbers as stoichiometries, and compartments and conversion factors that are constant",
    ),
    "fast_event": (
        "events that wait with values from their trigger's time, and set some of the species that fast reactions join, "
        "are not supported",
        'set useValuesFromTriggerTime="false"',
    ),
    "fast_rate": (
        "the rate of a fast reaction is used as a value, which it has not in equilibrium",
        "give it finite rate constants, or leave the rate out",
    ),
    "varying_compartment": (
        "an event that changes the size that a rule defines, beside a rate rule of a concentration, is not supported",
        "give the size a rate rule or let the event set it, or write the rate rule for the amount",
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
}
"""Construct -> (what the message says, what to do instead)."""


def refuse(construct: str, what: str, place: Place | None) -> UnsupportedModelError:
    """The error for one use of an unsupported construct; `what` names the element, such as `event 'E1'`."""
    problem, remedy = UNSUPPORTED[construct]
    return UnsupportedModelError(f"{what}: {problem}", place=place, remedy=remedy)
