"""What a scalar means under the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3.2)."""

from __future__ import annotations

import math
import re

from bonesim.errors import InputError, quoted

Scalar = str | int | float | bool | None

MOST_DIGITS = 400

NULLS = frozenset(("", "~", "null", "Null", "NULL"))
"""Plain scalars that are no value."""

_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INF = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = frozenset((".nan", ".NaN", ".NAN"))

CORE_TAG = "tag:yaml.org,2002:"
_TYPES: dict[str, type] = {"int": int, "float": float, "bool": bool, "null": type(None)}


def plain(text: str) -> Scalar:
    """The value of a scalar written without quotes.

    Raises
    ------
    InputError
        If it is a number that does not fit: more than 400 digits, or beyond floating point.
    """
    if text in NULLS:
        return None
    if text in _BOOL:
        return _BOOL[text]
    for pattern, base in ((_INT, 10), (_OCTAL, 8), (_HEX, 16)):
        if pattern.fullmatch(text):
            if len(text) > MOST_DIGITS:
                raise InputError(f"{quoted(text)} has too many digits", remedy=f"at most {MOST_DIGITS}")
            return int(text[2:] if base != 10 else text, base)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise InputError(f"{quoted(text)} is beyond the range of numbers", remedy="a smaller exponent")
        return number
    if _INF.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if text in _NAN else text


def tagged(text: str, tag: str) -> Scalar:
    """The value of a scalar with a tag; `!` and `!!str` make it text, other core tags must agree with it.

    Raises
    ------
    InputError
        If the tag is not one of the core schema, or the text is no such value.
    """
    name = tag.removeprefix(CORE_TAG)
    if tag == "!" or (name == "str" and name != tag):
        return text
    if name == tag or name not in _TYPES:
        raise unknown_tag(tag)
    value = plain(text)
    if name == "float" and type(value) is int:
        return float(value)
    if type(value) is not _TYPES[name]:
        raise InputError(f"{quoted(text)} does not agree with its tag !!{name}", remedy="leave the tag out")
    return value


def unknown_tag(tag: str) -> InputError:
    """The refusal of a tag that is not in the core schema."""
    shown = tag.replace(CORE_TAG, "!!", 1)
    return InputError(f"tag {quoted(shown)} is not read", remedy="leave the tag out")
