"""Antimony text as SBML Level 3 Version 2 text: the same bytes for the same text, every digit kept."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import count
from threading import Lock

from bonesim.errors import InputError, Place, quoted
from bonesim.sbml.antimony_parts import Outline, outline, without_comments
from bonesim.sbml.mathml_write import number_element, number_text

_LOCK = Lock()
"""Antimony keeps the models it has loaded in global state."""

LARGEST, LONGEST = 500_000, 20_000
"""Characters of the largest text and of its longest statement; Antimony takes a minute then, four for twice as much."""

_GENERATOR = re.compile(r"^<!--[^>]*-->\n", re.MULTILINE)
_ERROR = re.compile(r"^Error in model string, line (\d+):\s*(.*)$", re.DOTALL)
_FROM_LIBSBML = re.compile(r"Error message\(s\) from libSBML:.*?\nReference:[^\n]*\n([^\n]+)", re.DOTALL)
_NUMBER = r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_LITERAL = re.compile(rf"(?<![\w.]){_NUMBER}(?![\w.])")
_VALUE = re.compile(rf'(?<=[a-z]=")(-?)({_NUMBER})(?=")')
_CN = re.compile(r"<cn> (-?)([^<> ]+) </cn>")
_CN_E = re.compile(r'<cn type="e-notation"> (-?)([^<> ]+) <sep/> (-?\d+) </cn>')
_NAME = re.compile(r'(?<=[" >])[A-Za-z_]\w*(?=[" <])')


def antimony_to_sbml(text: str, *, file: str) -> str:
    """SBML of the main model of an Antimony text (the last one, or the one marked with `*`), submodels flattened.

    Flat SBML is what we ask Antimony for, with its names of symbols in submodels replaced: in the hierarchical SBML
    that it writes, a link between two submodels loses its replacement without a word.

    Raises
    ------
    InputError
        If Antimony refuses the text, if it imports other files, or if it has a number out of range.
    """
    import antimony

    _refuse_large(text, file)
    code = without_comments(text)
    _refuse_imports(code, file)
    _refuse_out_of_range(code, file)
    parts = outline(text)
    parts.refuse_too_many(file)
    text, exact = _stand_ins(text, code)
    with _LOCK:
        try:
            if antimony.loadAntimonyString(text) < 0:
                raise _error(antimony.getLastError(), file)
            sbml = antimony.getSBMLString(antimony.getMainModuleName())
            if not sbml:
                raise _error(antimony.getLastError(), file)
            symbols = {name: frozenset(antimony.getSymbolNamesOfType(name, 0)) for name in antimony.getModuleNames()}
        finally:
            antimony.clearPreviousLoads()
            antimony.freeAll()
    return _with_all_digits(_renamed(_GENERATOR.sub("", sbml, count=1), parts, symbols), exact)


def defining_lines(text: str) -> dict[str, int]:
    """Symbol -> the line of an Antimony text where it is defined first."""
    return outline(text).lines()


def _renamed(sbml: str, parts: Outline, symbols: dict[str, frozenset[str]]) -> str:
    """The SBML with symbols of submodels by our names."""
    names = parts.names(symbols)
    return _NAME.sub(lambda found: names.get(found[0], found[0]), sbml) if names else sbml


def _refuse_large(text: str, file: str) -> None:
    if len(text) > LARGEST:
        problem = f"the Antimony text is too large: {len(text) / 1e6:.1f} MB"
        raise InputError(problem, place=Place(file), remedy=f"at most {LARGEST / 1e6:.1f} MB, or the model as SBML")
    line = 1
    for statement in text.split(";"):
        if len(statement) > LONGEST and len(without_comments(statement).strip()) > LONGEST:
            problem = f"a statement has more than {LONGEST} characters"
            raise InputError(problem, place=Place(file, line), remedy="split it into assignment rules")
        line += statement.count("\n")


def _refuse_imports(code: str, file: str) -> None:
    for number, line in enumerate(code.split("\n"), start=1):
        if re.search(r"\bimport\b", line):
            raise InputError(
                "Antimony 'import' is not allowed: a model may not read other files",
                place=Place(file, number),
                remedy="put the imported model into this file",
            )


def _error(message: str, file: str) -> InputError:
    found = _ERROR.match(message.strip())
    line, problem = (int(found[1]), found[2]) if found else (None, message.strip())
    if inner := _FROM_LIBSBML.search(problem):
        problem = inner[1]
    return InputError(
        f"Antimony: {problem.strip().splitlines()[0]}",
        place=Place(file, line),
        remedy="see the line and the one before it; statements end with ';'",
    )


def _stand_ins(text: str, code: str) -> tuple[str, dict[float, float]]:
    """The text with a short number in place of each that has more than 15 digits, and what each stands for.

    Antimony prints 15 digits, so that two numbers that differ behind them would become one. `code` is the text with
    comments blanked, character by character.
    """
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


def _refuse_out_of_range(code: str, file: str) -> None:
    """Antimony reads `1e400` as 1 with a unit."""
    for number, line in enumerate(code.split("\n"), start=1):
        for literal in _LITERAL.findall(line):
            value = float(literal)
            if math.isinf(value) or (value == 0 and re.search("[1-9]", re.split("[eE]", literal)[0])):
                problem = f"{quoted(literal)} is out of the range of numbers"
                raise InputError(problem, place=Place(file, number), remedy="a number from 1e-307 to 1e307 in size")
