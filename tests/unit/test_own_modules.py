"""A user's own modules: files with cards, named in a scenario, joined like those of the library or refused in full."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import bonesim
from bonesim.compose.own import own_module
from bonesim.errors import InputError
from bonesim.scenario.load import load_scenario
from bonesim.scenario.resolve import resolve

BLOCKER = """model blocker()
  unit time_unit = 86400 second;
  unit per_day = 1/(86400 second);
  amount = 3 dimensionless;
  loss = 0.1 per_day;
  A = 0 dimensionless;
  A' = -loss*A;
  factor := 1 + A;
  factor has dimensionless;
  at (time >= 7): A = A + amount;
end
"""
CARD = """id: blocker
kind: signal
title: Kills osteoblasts
reference: {text: made up for a test}
time_unit: day
about: Nothing.
symbols:
  A: {label: what kills, unit: dimensionless, basis: computed, source: equation}
  factor: {label: factor on death, unit: dimensionless, basis: computed, source: equation}
  amount: {label: dose, unit: dimensionless, basis: assumed, low: 1, high: 5, why: a test}
  loss: {label: loss, unit: 1/day, basis: assumed, why: a test}
ports:
  - {name: killing, direction: out, symbol: factor, drives: [osteoblast.apoptosis], why: a test}
"""
SCENARIO = """schema_version: 1
title: A module of our own
subject: {species: rat, sex: female, age: 12 week}
model: {core: pivonka2008, modules: [parts/blocker.ant]}
duration: 14 day
outputs: [OBa, factor]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario, and a module with its card in a folder beside it."""
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "blocker.ant").write_text(BLOCKER, encoding="utf-8")
    (tmp_path / "parts" / "blocker.yaml").write_text(CARD, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def rewrite(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, encoding="utf-8")


def message(file: Path, **settings: str) -> str:
    with pytest.raises(InputError) as caught:
        resolve(load_scenario(file, {key.replace("__", "."): value for key, value in settings.items()}))
    return str(caught.value)


def test_a_file_in_a_scenario_acts_through_its_ports(folder: Path) -> None:
    result = bonesim.run(load_scenario(folder / "mine.yaml")).sel(arm="dosed")
    assert result["factor"].sel(time=[0.0, 14.0]).values == pytest.approx([1.0, 1.0 + 3.0 * np.exp(-0.7)], rel=1e-5)
    assert float(result["OBa"][-1]) < 0.9 * float(result["OBa"][0])


def test_results_keep_the_files_and_their_hash_follows_them(folder: Path) -> None:
    first = bonesim.run(load_scenario(folder / "mine.yaml")).attrs
    files = json.loads(first["provenance"])["own_modules"]["blocker"]
    assert files == {"blocker.ant": BLOCKER, "blocker.yaml": CARD}
    assert json.loads(first["provenance"])["numbers"]["blocker__amount"]["high"] == 5
    rewrite(folder / "parts" / "blocker.ant", ("amount = 3 ", "amount = 30 "))
    assert bonesim.run(load_scenario(folder / "mine.yaml")).attrs["model_hash"] != first["model_hash"]


def test_its_parameters_can_be_swept_and_it_can_be_left_out(folder: Path) -> None:
    scenario = load_scenario(folder / "mine.yaml", {"sweep": '{design: grid, vary: {"blocker.amount": [0, 3]}}'})
    study = bonesim.sweep(scenario, out=folder / "sweep.zarr").sel(arm="dosed")
    assert study["factor"].sel(time=7.0).values == pytest.approx([1.0, 4.0], rel=1e-6)
    arms = '{off: {without: [blocker]}, none: {"model.modules": []}}'
    both = bonesim.run(load_scenario(folder / "mine.yaml", {"arms": arms, "outputs": "[OBa]"}))["OBa"]
    for arm in ("off", "none"):
        assert both.sel(arm=arm, time=14.0).item() == pytest.approx(both[0, 0].item(), rel=1e-9)


def test_paths_count_from_the_scenario_and_those_of_set_from_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "parts")
    scenario = load_scenario(folder / "mine.yaml", ["model.modules=[blocker.ant]"])
    assert scenario.model.modules == ("parts/blocker.ant",)
    assert "blocker" in resolve(scenario).own
    assert message(folder / "mine.yaml", model__modules="[wrong.ant]") == (
        f"--set model.modules[0]: there is no file 'parts/wrong.ant' in '{folder}'\n"
        "  try: a path from the folder of the scenario"
    )


def test_a_module_without_a_card_is_shown_one_with_its_symbols(folder: Path) -> None:
    (folder / "parts" / "blocker.yaml").unlink()
    said = message(folder / "mine.yaml").splitlines()
    assert said[0].startswith(f"{folder}/parts/blocker.yaml: '")
    assert said[0].endswith("' has no card")
    assert said[1] == "  try: a card such as this:"
    assert "    amount: {label: ..., unit: dimensionless, basis: assumed, low: ..., high: ..., why: ...}" in said
    assert "    A: {label: ..., unit: dimensionless, basis: computed, source: ...}" in said


def test_all_in_which_card_and_model_differ_is_told_at_once(folder: Path) -> None:
    file = folder / "parts" / "blocker.yaml"
    rewrite(
        file,
        ("id: blocker", "id: blocks"),
        ("time_unit: day", "time_unit: hour"),
        ("unit: 1/day", "unit: 1/week"),
        ("  A: {label", "  B: {label"),
        ("osteoblast.apoptosis", "osteoblst.apoptosi"),
        ("ports:\n", "ports:\n  - {name: osteoclastogenesi, direction: in, multiplies: [factor], why: a test}\n"),
    )
    assert message(folder / "mine.yaml") == "\n".join(
        [
            f"{file}:1: id: the card is of 'blocks', its file of 'blocker'",
            "  try: id: blocker",
            f"{file}:5: time_unit: the card counts time in hour, the model in day",
            "  try: unit time_unit = 86400 second, and time_unit: day",
            f"{file}:8: symbols.B: the model has no symbol 'B'",
            "  try: one of A, amount, loss, factor",
            f"{file}:11: symbols.loss.unit: the card says 1/week, the model 1/day",
            "  try: the same unit in both",
            f"{file}:7: symbols: nothing is said of 'A'",
            "  try: A: {label: ..., unit: dimensionless, basis: ..., source: ...}",
            f"{file}:13: ports[0].multiplies: 'factor' is no parameter of the model",
            "  try: one of amount, loss",
            f"{file}:13: ports[0].name: unknown process 'osteoclastogenesi'",
            "  try: did you mean 'osteoclastogenesis'?",
            f"{file}:14: ports[1].drives: unknown cell 'osteoblst'",
            "  try: did you mean 'osteoblast'?",
            f"{file}:14: ports[1].drives: unknown process 'apoptosi'",
            "  try: did you mean 'apoptosis'?",
        ]
    )


def test_joins_that_are_missing_double_or_of_another_unit_are_told_at_once(folder: Path) -> None:
    rewrite(
        folder / "parts" / "blocker.ant",
        ("amount = 3 dimensionless;", "amount = 3 dimensionless; level = 1 dimensionless; much = 1 per_day;"),
    )
    rewrite(
        folder / "parts" / "blocker.yaml",
        ("ports:\n", "ports:\n  - {name: oxygn, direction: in, replaces: level, why: a test}\n"
                     "  - {name: vessel_density, direction: in, replaces: much, why: a test}\n"
                     "  - {name: bone_forming_cells, direction: out, symbol: factor, why: a test}\n"),
        ("symbols:\n", "symbols:\n  level: {label: a, unit: dimensionless, basis: assumed, why: a test}\n"
                       "  much: {label: a, unit: 1/day, basis: assumed, why: a test}\n"),
        ("osteoblast.apoptosis", "chondrocyte.apoptosis"),
    )  # fmt: skip
    place = f"{folder}/mine.yaml:4: model.modules"
    rewrite(folder / "mine.yaml", ("[parts/", "[angiogenesis, parts/"))
    assert message(folder / "mine.yaml") == "\n".join(
        [
            f"{place}: port 'killing' of blocker drives chondrocyte.apoptosis, which nothing here takes",
            "  try: did you mean 'endothelial.apoptosis'?",
            f"{place}: port 'bone_forming_cells' of bone is offered by core and blocker",
            "  try: keep one of them",
            f"{place}: port 'bone_forming_cells' of angiogenesis is offered by core and blocker",
            "  try: keep one of them",
            f"{place}: nothing gives port 'oxygn' of blocker a value",
            "  try: did you mean 'oxygen'?",
            f"{place}: port 'vessel_density' of blocker takes 1/day, angiogenesis gives dimensionless",
            "  try: use the same unit",
        ]
    )


def test_a_module_of_which_no_port_is_joined_is_refused(folder: Path) -> None:
    rewrite(folder / "parts" / "blocker.yaml", (", drives: [osteoblast.apoptosis]", ""))
    assert message(folder / "mine.yaml") == (
        f"{folder}/mine.yaml:4: model.modules: no port of blocker is joined to anything\n"
        "  try: an out-port that drives a process, or one of these names: bone_forming_cells, bone_resorbing_cells"
    )


def test_the_name_of_a_module_of_the_library_is_taken(folder: Path) -> None:
    for suffix in ("ant", "yaml"):
        (folder / "parts" / f"blocker.{suffix}").rename(folder / f"angiogenesis.{suffix}")
    rewrite(folder / "angiogenesis.yaml", ("id: blocker", "id: angiogenesis"))
    rewrite(folder / "mine.yaml", ("parts/blocker.ant", "angiogenesis.ant"))
    assert message(folder / "mine.yaml") == (
        f"{folder}/angiogenesis.yaml:1: id: 'angiogenesis' is a module of the library\n"
        "  try: another name for both files and in the card"
    )


def test_a_module_that_does_not_rest_in_health_is_the_users_fault(folder: Path) -> None:
    rewrite(folder / "parts" / "blocker.ant", ("A = 0 dim", "A = 0.5 dim"))
    with pytest.raises(InputError) as caught:
        bonesim.run(load_scenario(folder / "mine.yaml"))
    assert str(caught.value) == (
        "blocker.ant: the healthy model does not start at rest: core__OBa moves\n"
        "  try: a start at which each rate is 0 and what drives a process is 1, until an event"
    )


def test_a_core_may_be_a_file_and_a_module_may_not_be_a_core(folder: Path) -> None:
    rewrite(folder / "mine.yaml", ("pivonka2008, modules: [parts/blocker.ant]", "parts/blocker.ant"))
    assert message(folder / "mine.yaml") == (
        f"{folder}/mine.yaml:4: model.core: 'parts/blocker.ant' is no core, its card says kind: signal\n"
        "  try: name it under model.modules, or kind: core"
    )


def test_compose_joins_a_core_and_modules(folder: Path) -> None:
    model = bonesim.compose("pivonka2008", modules=[folder / "parts" / "blocker.ant", "bone_volume"])
    assert {state.id.partition("__")[0] for state in model.states} == {"core", "blocker", "bone"}
    amounts = {"blocker.amount": [0.0, 3.0]}
    result = bonesim.simulate(model, [0.0, 14.0], ["OBa", "bone_volume_fraction"], parameters=amounts)
    untouched, killed = result["OBa"].isel(time=-1).values
    assert untouched == pytest.approx(result["OBa"].values[0, 0], rel=1e-9)
    assert killed < 0.9 * untouched


@pytest.mark.parametrize(
    ("core", "modules", "said"),
    [
        ("pivonka2008", "bone_volume", "modules: one module is given, not a list\n  try: ['bone_volume']"),
        ("pivonka2008", ["rankl_opg"] * 2, "modules: two modules are called 'rankl_opg'\n  try: name each once"),
        ("pivonka", [], "unknown model 'pivonka'\n  try: did you mean 'pivonka2008'?"),
    ],
)
def test_compose_refuses_what_names_no_model(core: str, modules: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        bonesim.compose(core, modules)
    assert str(caught.value) == said


def test_a_module_is_read_again_when_its_file_changes(folder: Path) -> None:
    file = folder / "parts" / "blocker.ant"
    assert own_module(file, "one").model.by_id["amount"].value == 3.0  # type: ignore[union-attr]
    rewrite(file, ("amount = 3 ", "amount = 25 "))
    assert own_module(file, "one").model.by_id["amount"].value == 25.0  # type: ignore[union-attr]
