"""A user's own measurements beside a run: read from a table with every fault at its place, and held against the run.

A table is CSV. One column is `time` or `time_UNIT` (`time_day`, `time_week`), the others are outputs of the run by
name; `NAME_sd`, or `NAME_low` and `NAME_high`, say how sure a value is, and `arm` which arm it belongs to (`dosed`
without). A second line that begins with `#` has the units; where it is silent, times need theirs in the name and values
are in the unit of the output. An empty cell is no measurement.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bonesim.errors import InputError, Place, closest, quoted
from bonesim.results.dataset import days_of, structure
from bonesim.results.members import QUANTILES, has_draws, quantiles, stated
from bonesim.scenario.problem import DOSED
from bonesim.units import Unit

if TYPE_CHECKING:
    import xarray as xr

PARTS = ("sd", "low", "high")
"""Ends of the names of columns that say how sure a value is."""

Z95 = 1.6448536269514722
"""Standard deviations between the median and the 95 % quantile of a normal distribution."""


@dataclass(frozen=True)
class Measured:
    """One measurement, in the unit of its output; None for what the table does not say."""

    output: str
    arm: str
    time_day: float
    value: float
    sd: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class _Column:
    """One column of a table: `part` of an output ('value' or one of `PARTS`), and what one of its unit is in ours."""

    name: str
    output: str
    part: str
    factor: float


def read_measured(path: Path, units: Mapping[str, str], arms: Sequence[str], end: float) -> list[Measured]:
    """The measurements in a table.

    Parameters
    ----------
    path : a CSV file
    units : output -> its unit
    arms : names of the arms
    end : of the run, day

    Raises
    ------
    InputError
        For everything that is wrong, with line and column.
    """
    table = _Table(path, units, arms, end)
    found = list(table.measurements())
    if table.faults:
        raise InputError.together(table.faults)
    if not found:
        raise InputError("no measurement stands in it", place=Place(str(path)), remedy="lines with a time and values")
    return found


def with_measured(dataset: xr.Dataset, measured: Sequence[Measured]) -> xr.Dataset:
    """The result with measurements as its attribute `data`."""
    from bonesim.results.dataset import as_attrs

    return dataset.assign_attrs(as_attrs({"data": [asdict(one) for one in measured]}))


def held_against(dataset: xr.Dataset) -> list[dict[str, Any]]:
    """Every measurement of a result beside what was computed for its time.

    `computed` is the course with the stated values, on a straight line between recorded times, and `residual` is what
    was measured less that. With draws, `quantiles` are theirs at that time. `z` is the residual over the root of the
    squared sd of the measurement and the squared sd of the draws, which is taken from the distance of their 5 and 95 %
    quantiles as if they were normal; None where neither is known.
    """
    days, plain = days_of(dataset), stated(dataset)
    rows = []
    for said in structure(dataset, "data", []):
        at = {"output": said["output"], "arm": said["arm"]}
        course = plain[at["output"]].sel(arm=at["arm"]).values
        computed = float(np.interp(said["time_day"], days, course))
        residual = said["value"] - computed
        row = {**said, "computed": computed, "residual": residual}
        spread = 0.0
        if has_draws(dataset):
            band = quantiles(dataset[at["output"]].sel(arm=at["arm"]).values)
            there = [float(np.interp(said["time_day"], days, edge)) for edge in band]
            row["quantiles"] = {str(percent): value for percent, value in zip(QUANTILES, there, strict=True)}
            spread = (there[-1] - there[0]) / (2.0 * Z95)
        sure = math.hypot(said["sd"] or 0.0, spread)
        rows.append(row | {"z": residual / sure if sure > 0 else None})
    return rows


class _Table:
    """A table as it is read; what is wrong is collected in `faults`."""

    def __init__(self, path: Path, units: Mapping[str, str], arms: Sequence[str], end: float) -> None:
        self.path, self.units, self.arms, self.end = path, units, arms, end
        self.faults: list[InputError] = []
        self.rows = self._rows()
        self.names = [name.strip() for name in self.rows[0][1]] if self.rows else []
        if not self.rows:
            self.fault("the table is empty", None, "", "a first line with the names of columns")
        self.time = self._time_column()
        self.columns = dict(self._columns())

    def fault(self, problem: str, line: int | None, column: str, remedy: str) -> None:
        """Note one thing that is wrong."""
        self.faults.append(InputError(problem, place=Place(str(self.path), line, column or None), remedy=remedy))

    def measurements(self) -> Iterator[Measured]:
        """All that is measured, in the order of the table."""
        if self.time is None:
            return
        for line, cells in self.rows[1:]:
            if cells[0].startswith("#"):
                continue
            if len(cells) != len(self.names):
                self.fault(f"{len(cells)} cells, and {len(self.names)} columns", line, "", "one cell for each column")
                continue
            yield from self._measurements(line, cells)

    def _measurements(self, line: int, cells: list[str]) -> Iterator[Measured]:
        """The measurements of one line."""
        assert self.time is not None
        index, factor = self.time
        time, arm = self._number(line, index, cells, factor), self._arm(line, cells)
        if time is None:
            if not cells[index].strip():
                self.fault("no time", line, self.names[index], "when it was measured")
            return
        if not 0 <= time <= self.end:
            problem = f"{time:g} day is outside the run, which ends at {self.end:g} day"
            self.fault(problem, line, self.names[index], "times from the start of the run on, or a longer duration")
        read: dict[str, dict[str, float | None]] = {}
        for place, column in self.columns.items():
            read.setdefault(column.output, {})[column.part] = self._number(line, place, cells, column.factor)
        for output, said in read.items():
            value = said.pop("value", None)
            if value is None and (alone := next((part for part, given in said.items() if given is not None), None)):
                self.fault(
                    "no value stands beside it", line, f"{output}_{alone}", f"the value under {output}, or nothing"
                )
            if value is not None:
                self._check_bounds(line, output, value, said)
                yield Measured(output, arm, time, value, **said)

    def _check_bounds(self, line: int, output: str, value: float, said: Mapping[str, float | None]) -> None:
        sd, low, high = (said.get(part) for part in PARTS)
        if sd is not None and sd < 0:
            self.fault("a standard deviation below 0", line, f"{output}_sd", "0 or more, or an empty cell")
        if low is not None and low > value:
            self.fault(f"{low:g} is above the value, {value:g}", line, f"{output}_low", "the lower end of the bar")
        if high is not None and high < value:
            self.fault(f"{high:g} is below the value, {value:g}", line, f"{output}_high", "the upper end of the bar")

    def _arm(self, line: int, cells: list[str]) -> str:
        if "arm" not in self.names:
            return DOSED
        arm = cells[self.names.index("arm")].strip() or DOSED
        if arm not in self.arms:
            self.fault(f"unknown arm {quoted(arm)}", line, "arm", closest(arm, self.arms))
        return arm

    def _number(self, line: int, place: int, cells: list[str], factor: float) -> float | None:
        text = cells[place].strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            self.fault(f"{quoted(text)} is no number", line, self.names[place], "a number, or an empty cell")
            return None
        return value * factor

    def _rows(self) -> list[tuple[int, list[str]]]:
        """(line, cells) of all lines that are not empty."""
        try:
            with self.path.open(newline="", encoding="utf-8-sig") as file:
                reader = csv.reader(file)
                return [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
        except UnicodeDecodeError:
            raise InputError("no text in UTF-8", place=Place(str(self.path)), remedy="save it as CSV, UTF-8") from None
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            raise InputError(problem, place=Place(str(self.path)), remedy="a CSV file") from None
        except csv.Error as error:
            raise InputError(f"no CSV: {error}", place=Place(str(self.path)), remedy="save it as CSV, UTF-8") from None

    def _time_column(self) -> tuple[int, float] | None:
        """Where times stand, and how many days one of their unit is."""
        places = [place for place, name in enumerate(self.names) if name == "time" or name.startswith("time_")]
        if len(places) != 1:
            if self.rows:
                self.fault(f"{len(places)} columns of times", self.rows[0][0], "", "one column, e.g. time_day")
            return None
        name = self.names[places[0]]
        unit = name.partition("_")[2] or self._unit(places[0])
        if not unit:
            self.fault("times without a unit", self.rows[0][0], name, "time_day, or a second line '#day,...'")
            return None
        return places[0], self._factor(unit, "day", name)

    def _columns(self) -> Iterator[tuple[int, _Column]]:
        """Where each part of each output stands; names that are none of them are faults."""
        known = {name: (name, "value") for name in self.units}
        known |= {f"{name}_{part}": (name, part) for name in self.units for part in PARTS}
        for place, name in enumerate(self.names):
            if name in self.names[:place]:
                self.fault(f"column {quoted(name)} stands twice", self.rows[0][0], name, "one column of each name")
            elif name in known:
                output, part = known[name]
                unit = self._unit(place)
                factor = self._factor(unit, self.units[output], name) if unit else 1.0
                yield place, _Column(name, output, part, factor)
            elif name not in {"arm", "time"} and not name.startswith("time_"):
                problem = f"{quoted(name)} is no output of this run"
                self.fault(problem, self.rows[0][0], name, closest(name, [*self.units, "arm", "time_day"]))

    def _unit(self, place: int) -> str:
        """The unit that the second line gives a column, if any."""
        if len(self.rows) < 2 or not self.rows[1][1][0].startswith("#") or place >= len(self.rows[1][1]):
            return ""
        return self.rows[1][1][place].strip().removeprefix("#").strip()

    def _factor(self, unit: str, ours: str, name: str) -> float:
        try:
            return Unit.parse(unit).conversion_to(ours)
        except InputError as error:
            self.fault(error.problem, self.rows[0][0], name, error.remedy or f"a unit such as {ours}")
            return 1.0
