"""The base of every mapping in a scenario file."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Block(BaseModel):
    """A mapping of a scenario file: unknown keys are errors, values do not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")
