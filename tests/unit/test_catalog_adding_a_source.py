"""A new source is one new file: written into a folder, it can be dosed, and it acts as it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import xarray as xr
from questions import bolus, question

from bonesim.catalog import load_catalog
from bonesim.errors import InputError
from bonesim.run import run

ENTRY = """\
id: tooth_exo
label: exosomes of a tooth
category: stem_cell
parent_state: cultured
effect_stated: true
direction_stated: true
refs: [made_up]
cargo:
  - {name: miR-4711-5p, kind: miRNA, refs: [made_up]}
edges:
  - id: tooth_edge
    cargo: miR-4711-5p
    chain: [{node: SMAD7, direction: down}, {node: RUNX2, direction: up}]
    cell_target: CELL
    process: PROCESS
    effect: EFFECT
    context: null
    evidence: in_vitro
    mechanism: stated
    refs: [made_up]
    strength: {prior: in_vitro_stated_mechanism}
lot: {particles_per_ug: {prior: particles_per_ug}}
references:
  - {id: made_up, unresolved: made up for a test}
"""


def add(folder: Path, monkeypatch: pytest.MonkeyPatch, ending: str, effect: int) -> None:
    """Put the source into a folder and tell bonesim of it."""
    cell, process = ending.split(".")
    text = ENTRY.replace("CELL", cell).replace("PROCESS", process).replace("EFFECT", str(effect))
    (folder / "tooth_exo.yaml").write_text(text, encoding="ascii")
    monkeypatch.setenv("BONESIM_CATALOG", str(folder))


def ratio(result: xr.Dataset, name: str) -> float:
    """Dosed over vehicle at the end."""
    values = result[name].isel(time=-1)
    return float(values.sel(arm="dosed") / values.sel(arm="vehicle"))


@pytest.mark.parametrize("effect", [1, -1])
@pytest.mark.parametrize(
    ("ending", "cells", "sign"),
    [
        ("BMSC.osteogenic_differentiation", "OBa", 1),
        ("osteoblast.apoptosis", "OBa", -1),
        ("osteoclast.apoptosis", "OCa", -1),
        ("osteoclast_precursor.osteoclastogenesis", "OCa", 1),
    ],
)
def test_a_source_in_a_folder_of_ones_own_moves_its_process_as_it_says(
    ending: str, cells: str, sign: int, effect: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, monkeypatch, ending, effect)
    scenario = question(bolus("tooth_exo", route="local"), outputs=f"[{ending}, {cells}]", duration="6 day")
    result = run(scenario, backend="numpy")
    dosed = float(result[ending].sel(arm="dosed")[-1])
    assert (dosed - 1) * effect > 0.01
    assert (result[ending].sel(arm="vehicle") == 1.0).all()
    assert (ratio(result, cells) - 1) * sign * effect > 1e-3
    assert json.loads(result.attrs["ledger"])[0]["delivered"] == pytest.approx(100.0, rel=1e-9)
    assert json.loads(result.attrs["provenance"])["numbers"]["strength_tooth_edge"]["basis"] == "assumed"


def test_without_the_folder_the_source_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, monkeypatch, "BMSC.osteogenic_differentiation", 1)
    assert "tooth_exo" in load_catalog().sources
    monkeypatch.delenv("BONESIM_CATALOG")
    assert "tooth_exo" not in load_catalog().sources
    with pytest.raises(InputError) as caught:
        question(bolus("tooth_exo"))
    problem, remedy = str(caught.value).splitlines()
    assert problem == "--set doses[0].source: unknown source 'tooth_exo'"
    assert remedy.startswith("  try: ")
    assert "tooth_exo" not in remedy


def test_a_source_that_ends_in_an_outcome_is_refused_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(tmp_path, monkeypatch, "BMSC.bone_formation", 1)
    with pytest.raises(InputError) as caught:
        load_catalog()
    line = ENTRY.splitlines().index("    process: PROCESS") + 1
    assert str(caught.value).startswith(
        f"{tmp_path / 'tooth_exo.yaml'}:{line}: edges[0].process: 'bone_formation' is an outcome that is computed"
    )
