"""A steady state as text: CSV, a JSON document, and what is to be said beside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bonesim.cli.course import finite

if TYPE_CHECKING:
    import xarray as xr


def csv_text(result: xr.Dataset) -> str:
    """A line for each quantity: name, value, unit."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["quantity", "value", "unit"])
    rows.writerows([name, repr(result[name].item()), result[name].attrs["units"]] for name in _outputs(result))
    return text.getvalue()


def document(result: xr.Dataset) -> dict[str, Any]:
    """Model, quantities with units, stability, status; null for what is no number."""
    from bonesim.solve.status import Status

    def value(name: str) -> dict[str, Any]:
        return {"unit": result[name].attrs["units"], "value": finite(result[name].item())}

    return {
        "model": result.attrs["model"],
        "model_hash": result.attrs["model_hash"],
        "outputs": {name: value(name) for name in _outputs(result)},
        "stability": _word(result, "stability"),
        "growth_rate": value("growth_rate"),
        "conserved": int(result["conserved"]),
        "residual": finite(result["residual"].item()),
        "found_by": _word(result, "found_by"),
        "status": Status(int(result["status"])).word,
    }


def remarks(result: xr.Dataset) -> Iterator[str]:
    """Whether the model would stay there."""
    if int(result["status"]):
        return
    growth, totals = float(result["growth_rate"]), int(result["conserved"])
    unit, stability = result["growth_rate"].attrs["units"], _word(result, "stability")
    if totals:
        yield f"{totals} conserved total{'s' * (totals > 1)}: a disturbance of {'them' if totals > 1 else 'it'} stays"
    subject = "other disturbances" if totals else "disturbances"
    yield f"{stability}: {subject} {_fate(growth, unit)}"


def _fate(growth: float, unit: str) -> str:
    """What becomes of disturbances whose fastest growth is this."""
    if growth == 0:
        return "neither grow nor die out"
    if growth < 0:
        return f"die out, the slowest at {-growth:.3g} {unit}"
    return f"grow, the fastest at {growth:.3g} {unit}"


def _outputs(result: xr.Dataset) -> list[str]:
    return [str(name) for name, variable in result.data_vars.items() if variable.attrs.get("role") == "output"]


def _word(result: xr.Dataset, name: str) -> str:
    attrs = result[name].attrs
    words: dict[int, str] = dict(zip(map(int, attrs["flag_values"]), attrs["flag_meanings"].split(), strict=True))
    return words[int(result[name])]
