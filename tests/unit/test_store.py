"""Generated files: one a content, never half, shared by all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bonesim.codegen.store import import_source


def test_a_file_is_named_by_model_and_content() -> None:
    module, file = import_source("VALUE = 1\n", name="core 2004/x")
    assert module.VALUE == 1
    assert re.fullmatch(r"core_2004_x_[0-9a-f]{20}\.py", file.name)
    assert file.read_text() == "VALUE = 1\n"
    assert import_source("VALUE = 1\n", name="core 2004/x")[0] is module
    assert import_source("VALUE = 2\n", name="core 2004/x")[1] != file


def test_a_file_that_was_cut_short_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("BONESIM_CACHE", str(tmp_path))
    _, file = import_source("VALUE = 3  # \u00b5g\n", name="cut")
    file.write_text("VALUE")
    module, again = import_source("VALUE = 3  # \u00b5g\n", name="cut")
    assert again == file
    assert module.VALUE == 3
    assert file.read_bytes().decode("utf-8") == "VALUE = 3  # \u00b5g\n"
    assert [path.name for path in file.parent.iterdir() if path.suffix != ".py" and path.is_file()] == []


def test_long_names_fit_into_file_names() -> None:
    assert len(import_source("VALUE = 4\n", name="m" * 1000)[1].name) < 100
