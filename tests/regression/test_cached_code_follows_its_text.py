"""Machine code was kept under the model's hash: changed generators got old code, changed doses were compiled anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from bonesim.codegen.backends.llvm_module import text
from bonesim.codegen.backends.llvm_object import machine_code
from bonesim.codegen.program import arrange
from bonesim.resources import cache_dir
from bonesim.scenario.load import load_scenario
from bonesim.scenario.resolve import resolve
from bonesim.simulate import load_model, simulate
from bonesim.solve.methods.rosenbrock import RODAS5P


def text_of(amount: str) -> str:
    scenario = load_scenario(Path(__file__).parents[2] / "scenarios" / "ovx_m2.yaml", {"doses[0].amount": amount})
    return text(arrange(resolve(scenario).model, ()), RODAS5P, 4)[0]


def test_a_changed_text_is_anothermachine_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    source = text(arrange(load_model("bone_volume"), ()), RODAS5P, 4)[0]
    assert machine_code(source) == machine_code(source)
    machine_code(source.replace("fsub", "fadd"))
    assert len(list((cache_dir() / "kernels").glob("*.o"))) == 2


def test_amounts_are_no_part_of_the_text() -> None:
    assert text_of("30 ug") == text_of("100 ug")


def test_a_cache_that_cannot_keep_objects_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    monkeypatch.setattr("bonesim.resources.write_whole", full_disk)
    source = text(arrange(load_model("bone_volume"), ()), RODAS5P, 4)[0]
    assert machine_code(source)


def full_disk(file: Path, content: str | bytes) -> None:
    raise OSError(28, "No space left on device")


def test_source_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bonesim.errors import InputError

    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    (tmp_path / "kernels").touch()
    with pytest.raises(InputError) as caught:
        simulate("bone_volume", [0.0, 1.0], backend="numpy")
    assert caught.value.problem.startswith("generated code cannot be written: ")
    assert caught.value.remedy == "set BONESIM_CACHE to a folder of your own"
