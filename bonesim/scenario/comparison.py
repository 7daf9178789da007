"""The sections `arms` and `uncertainty` of a scenario file: what else is compared, and how sure any of it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from bonesim.errors import InputError, Place, closest, quoted
from bonesim.scenario.block import Block
from bonesim.scenario.problem import MOST_DRAWS

CHANGEABLE = ("subject", "model", "context", "doses")
"""Sections that an arm may change; all arms share title, times, outputs and accuracy."""

ArmName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]


_CLOSED: dict[str, Any] = {"additionalProperties": False, "patternProperties": {rf"^({'|'.join(CHANGEABLE)})\b": {}}}
"""What editors are told of the keys of an arm."""


class ArmChange(Block):
    """A further arm: the scenario with changes, each a dotted key with its new value, as `--set` takes them."""

    model_config = ConfigDict(frozen=True, extra="allow", json_schema_extra=_CLOSED)

    without: tuple[str, ...] = Field(
        default=(),
        description="What does not act: edges and modules by id, all edges of a cargo by its name.",
    )
    vesicles: Literal["intact", "empty", "free_cargo"] = Field(
        default="intact",
        description="`empty` takes out all edges of what is dosed; `free_cargo` gives the cargo without vesicles.",
    )

    @property
    def settings(self) -> Mapping[str, Any]:
        """Dotted key -> new value."""
        return self.__pydantic_extra__ or {}

    @model_validator(mode="after")
    def _check(self) -> ArmChange:
        faults = []
        for key in self.settings:
            section = key.partition(".")[0].partition("[")[0]
            if section not in CHANGEABLE:
                remedy = closest(section, [*CHANGEABLE, *type(self).model_fields])
                problem = f"an arm changes {', '.join(CHANGEABLE)}; {quoted(section)} is none of them"
                faults.append(InputError(problem, place=Place(key=key), remedy=remedy))
        if faults:
            raise InputError.together(faults)
        return self


class UncertaintyChoice(Block):
    """How often every number that has a range is drawn from it, for bands about what the stated values give."""

    members: int = Field(ge=2, le=MOST_DRAWS, description="How many draws.")
    seed: int = Field(default=1, ge=0, description="Of the draws; the same seed gives the same draws.")
