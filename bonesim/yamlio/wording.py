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

_REMEDIES = {
    "text": "a text, e.g. 'abc'",
    _A_WHOLE_NUMBER: "a number such as 3",
    "a number": "a number such as 0.5",
    "a finite number": "a number such as 0.5",
    "true or false": "write true or false",
    "nothing": "leave the value out",
    _A_LIST: "a list such as [a, b]",
    _A_BLOCK: "keys with values, e.g. {key: value}",
}

_LIMITS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_LENGTHS = {
    "too_short": ("min_length", "at least", ("entry", "entries"), "add to the list"),
    "too_long": ("max_length", "at most", ("entry", "entries"), "shorten the list"),
    "string_too_short": ("min_length", "at least", ("character", "characters"), "a longer text"),
    "string_too_long": ("max_length", "at most", ("character", "characters"), "a shorter text"),
}
_CHOICES = frozenset(("literal_error", "enum", "union_tag_invalid"))


def explain(error: dict[str, Any]) -> tuple[str, str | None]:
    """Problem and remedy of one entry of `pydantic.ValidationError.errors()`; unknown keys are the caller's."""
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind in EXPECTED:
        return f"expected {EXPECTED[kind]}, got {shown(value)}", remedy_for(EXPECTED[kind], value)
    if kind in _CHOICES:
        return _choice(value, context)
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return f"{shown(value)} is out of range", f"a number {words} {context[name]}"
    if kind in _LENGTHS:
        name, words, (one, many), remedy = _LENGTHS[kind]
        remedy = "add a key with its value" if kind == "too_short" and isinstance(value, dict) else remedy
        return f"expected {words} {context[name]} {one if context[name] == 1 else many}", remedy
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


def remedy_for_any(expected: tuple[str, ...], value: Any) -> str:
    """What to write where one of several is wanted: what is nearest to a value, or any of the collections."""
    collections = [_REMEDIES[one] for one in expected if one in (_A_BLOCK, _A_LIST)]
    return ", or ".join(collections) if len(collections) == len(expected) else remedy_for(expected[0], value)


def remedy_for(expected: str, value: Any) -> str:
    """What to write instead of `value` where `expected` is wanted; often only the quotes are wrong."""
    if expected == "text" and isinstance(value, (int, float)):
        return f"put it in quotes: '{shown(value)}'"
    if "number" in expected and isinstance(value, str) and re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value):
        return f"leave out the quotes: {value}"
    return _REMEDIES[expected]
