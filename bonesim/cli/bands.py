"""Bands of draws in tables: 5, 50 and 95 % of them, and how many have the sign of the stated values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bonesim.cli.console import percent

DIFFERENCES = ("vs vehicle", "same sign", "at most", "same sign")
"""Columns of what `differences` gives."""

_KINDS = {
    "against_vehicle_percent_quantiles": "sign_agreement",
    "largest_against_vehicle_percent_quantiles": "largest_sign_agreement",
}


def differences(end: Mapping[str, Any]) -> list[str]:
    """Bands of the difference to the vehicle, at the end and at most, each with its share of the same sign."""
    if not _KINDS.keys() <= end.keys():
        return ["-"] * len(DIFFERENCES)
    return [text for band, share in _KINDS.items() for text in (f"{in_a_row(end[band], _bare)} %", _share(end[share]))]


def in_a_row(quantiles: Mapping[str, float | None], text: Callable[[float | None], str]) -> str:
    """`low / median / high`."""
    return " / ".join(map(text, quantiles.values()))


def _bare(value: float | None) -> str:
    return percent(value).removesuffix(" %")


def _share(share: float | None) -> str:
    return "-" if share is None else f"{100.0 * share:.0f} %"
