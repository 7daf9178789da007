"""The manifest of a sweep's store: what it is, and which of its chunks are done."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bonesim.errors import InputError, Place
from bonesim.results.provenance import versions
from bonesim.solve.status import Status
from bonesim.sweep.chunk import FAILED, Chunk
from bonesim.sweep.plan import Plan

MANIFEST = "manifest.json"
FORMAT = "bonesim-sweep-1"
INCOMPLETE, COMPLETE = "incomplete", "complete"
MISSING, DONE = "missing", "done"
MOST_FAILURES = 1000
"""Failed members that a chunk's entry names; all are in the store."""


def new_manifest(plan: Plan, outputs: Sequence[str], dtype: str, software: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of a sweep of which nothing has been run."""
    return {
        "format": FORMAT,
        "state": INCOMPLETE,
        "title": plan.scenario.title,
        "identity": identity(plan, dtype),
        "design": plan.document,
        "outputs": list(outputs),
        "dtype": dtype,
        "versions": dict(software),
        "scenario": json.loads(plan.scenario.text),
        "how": {},
        "timing": {"solve": 0.0},
        "chunks": [{"start": one.start, "stop": one.stop, "state": MISSING} for one in plan.chunks],
    }


def identity(plan: Plan, dtype: str) -> dict[str, str]:
    """What two sweeps agree in that may share a store."""
    return {
        "scenario": plan.scenario_hash,
        "design": str(plan.document["hash"]),
        "model": plan.variants.base.model.content_hash,
        "dtype": dtype,
        "version of bonesim": versions(("bonesim",))["bonesim"],
    }


def note_chunk(manifest: dict[str, Any], chunk: Chunk, digest: str) -> None:
    """Enter a chunk as done; `digest` is the hash of what was written."""
    entry = next(one for one in manifest["chunks"] if one["start"] == chunk.members.start)
    entry |= {
        "state": DONE,
        "hash": digest,
        "models": sorted({*chunk.models}),
        "seconds": round(chunk.seconds, 4),
        "steps": sum(how["steps"] for how in chunk.how),
        "restless": chunk.restless,
        "failed": int(np.isin(chunk.status, FAILED).any(axis=1).sum()),
        "failures": list(_failures(chunk)),
    }
    manifest["how"] = {key: value for key, value in chunk.how[0].items() if key not in {"steps", "versions"}}
    manifest["timing"]["solve"] = round(manifest["timing"]["solve"] + chunk.seconds, 4)


def solved_attributes(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of the dataset that say how it was solved; `atol` is that of the chunk that came last."""
    how = {
        **manifest["how"],
        "steps": sum(one["steps"] for one in manifest["chunks"]),
        "versions": manifest["versions"],
    }
    return {key: value if isinstance(value, str | int | float) else json.dumps(value) for key, value in how.items()}


def check_place(folder: Path) -> None:
    """Refuse a place for a new store where something lies.

    Raises
    ------
    InputError
        If there is a file, a folder that is not empty, or a store already.
    """
    place, remedy = Place(str(folder)), "another place, or remove it yourself"
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if (folder / MANIFEST).is_file():
        problem = f"there is a sweep already{_progress(folder)}"
        raise InputError(problem, place=place, remedy=f"--resume to go on with it; or {remedy}")
    if folder.exists() or folder.is_symlink():
        raise InputError("there is something else here, which is not overwritten", place=place, remedy=remedy)


def members_done(manifest: Mapping[str, Any]) -> tuple[int, int]:
    """How many members of a sweep are done, and how many there are."""
    sizes = [(one["state"], one["stop"] - one["start"]) for one in manifest["chunks"]]
    return sum(size for state, size in sizes if state == DONE), sum(size for _, size in sizes)


def _progress(folder: Path) -> str:
    """How far the sweep in a store is, in words; nothing where its manifest does not say."""
    try:
        done, members = members_done(read_manifest(folder))
    except InputError:
        return ""
    return f", {done} of {members} members done"


def resumed_manifest(folder: Path, plan: Plan, dtype: str) -> dict[str, Any]:
    """The manifest of the store of the same sweep.

    Raises
    ------
    InputError
        If there is none, or it belongs to another scenario or design.
    """
    manifest = read_manifest(folder)
    known = manifest["identity"]
    changed = [name for name, value in identity(plan, dtype).items() if known.get(name) != value]
    if changed:
        problem = f"the store belongs to another sweep: not the same {' and '.join(changed)}"
        raise InputError(problem, place=Place(str(folder)), remedy="another place for this one")
    return manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a store.

    Raises
    ------
    InputError
        If there is none, or it is broken.
    """
    place = Place(str(folder))
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except OSError:
        raise InputError("there is no sweep here", place=place, remedy="a store that `bonesim sweep` wrote") from None
    except ValueError:
        raise InputError(f"{MANIFEST} is broken", place=place, remedy="run the sweep again, elsewhere") from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise InputError(f"{MANIFEST} is none of {FORMAT}", place=place, remedy="the version of bonesim that made it")
    return found


def _failures(chunk: Chunk) -> Iterator[dict[str, Any]]:
    for member in np.flatnonzero(np.isin(chunk.status, FAILED).any(axis=1))[:MOST_FAILURES]:
        arm = int(np.argmax(np.isin(chunk.status[member], FAILED)))
        status = Status(int(chunk.status[member, arm]))
        yield {
            "member": int(chunk.members.start + member),
            "arm": arm,
            "status": status.word,
            "cause": str(chunk.cause[member, arm]),
        }
