"""The section `sweep` of a scenario file: which quantities vary, and which of their combinations are run."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bonesim.errors import InputError, Place
from bonesim.scenario.block import Block

MOST_MEMBERS = 10_000_000
"""Members that one sweep may have; more would be a slip of the pen."""

Value = str | int | float
"""A quantity with its unit as text, or a plain number where there is no unit."""


class Range(Block):
    """All values between two, or some of them at even distances."""

    low: Value = Field(description="Lowest value.")
    high: Value = Field(description="Highest value.")
    count: int | None = Field(
        default=None,
        ge=2,
        le=MOST_MEMBERS,
        description="How many values, both ends included; left out (not for a grid), every value between.",
    )
    scale: Literal["linear", "log"] = Field(
        default="linear", description="Even distances of the values, or of their logarithms."
    )


class SweepChoice(Block):
    """A batch of variants of this scenario, for `bonesim sweep`."""

    design: Literal["grid", "latin_hypercube", "sobol"] = Field(
        default="grid", description="All combinations of the values, or a sample that fills the space evenly."
    )
    members: int | None = Field(
        default=None,
        ge=1,
        le=MOST_MEMBERS,
        description="How many are drawn; of a grid, which has as many as its values give, the most it may have.",
    )
    seed: int = Field(default=1, ge=0, description="Of everything that is drawn.")
    vary: dict[str, Range | Annotated[tuple[Value, ...], Field(min_length=1)]] = Field(
        min_length=1, description="Path of a quantity of this file, or name of a parameter, with its values."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.design != "grid" and self.members is None:
            problem = f"a design '{self.design}' needs a number of members"
            raise InputError(problem, place=Place(key="design"), remedy="members: 1000")
        return self
