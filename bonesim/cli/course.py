"""A simulated course as text: CSV, a JSON document, and what is to be said beside it."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr


def csv_text(result: xr.Dataset) -> str:
    """Times in the first column, a quantity in each of the others."""
    from bonesim.results.dataset import own_names, quantities

    time, names = own_names(result)["time"], quantities(result)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow([time, *names])
    columns = [result[name].values.tolist() for name in [time, *names]]
    rows.writerows(map(repr, row) for row in zip(*columns, strict=True))
    return text.getvalue()


def document(result: xr.Dataset) -> dict[str, Any]:
    """Model, times, quantities with units, status; null for what is no number."""
    from bonesim.results.dataset import own_names, quantities
    from bonesim.solve.status import Status

    own = own_names(result)

    def values(name: str) -> list[float | None]:
        return [finite(value) for value in result[name].values.tolist()]

    def output(name: str) -> dict[str, Any]:
        attrs = result[name].attrs
        estimate = {"error_estimate": finite(attrs["error_estimate"])} if "error_estimate" in attrs else {}
        return {"unit": attrs["units"], "values": values(name), **estimate}

    return {
        "model": result.attrs["model"],
        "model_hash": result.attrs["model_hash"],
        "time": {"unit": result.attrs["time_units"], "values": values(own["time"])},
        "outputs": {name: output(name) for name in quantities(result)},
        "status": Status(int(result[own["status"]])).word,
    }


def remarks(result: xr.Dataset) -> Iterator[str]:
    """The error of each quantity, where it was asked for."""
    from bonesim.results.dataset import quantities

    for name in quantities(result):
        estimate = result[name].attrs.get("error_estimate")
        if estimate is not None and math.isfinite(estimate):
            yield f"{name}: error {estimate:.2g} of its largest size"


def finite(value: float) -> float | None:
    """The number, None if it is none."""
    return value if math.isfinite(value) else None
