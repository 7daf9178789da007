"""Where bonesim's own files lie, and where it may keep files of its own.

In a checkout `models/` and `scenarios/` stand beside the package; a wheel carries both in `bonesim/_data/`. The
knowledge base is part of the package in either case.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from bonesim.errors import InputError, closest, quoted

_PACKAGE = Path(__file__).resolve().parent


def data_root() -> Path:
    """The folder that holds `models/` and `scenarios/`.

    Raises
    ------
    InputError
        If neither a checkout nor an installed package has them.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "_data"):
        if (root / "models" / "sbml").is_dir():
            return root
    raise InputError("the model files of bonesim are missing", remedy="install bonesim again")


def model_ids(family: str = "*") -> tuple[str, ...]:
    """Ids of the library's models, or of a family (`core`, `pk`, ...), sorted; the name of the file is the id."""
    return tuple(sorted(path.stem for path in _library("xml", family)))


def model_file(model_id: str) -> Path:
    """The SBML file of a model of the library.

    Raises
    ------
    InputError
        If the library has no such model.
    """
    return _of_model(model_id, "xml")


def card_file(model_id: str) -> Path:
    """The card beside a model of the library: its ports, and the meaning and unit of each symbol.

    Raises
    ------
    InputError
        If the library has no such card.
    """
    return _of_model(model_id, "yaml")


def scenario_files() -> tuple[Path, ...]:
    """The scenarios that come with bonesim, those of sweeps included, sorted."""
    return tuple(sorted((data_root() / "scenarios").rglob("*.yaml")))


def catalog_dir() -> Path:
    """The folder of the knowledge base: sources, contexts, factors, species, routes, priors and references."""
    return _PACKAGE / "catalog" / "data"


def cache_dir() -> Path:
    """The folder for generated code, made if need be; only its owner can write there.

    `BONESIM_CACHE`, else `XDG_CACHE_HOME/bonesim`, else `~/.cache/bonesim`; where that can not be written, a folder of
    the user below the system's folder for temporary files. What lies here is imported later, hence the check of the
    owner.

    Raises
    ------
    InputError
        If `BONESIM_CACHE` is set and can not be used, or no folder can.
    """
    asked = os.environ.get("BONESIM_CACHE")
    if asked:
        folder = Path(asked).expanduser()
        if not _usable(folder):
            problem = f"BONESIM_CACHE names {quoted(asked)}, which cannot be written or belongs to somebody else"
            raise InputError(problem, remedy="name a folder of your own, or unset it")
        return folder.resolve()
    user = os.getuid() if hasattr(os, "getuid") else "user"
    for candidate in (_home_cache(), Path(tempfile.gettempdir()) / f"bonesim-{user}"):
        if candidate is not None and _usable(candidate):
            return candidate
    raise InputError("there is no folder for generated code", remedy="set BONESIM_CACHE to a folder of your own")


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file of the cache so that no other process can ever see half of it; OSError if that cannot be done."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
        os.replace(temporary, file)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise


def keep_whole(file: Path, content: str | bytes) -> None:
    """`write_whole` where the file only saves time: a cache that cannot be written is no fault."""
    with contextlib.suppress(OSError):
        write_whole(file, content)


def _library(suffix: str, family: str = "*") -> list[Path]:
    return list((data_root() / "models" / "sbml").glob(f"{family}/*.{suffix}"))


def _of_model(model_id: str, suffix: str) -> Path:
    found = {path.stem: path for path in sorted(_library(suffix))}
    if model_id not in found:
        raise InputError(f"unknown model {quoted(model_id)}", remedy=closest(model_id, found))
    return found[model_id]


def _home_cache() -> Path | None:
    """The user's cache by the XDG rules, which ignore a path that is not absolute; None where there is no home."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "bonesim"
    try:
        return Path.home() / ".cache" / "bonesim"
    except RuntimeError:
        return None


def _usable(folder: Path) -> bool:
    """Whether `folder` exists or could be made, is ours, and nobody else can write in it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat() if folder.parent == Path(tempfile.gettempdir()) else folder.stat()
    except OSError:
        return False
    if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
        return False
    if not hasattr(os, "getuid"):
        return True
    others = stat.S_IWGRP | stat.S_IWOTH
    return status.st_uid == os.getuid() and not status.st_mode & others
