"""The checked-in modules, run in libroadrunner, against published values, closed forms and their own cards."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import antimony
import libsbml
import numpy as np
import pytest
import roadrunner

from bonesim.yamlio import read

ROOT = Path(__file__).parents[2]
SBML = ROOT / "models" / "sbml"
CORES = [
    SBML / "core" / name
    for name in (
        "lemaire2004",
        "pivonka2008",
        "komarova2003",
        "komarova2005",
        "joerg2022",
        "nelson2026",
        "baratchart2022",
        "scheiner2013",
    )
]
"""Those that start at rest."""
PHARMACOKINETICS = [SBML / "pk" / "iv_two_phase", SBML / "pk" / "site_depot"]
SIGNALS = [SBML / "signal" / name for name in ("angiogenesis", "lee2003", "macrophage", "rankl_opg", "wnt_sclerostin")]
MODULES = sorted(path.with_suffix("") for path in SBML.glob("*/*.ant"))
CELLS = ("OBp", "OBa", "OCa")
RTOL = 1e-12
SETTLED = 4000.0  # day; the slowest rate of the modules that settle is 0.01 1/day, so e^-40 of any start is left
COURSE = 20_001  # times at which a course is looked at
MEASURES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "value": lambda y, t: float(y[-1]),
    "largest": lambda y, t: float(y.max()),
    "least": lambda y, t: float(y.min()),
    "mean": lambda y, t: float(np.trapezoid(y, t) / (t[-1] - t[0])),
    "time_of_largest": lambda y, t: float(t[y.argmax()]),
    "time_of_least": lambda y, t: float(t[y.argmin()]),
}
CARD_UNIT = {
    "pM": "pM",
    "pM_per_day": "pM/day",
    "nM": "nM",
    "nM_per_day": "nM/day",
    "per_nM_day": "1/(nM*day)",
    "per_day": "1/day",
    "per_pM": "1/pM",
    "per_pM_day": "1/(pM*day)",
    "per_mm": "1/mm",
    "day": "day",
    "item": "particles",
    "item_per_day": "particles/day",
    "percent": "%",
    "percent_per_day": "%/day",
    "percent_per_pM_day": "%/(pM*day)",
    "GPa": "GPa",
    "GPa3": "GPa^3",
    "per_GPa": "1/GPa",
    "hour": "hour",
    "per_hour": "1/h",
    "pM_per_hour": "pM/h",
    "per_pM_hour": "1/(pM*h)",
    "mM": "mM",
    "mmol": "mmol",
    "mmol_per_hour": "mmol/h",
    "pmol": "pmol",
    "pmol_per_hour": "pmol/h",
    "pmol_per_hour2": "pmol/h^2",
    "L": "L",
    "L_per_hour": "L/h",
    "mg": "mg",
    "mg_per_day": "mg/day",
    "per_mg": "1/mg",
    "ug": "ug",
    "ug_per_day": "ug/day",
    "per_ug": "1/ug",
    "ug_per_hour": "ug/h",
    "ug_per_L": "ug/L",
    "ug_per_pmol": "ug/pmol",
    "cell_number": "cell",
    "cells_per_day": "cell/day",
    "per_cell": "1/cell",
    "mm3": "mm^3",
    "mm3_per_day": "mm^3/day",
    "mm3_per_cell_day": "mm^3/(cell*day)",
    "per_mL": "1/mL",
    "per_mL_day": "1/(mL*day)",
    "mL_per_cell_day": "mL/(cell*day)",
    "ng_per_mL": "ng/mL",
    "ng_per_cell_day": "ng/(cell*day)",
    "g_per_mL": "g/mL",
    "g_per_cell_day": "g/(cell*day)",
    "dimensionless": "dimensionless",
}


def card(module: Path) -> dict[str, Any]:
    """Give the card of a module as plain data."""
    data: dict[str, Any] = read(module.with_suffix(".yaml")).data
    return data


def engine(module: Path, given: Mapping[str, float] | None = None) -> Any:
    """Load a module into libroadrunner at tight tolerances, with values as if they stood in its file."""
    document = libsbml.readSBMLFromFile(str(module.with_suffix(".xml")))  # owns the model
    for name, value in (given or {}).items():
        document.getModel().getParameter(name).setValue(value)
    runner = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    runner.integrator.relative_tolerance = RTOL
    runner.integrator.absolute_tolerance = 1e-18
    runner.integrator.maximum_num_steps = 1_000_000
    return runner


def advance(runner: Any, start: float, end: float) -> None:
    """Carry the state from `start` to `end`, in the unit of the module."""
    if end > start:
        runner.simulate(start, end, 2)


def values_of(module: Path, rows: Sequence[dict[str, Any]]) -> list[float]:
    """Give the values that rows of `published` under the same conditions ask for, of one course."""
    ends = [SETTLED if row["at"] == "steady_state" else float(row["at"].split()[1]) for row in rows]
    first, end = rows[0], max(ends)
    grid = np.linspace(0.0, end, COURSE) if "measure" in first else np.unique([0.0, *ends])
    symbols = list(dict.fromkeys(row["symbol"] for row in rows))
    runner = engine(module, {} if "window" in first else first.get("set"))
    for name, value in first.get("initial", {}).items():
        runner[name] = value
    course, now = [], 0.0
    for time, act in [*changes(module, first, runner), (end, None)]:
        if (until := min(time, end)) > now:
            times = np.unique([now, *grid[(grid > now) & (grid < until)], until])
            course.append(runner.simulate(times=times.tolist(), selections=["time", *symbols]))
            now = until
        if act and time < end:
            act()
    t, *courses = np.concatenate(course).T
    known = dict(zip(symbols, courses, strict=True))
    if "measure" in first:
        return [MEASURES[first["measure"]](known[first["symbol"]], t)]
    # At the time of a change the first of two values is that before it.
    return [float(known[row["symbol"]][np.searchsorted(t, stop)]) for row, stop in zip(rows, ends, strict=True)]


def changes(module: Path, row: dict[str, Any], runner: Any) -> list[tuple[float, Callable[[], None]]]:
    """What is done to a running module, and when: doses into states behind ports, parameters in a window and later."""
    found: list[tuple[float, Callable[[], None]]] = []

    def put(time: float, name: str, value: float, kept: float = 0.0) -> None:
        found.append((time, lambda: runner.setValue(name, kept * runner[name] + value)))

    given = row.get("doses", [])
    for doses in [given] if isinstance(given, dict) else given:
        (depot,) = (port["jumps"] for port in card(module)["ports"] if port["name"] == doses["port"])
        for number in range(doses["count"]):
            put(doses.get("first", 0.0) + number * doses["every"], depot, doses["amount"], kept=1.0)
    for edge, time in enumerate(row.get("window", [])):
        for name, value in row["set"].items():
            put(time, name, runner[name] if edge else value)
    for switch in row.get("switches", []):
        for name, value in switch["set"].items():
            put(switch["at"], name, value)
    return sorted(found, key=lambda change: change[0])


def experiments(module: Path) -> Iterator[list[dict[str, Any]]]:
    """Go through rows of `published` under the same conditions, and each measure of a course by itself."""
    found: dict[str, list[dict[str, Any]]] = {}
    for number, row in enumerate(card(module)["published"]):
        conditions = {key: row.get(key) for key in ("doses", "set", "window", "switches", "initial")}
        key = f"{number}" if "measure" in row else repr(conditions)
        found.setdefault(key, []).append(row)
    yield from found.values()


PUBLISHED = [
    pytest.param(module, rows, id=f"{module.name}: {rows[0]['quantity']}, {rows[0]['at']}")
    for module in MODULES
    for rows in experiments(module)
]


@pytest.mark.parametrize(("module", "rows"), PUBLISHED)
def test_published_values_are_met(module: Path, rows: list[dict[str, Any]]) -> None:
    wrong = {
        f"{row['quantity']}, {row['at']}": (value, row["value"])
        for row, value in zip(rows, values_of(module, rows), strict=True)
        if value != pytest.approx(row["value"], rel=row["tolerance"], abs=row.get("absolute", 0.0))
    }
    assert not wrong


def test_lemaire_rankl_then_opg_follows_the_published_file() -> None:
    with (ROOT / "tests" / "data" / "lemaire2004_rankl_then_opg.csv").open(encoding="ascii") as table:
        rows = list(csv.DictReader(line for line in table if not line.startswith("#")))
    runner = engine(SBML / "core" / "lemaire2004")
    for name, start in zip(CELLS, (0.0007734, 0.0007282, 0.0009127), strict=True):
        runner[name] = start
    inputs = {20.0: ("I_L", 1e4), 80.0: ("I_O", 9e4)}
    now = 0.0
    for row in rows:
        day = float(row["day"])
        advance(runner, now, day)
        now = day
        assert [runner[name] for name in CELLS] == pytest.approx([float(row[name]) for name in CELLS], rel=1e-6, abs=0)
        if day in inputs:
            name, value = inputs[day]
            runner[name] = value


@pytest.mark.parametrize("module", CORES, ids=lambda path: path.name)
def test_a_core_starts_at_its_steady_state(module: Path) -> None:
    # States stand with 15 digits, so each is off by at most 5e-15 of itself; rates per state are below 1 1/day.
    runner = engine(module)
    cells = [name for name in CELLS if name in card(module)["symbols"]]
    largest = max(runner[name] for name in cells)
    assert [runner[f"{name}'"] for name in cells] == pytest.approx([0.0] * len(cells), abs=3 * 5e-15 * largest)


PORTS_AT_1_5 = [
    ("lemaire2004", "D_R", 1.508, 1.008),
    ("lemaire2004", "k_B", 0.593, 0.830),
    ("lemaire2004", "D_C", 1.124, 1.202),
    ("lemaire2004", "D_A", 0.890, 0.830),
    ("lemaire2004", "K_L_P", 1.124, 1.202),
    ("lemaire2004", "K_O_P", 0.896, 0.839),
    ("pivonka2008", "D_OBu", 1.367, 0.897),
    ("pivonka2008", "A_OBa", 0.764, 1.176),
    ("pivonka2008", "D_OCp", 1.165, 1.201),
    ("pivonka2008", "A_OCa", 0.853, 0.832),
    ("pivonka2008", "R_RANKL", 1.044, 1.052),
    ("pivonka2008", "p_OPG", 0.867, 0.847),
    ("komarova2003", "alpha1", 1.500, 1.500),
    ("komarova2003", "alpha2", 1.225, 0.816),
    ("komarova2003", "beta1", 0.667, 0.667),
    ("komarova2003", "beta2", 0.816, 1.225),
    ("komarova2005", "alpha1", 1.500, 1.500),
    ("komarova2005", "alpha2", 1.225, 0.816),
    ("komarova2005", "beta1", 0.667, 0.667),
    ("komarova2005", "beta2", 0.816, 1.225),
    ("baratchart2022", "delta_OBa", 0.805, 0.986),
    ("baratchart2022", "d_OCa", 0.646, 0.646),
    ("baratchart2022", "delta_bone", 1.238, 1.011),
]


@pytest.mark.parametrize(("core", "parameter", "OBa", "OCa"), PORTS_AT_1_5)
def test_a_port_at_1_5_moves_the_cells_as_the_card_says(core: str, parameter: str, OBa: float, OCa: float) -> None:
    module = SBML / "core" / core
    runner = engine(module)
    healthy = np.array([runner["OBa"], runner["OCa"]])
    runner[parameter] = 1.5 * runner[parameter]
    advance(runner, 0.0, SETTLED)
    assert np.array([runner["OBa"], runner["OCa"]]) / healthy == pytest.approx([OBa, OCa], abs=5e-4)
    said = f"OBa {OBa:.3f}, OCa {OCa:.3f}"
    assert any(parameter in port.get("multiplies", []) and said in port["why"] for port in card(module)["ports"]), (
        f"no port of {core} says {said!r}"
    )


VALUES_AT_1_5 = [
    pytest.param(module, parameter, port["why"], id=f"{module.name}: {port['name']}")
    for module in SIGNALS
    for port in card(module)["ports"]
    for parameter in port.get("multiplies", [])
    if "Steady state at 1.5: " in port["why"]
]


@pytest.mark.parametrize(("module", "parameter", "why"), VALUES_AT_1_5)
def test_a_port_at_1_5_moves_a_signal_as_the_card_says(module: Path, parameter: str, why: str) -> None:
    runner = engine(module)
    runner[parameter] = 1.5
    advance(runner, 0.0, SETTLED)
    values = re.findall(r"(M1|M2|vessel density) (\d\.\d{3})", why.partition("Steady state at 1.5: ")[2])
    assert values
    for name, value in values:
        assert runner[name.replace(" ", "_")] == pytest.approx(float(value), abs=5e-4)


@pytest.mark.parametrize("module", PHARMACOKINETICS, ids=lambda path: path.name)
def test_a_bolus_and_an_infusion_are_conserved(module: Path) -> None:
    ports = {port["name"]: port for port in card(module)["ports"]}
    runner = engine(module)
    runner[ports["dose"]["jumps"]] = 1e10
    runner[ports["infusion"]["sets"]] = 1e9
    given = 1e10
    for day in range(5):
        advance(runner, float(day), day + 1.0)
        given += runner[ports["infusion"]["sets"]]
        runner[ports["infusion"]["sets"]] = 1e9 if day < 2 else 0.0
        assert sum(runner[name] for name in ports["delivered"]["sum"]) == pytest.approx(given, rel=1e-9)


@pytest.mark.parametrize("module", PHARMACOKINETICS, ids=lambda path: path.name)
def test_delivered_sums_every_state(module: Path) -> None:
    document = libsbml.readSBMLFromFile(str(module.with_suffix(".xml")))  # owns the model
    states = {rule.getVariable() for rule in document.getModel().getListOfRules() if rule.isRate()}
    (delivered,) = (port for port in card(module)["ports"] if port["name"] == "delivered")
    if "cleared" in states:  # of which organs hold shares, and bone and all else have states of their own
        states = states - {"cleared"} | {"liver", "lung", "spleen", "kidney"}
    assert set(delivered["sum"]) == states


def test_blood_after_a_bolus_has_two_phases() -> None:
    runner = engine(SBML / "pk" / "iv_two_phase")
    runner["central"] = 1.0
    share, alpha, beta = runner["fast_share"], runner["alpha"], runner["beta"]
    times = np.linspace(0.0, 1.0, 97)
    blood = runner.simulate(times=times.tolist(), selections=["central"])[:, 0]
    closed_form = share * np.exp(-alpha * times) + (1.0 - share) * np.exp(-beta * times)
    # Below 1e4 steps, each off by at most RTOL of the value.
    assert blood == pytest.approx(closed_form, rel=1e4 * RTOL, abs=0.0)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_antimony_and_sbml_are_the_same_module(module: Path) -> None:
    antimony.clearPreviousLoads()
    assert antimony.loadAntimonyString(module.with_suffix(".ant").read_text(encoding="ascii")) >= 0
    document = libsbml.readSBMLFromString(antimony.getSBMLString(module.name))
    assert document.setLevelAndVersion(3, 2, True)
    assert libsbml.writeSBMLToString(document) == module.with_suffix(".xml").read_text(encoding="utf-8")


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_sbml_is_valid_and_its_units_agree(module: Path) -> None:
    document = libsbml.readSBMLFromFile(str(module.with_suffix(".xml")))  # owns the model
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    found = [document.getError(index) for index in range(document.getNumErrors())]
    # A bare 1 or ln(2) has no unit of its own; libsbml then says that it cannot check to the end.
    assert [error.getMessage() for error in found if error.getErrorId() != libsbml.UndeclaredUnits] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_the_card_names_every_symbol_with_its_unit(module: Path) -> None:
    document = libsbml.readSBMLFromFile(str(module.with_suffix(".xml")))  # owns the model
    model = document.getModel()
    declared = {symbol.getId(): CARD_UNIT[symbol.getUnits()] for symbol in model.getListOfParameters()}
    assert {name: entry["unit"] for name, entry in card(module)["symbols"].items()} == declared
    assert card(module)["id"] == model.getId() == module.name
