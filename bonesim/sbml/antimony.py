"""Antimony text as SBML Level 3 Version 2 text: the same bytes for the same text, every digit kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from threading import Lock

from bonesim.errors import InputError, Place
from bonesim.sbml.mathml_write import number_element, number_text

_LOCK = Lock()
"""Antimony keeps the models it has loaded in global state."""

_GENERATOR = re.compile(r"^<!--[^>]*-->\n", re.MULTILINE)
_ERROR = re.compile(r"^Error in model string, line (\d+):\s*(.*)$", re.DOTALL)
_NOT_CODE = re.compile(r'//[^\n]*|#[^\n]*|/\*.*?\*/|"[^"\n]*"', re.DOTALL)
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LITERAL = re.compile(rf"(?<![\w.]){_NUMBER}(?![\w.])")
_VALUE = re.compile(rf'(?<=[a-z]=")(-?)({_NUMBER})(?=")')
_CN = re.compile(r"<cn> (-?)([^<> ]+) </cn>")
_CN_E = re.compile(r'<cn type="e-notation"> (-?)([^<> ]+) <sep/> (-?\d+) </cn>')
_DEFINITION = re.compile(
    r"^\s*(?:(?:const|var|species|compartment|unit|at)\s+)*\$?([A-Za-z_]\w*)\s*(?:'?\s*:?=|:|\bin\b|;|,|$)"
)


def antimony_to_sbml(text: str, *, file: str) -> str:
    """SBML of the main model of an Antimony text (the last one, or the one marked with `*`), submodels flattened.

    Raises
    ------
    InputError
        If Antimony refuses the text, or if it imports other files.
    """
    import antimony

    _refuse_imports(text, file)
    text, exact = _stand_ins(text)
    with _LOCK:
        try:
            if antimony.loadAntimonyString(text) < 0:
                raise _error(antimony.getLastError(), file)
            sbml = antimony.getSBMLString(antimony.getMainModuleName())
            if not sbml:
                raise _error(antimony.getLastError(), file)
        finally:
            antimony.clearPreviousLoads()
            antimony.freeAll()
    return _with_all_digits(_GENERATOR.sub("", sbml, count=1), exact)


def defining_lines(text: str) -> dict[str, int]:
    """Symbol -> the line of an Antimony text where it is defined first."""
    lines: dict[str, int] = {}
    for number, line in enumerate(_without_comments(text).split("\n"), start=1):
        for statement in line.split(";"):
            found = _DEFINITION.match(statement)
            if found:
                lines.setdefault(found[1], number)
    return lines


def _without_comments(text: str) -> str:
    """The text with comments and strings blanked, line by line as it was."""
    return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _refuse_imports(text: str, file: str) -> None:
    for number, line in enumerate(_without_comments(text).split("\n"), start=1):
        if re.search(r"\bimport\b", line):
            raise InputError(
                "Antimony 'import' is not allowed: a model may not read other files",
                place=Place(file, number),
                remedy="put the imported model into this file",
            )


def _error(message: str, file: str) -> InputError:
    found = _ERROR.match(message.strip())
    line, problem = (int(found[1]), found[2]) if found else (None, message.strip())
    return InputError(
        f"Antimony: {problem.strip().splitlines()[0]}",
        place=Place(file, line),
        remedy="see the line and the one before it; statements end with ';'",
    )


def _stand_ins(text: str) -> tuple[str, dict[float, float]]:
    """The text with a short number in place of each that has more than 15 digits, and what each stands for.

    Antimony prints 15 digits, so that two numbers that differ behind them would become one.
    """
    code = _without_comments(text)
    literals = [found for found in _LITERAL.finditer(code) if float(found[0]) != float(f"{float(found[0]):.15g}")]
    taken = {float(literal) for literal in _LITERAL.findall(code)}
    free = (value for turn in count(1) if (value := float(f"{turn}e-290")) not in taken)
    names: dict[float, float] = {}
    for found in literals:
        names.setdefault(float(found[0]), next(free))
    for found in reversed(literals):
        text = f"{text[: found.start()]}{names[float(found[0])]!r}{text[found.end() :]}"
    return text, {stand_in: value for value, stand_in in names.items()}


def _with_all_digits(sbml: str, exact: Mapping[float, float]) -> str:
    """The SBML with the numbers that others stand for."""
    if not exact:
        return sbml

    def restored(found: re.Match[str]) -> str:
        value = exact.get(float(found[2]))
        return found[0] if value is None else f"{found[1]}{number_text(value)}"

    def restored_cn(found: re.Match[str]) -> str:
        power = found[3] if found.re is _CN_E else "0"
        value = exact.get(float(f"{found[2]}e{power}"))
        return found[0] if value is None else "".join(number_element(-value if found[1] else value))

    return _CN_E.sub(restored_cn, _CN.sub(restored_cn, _VALUE.sub(restored, sbml)))
