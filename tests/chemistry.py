"""SBML with fast reactions and algebraic rules, which Antimony has no words for, in a few lines of Antimony."""

from __future__ import annotations

import re
from collections.abc import Sequence

from equations import formula

from bonesim.model.ode import OdeModel
from bonesim.sbml.antimony import antimony_to_sbml
from bonesim.sbml.mathml_write import math_element
from bonesim.sbml.read import read_sbml


def sbml(text: str, fast: Sequence[str] = (), zero: Sequence[str] = ()) -> str:
    """SBML Level 3 Version 1; the reactions `fast` are fast, and the formulas `zero` are 0 at every time."""
    lines = antimony_to_sbml(f"model m()\n{text}\nend\n", file="m.ant")
    lines = lines.replace('version2/core" level="3" version="2"', 'version1/core" level="3" version="1"')
    lines = re.sub(r'<reaction id="(\w+)"', lambda one: f'{one[0]} fast="{str(one[1] in fast).lower()}"', lines)
    rules = "".join(f"<algebraicRule>{''.join(math_element(formula(one)))}</algebraicRule>" for one in zero)
    if rules and "<listOfRules>" not in lines:
        lines = lines.replace("</listOfParameters>", "</listOfParameters><listOfRules></listOfRules>")
    return lines.replace("<listOfRules>", f"<listOfRules>{rules}")


def read(text: str, fast: Sequence[str] = (), zero: Sequence[str] = ()) -> OdeModel:
    """The model in such SBML."""
    return read_sbml(sbml(text, fast, zero), file="m.xml")
