"""A schema's complaint in plain words."""

from __future__ import annotations

import math
import re
from typing import Any

from bonesim.errors import closest, quoted

_A_WHOLE_NUMBER = "a whole number"
_A_LIST = "a list"
_A_BLOCK = "a block of keys"

EXPECTED = {
    "string_type": "text",
    "int_type": _A_WHOLE_NUMBER,
    "int_from_float": _A_WHOLE_NUMBER,
    "int_parsing": _A_WHOLE_NUMBER,
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "none_required": "nothing",
    "list_type": _A_LIST,
    "tuple_type": _A_LIST,
    "set_type": _A_LIST,
    "frozen_set_type": _A_LIST,
    "dict_type": _A_BLOCK,
    "mapping_type": _A_BLOCK,
    "model_type": _A_BLOCK,
    "model_attributes_type": _A_BLOCK,
    "dataclass_type": _A_BLOCK,
}
"""Type of a pydantic error -> what would have been right."""

_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_LENGTHS = {
    "too_short": ("min_length", "at least", "entries"),
    "too_long": ("max_length", "at most", "entries"),
    "string_too_short": ("min_length", "at least", "characters"),
    "string_too_long": ("max_length", "at most", "characters"),
}
_CHOICES = frozenset(("literal_error", "enum", "union_tag_invalid"))


def explain(error: dict[str, Any]) -> tuple[str, str | None]:
    """Problem and remedy of one entry of `pydantic.ValidationError.errors()`; unknown keys are the caller's."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, got {shown(value)}", _quotes_off(EXPECTED[kind], value)
    if kind in _CHOICES:
        return _choice(value, context)
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{shown(value)} is out of range", f"a number {words} {context[name]}"
    if kind in _LENGTHS:
        name, words, what = _LENGTHS[kind]
        return f"expected {words} {context[name]} {what}", None
    if kind == "string_pattern_mismatch":
        return f"{shown(value)} has the wrong form", f"text that matches {context['pattern']}"
    said = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return said.replace("Input should be", "expected"), None


def shown(value: Any) -> str:
    """A value in a message: numbers as YAML writes them, text in quotes, collections by their sort."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    if isinstance(value, (dict, list)):
        return _A_BLOCK if isinstance(value, dict) else _A_LIST
    return quoted(value) if isinstance(value, str) else str(value)


def _choice(value: Any, context: dict[str, Any]) -> tuple[str, str]:
    """A value that is none of the allowed ones."""
    expected = str(context.get("expected_tags") or context["expected"])
    known = re.findall(r"'((?:[^'\\]|\\.)*)'", expected) or re.split(r", | or ", expected)
    word = str(context["tag"]) if "tag" in context else value
    if isinstance(word, str):
        return f"{quoted(word)} is not known here", closest(word, known)
    return f"{shown(word)} is not known here", f"one of {', '.join(known)}" if len(known) > 1 else f"write {known[0]}"


def _quotes_off(expected: str, value: Any) -> str | None:
    """The remedy where only the quotes are wrong."""
    if not isinstance(value, str):
        return f"put it in quotes: '{shown(value)}'" if expected == "text" and isinstance(value, (int, float)) else None
    if "number" in expected and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value):
        return f"leave out the quotes: {value}"
    return None
