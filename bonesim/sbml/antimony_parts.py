"""What stands where in an Antimony text: its models, their submodels, and the lines of their symbols.

Antimony gives symbol S of submodel A the name `A_S`, which a symbol of the outer model may have, too. As in SBML
(`comp`), it is `A__S` here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bonesim.errors import Place
from bonesim.sbml.supported import refuse

MOST_PARTS = 2000
"""Submodels of a model, those within submodels included; Antimony takes about 10 ms for each."""

_NOT_CODE = re.compile(r'//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z)|"[^"\n]*"', re.DOTALL)
_MODEL = re.compile(r"^\s*(?:model|module)\s+(\*?)\s*(\w+)\s*(?:\([^)]*\))?")
_FUNCTION = re.compile(r"^\s*function\b")
_END = re.compile(r"\bend\b")
_PART = re.compile(r"^\s*([A-Za-z_]\w*)\s*:\s*([A-Za-z_]\w*)\s*\(")
_DEFINITION = re.compile(
    r"^\s*(?:(?:const|var|species|compartment|unit|at)\s+)*\$?([A-Za-z_]\w*)\s*(?:'?\s*:?=|:|\bin\b|;|,|$)"
)


@dataclass
class Block:
    """One model of a text: symbol -> line, submodel -> the model it is of, and its line."""

    lines: dict[str, int] = field(default_factory=dict)
    parts: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outline:
    """All models of a text by name ("" for what stands outside of any), and which one is meant."""

    blocks: Mapping[str, Block]
    main: str

    def lines(self) -> dict[str, int]:
        """Symbol of the flat model -> the line where it is defined first."""
        return dict(self._lines(self.main))

    def _lines(self, model: str) -> dict[str, int]:
        found = dict(self.blocks[model].lines)
        for name, (of, line) in self.blocks[model].parts.items():
            if of in self.blocks:
                found |= {f"{name}__{symbol}": there for symbol, there in self._lines(of).items()}
                found[name] = line
        return found

    def refuse_too_many(self, file: str) -> None:
        """Raises UnsupportedModelError if the model has more than `MOST_PARTS` submodels."""
        counts: dict[str, int] = {}

        def count(model: str, above: tuple[str, ...]) -> int:
            if model not in counts:
                total = 0
                for name, (of, line) in self.blocks[model].parts.items():
                    if of in self.blocks and of not in above:
                        total += 1 + count(of, (*above, of))
                        if total > MOST_PARTS or len(above) > 50:
                            raise refuse("submodels", f"submodel '{name}'", Place(file, line))
                counts[model] = total
            return counts[model]

        for model in self.blocks:
            count(model, (model,))

    def names(self, symbols: Mapping[str, Collection[str]]) -> dict[str, str]:
        """Names that Antimony gives symbols of submodels -> `A__S`, given the symbols that each model has for it."""
        found = {}
        for symbol in symbols.get(self.main, ()):
            name = self._name(self.main, symbol, symbols)
            if name != symbol:
                found[symbol] = name
        return found

    def _name(self, model: str, symbol: str, symbols: Mapping[str, Collection[str]]) -> str:
        for part, (of, _) in self.blocks[model].parts.items() if model in self.blocks else ():
            rest = symbol.removeprefix(f"{part}_")
            if rest != symbol and rest in symbols.get(of, ()):
                return f"{part}__{self._name(of, rest, symbols)}"
        return symbol


def outline(text: str) -> Outline:
    """The models of an Antimony text."""
    blocks: dict[str, Block] = {"": Block()}
    here, main, last, in_function = "", None, "", False
    for number, line in enumerate(without_comments(text).split("\n"), start=1):
        for statement in line.split(";"):
            code, *ended = _END.split(statement, maxsplit=1)
            if started := _MODEL.match(code):
                here = last = started[2]
                blocks.setdefault(here, Block())
                main = here if started[1] else main
                code = code[started.end() :]
            in_function = in_function or bool(_FUNCTION.match(code))
            if part := _PART.match(code):
                blocks[here].parts.setdefault(part[1], (part[2], number))
            if (found := _DEFINITION.match(code)) and not in_function:
                blocks[here].lines.setdefault(found[1], number)
            if ended:
                here, in_function = here if in_function else "", False
    outside = blocks[""].lines or blocks[""].parts
    return Outline(blocks, main or ("" if outside else last))


def without_comments(text: str) -> str:
    """The text with comments and strings blanked, line by line as it was."""
    return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
