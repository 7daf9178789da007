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
    "varying_compartment": (
        "an event that changes the size that a rule defines, beside a rate rule of a concentration, is not supported",
        "give the size a rate rule or let the event set it, or write the rate rule for the amount",
    ),
    "random": (
        "random distributions are not supported",
        "replace it by a parameter and draw its values in a sweep",
    ),
    "submodels": (
        "submodels (package comp) are not supported",
        "flatten the model first, e.g. with libsbml or Tellurium",
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
