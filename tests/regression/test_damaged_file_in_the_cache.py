"""A file of the cache that was cut short, by a full disk or a power cut, was used as it was: its module had lost
functions, its recipe a number."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bonesim.resources import cache_dir
from bonesim.simulate import simulate


def course(backend: str) -> np.ndarray:
    result = simulate("bone_volume", [0.0, 10.0], initial={"bone_volume_fraction": 0.1}, backend=backend)
    return result["bone_volume_fraction"].values


@pytest.mark.parametrize("left", [0.0, 0.5, 0.99], ids="{} of it".format)
@pytest.mark.parametrize(("backend", "kind"), [("numpy", "py"), ("llvm", "py"), ("llvm", "o"), ("llvm", "json")])
def test_it_is_written_anew(
    backend: str, kind: str, left: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    first = course(backend)
    (file,) = (cache_dir() / "kernels").glob(f"*.{kind}")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(left * len(whole))])
    # as in a new process
    monkeypatch.delitem(sys.modules, f"bonesim_kernels.{file.stem}", raising=False)
    np.testing.assert_array_equal(course(backend), first)
    assert file.read_bytes() == whole
