"""The source of the code generators was hashed when the first recipe was kept: where it was edited while a process ran,
old code lay in the cache under the hash of the new source, and the next process used it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bonesim.codegen import recipe
from bonesim.resources import cache_dir
from bonesim.simulate import build_kernels, load_model


def recipes() -> list[Path]:
    build_kernels(load_model("bone_volume"), ["CTX"], "llvm")
    return list((cache_dir() / "kernels").glob("*.json"))


def test_it_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path / "cache"))
    on_disk = tmp_path / "bonesim"
    shutil.copytree(Path(recipe.__file__).parents[1], on_disk, ignore=shutil.ignore_patterns("__pycache__", "data"))
    monkeypatch.setattr(recipe, "_PACKAGE", on_disk)
    for folder in ("model", "codegen"):
        source = on_disk / folder / "__init__.py"
        text = source.read_text()
        source.write_text(f"{text}\nCHANGED = True\n")
        assert recipes() == []
        source.write_text(text)
    assert len(recipes()) == 1
