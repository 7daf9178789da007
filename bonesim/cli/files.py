"""Files that users name: scenarios, found among those that come with bonesim too, and places to write to."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from bonesim.cli.console import note
from bonesim.errors import InputError, Place
from bonesim.resources import data_root, scenario_files

MODELS = {".xml", ".sbml", ".ant", ".antimony"}
SCENARIOS = {".yaml", ".yml"}
"""Suffixes that tell one kind of file from the other."""


def refuse_scenario(text: str) -> None:
    """Refuse a scenario where a model is wanted; InputError that names the command for it."""
    if Path(text).suffix.lower() in SCENARIOS:
        raise InputError("this is a scenario, not a model", place=Place(text), remedy=f"bonesim run {text}")


def find_scenario(text: str) -> Path:
    """The scenario a user names: a file that exists, else one that comes with bonesim (`ovx_m2.yaml`, `ovx_m2`).

    A scenario that comes with bonesim is named by the end of its path; a note says that it is used.

    Raises
    ------
    InputError
        If there is neither, or the file is a model.
    """
    path = Path(text)
    if path.suffix.lower() in MODELS:
        remedy = f"bonesim simulate {text} --until T --points N"
        raise InputError("this is a model, not a scenario", place=Place(text), remedy=remedy)
    if os.path.lexists(path):
        return path
    shipped = shipped_scenario(text)
    if shipped is None:
        raise InputError("there is no such file", place=Place(text), remedy=_near(path))
    note(f"{text} is not here; using {shipped}, which comes with bonesim")
    return shipped


def _near(path: Path) -> str:
    """The remedy for a scenario that is not there: one of nearly that name beside it, or that comes with bonesim."""
    shipped = [file.name for file in scenario_files()]
    beside = [str(file) for file in sorted(path.parent.glob("*.y*ml"))]
    known = {Path(name).stem: name for name in (*shipped, *beside)}
    near = difflib.get_close_matches(path.stem, known, n=1)
    return f"did you mean '{known[near[0]]}'?" if near else f"check the path; bonesim comes with {', '.join(shipped)}"


def shipped_scenario(text: str) -> Path | None:
    """The scenario that comes with bonesim and has a path that ends in `text`, with or without its suffix."""
    asked = Path(text)
    for file in scenario_files():
        parts = file.relative_to(data_root()).parts
        if len(asked.parts) <= len(parts) and asked in (
            Path(*parts[-len(asked.parts) :]),
            Path(*parts[-len(asked.parts) :]).with_suffix(""),
        ):
            return file
    return None


def check_folder(folder: Path) -> None:
    """Refuse, before any work, a folder that cannot be made or written to.

    It is tried: in a temporary folder, made in `folder` or in the nearest one above that exists, the rest of the path
    is made and all of it is removed again.

    Raises
    ------
    InputError
        If `folder` is a file, or lies where nothing can be written.
    """
    place, remedy = Place(key=f"-o {folder}"), "another output folder"
    full = folder.absolute()
    existing = next(path for path in (full, *full.parents) if os.path.lexists(path))
    if not existing.is_dir():
        raise InputError(f"'{existing}' is a file, not a folder", place=place, remedy=remedy)
    try:
        with TemporaryDirectory(prefix=".bonesim-", dir=existing) as probe:
            Path(probe, full.relative_to(existing)).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"'{existing}' cannot be written to: {error.strerror}"
        raise InputError(problem, place=place, remedy=remedy) from None


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file; text as UTF-8, its line ends as they are.

    Raises
    ------
    InputError
        If it cannot be written there.
    """
    try:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        problem = f"the file cannot be written: {error.strerror}"
        raise InputError(problem, place=Place(str(path)), remedy="a file in a folder that exists") from None
