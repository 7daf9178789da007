"""The dose ledger: what arrived against what was scheduled, checked after every run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bonesim.errors import InternalError
from bonesim.scenario.problem import LedgerPlan

TOLERANCE = 1e-9
"""Largest relative difference between delivered and scheduled amount."""


@dataclass(frozen=True)
class Delivery:
    """One line of the ledger in the unit of its dose: what was to come, and what every compartment holds together.

    `retained` is what a carrier still holds at the end of the run.
    """

    plan: LedgerPlan
    arm: str
    scheduled: float
    delivered: float
    retained: float

    @property
    def gap(self) -> float:
        """Difference relative to the whole schedule; 0 where nothing is scheduled and nothing came."""
        return abs(self.delivered - self.scheduled) / (self.plan.scheduled or 1.0)

    def document(self) -> dict[str, Any]:
        """The line as it goes into files."""
        plan = self.plan
        total = self.delivered + plan.endogenous
        return {
            "arm": self.arm,
            "source": plan.source,
            "route": plan.route,
            "carrier": plan.carrier,
            "doses": list(plan.doses),
            "unit": plan.unit,
            "scheduled": self.scheduled,
            "delivered": self.delivered,
            "released": self.delivered - self.retained,
            "retained": self.retained,
            "endogenous": plan.endogenous,
            "share_of_flux": self.delivered / total if total else 0.0,
        }


def balanced(lines: Sequence[Delivery]) -> list[dict[str, Any]]:
    """The ledger as documents.

    Raises
    ------
    InternalError
        If a line's gap is above `TOLERANCE`: a dose was lost, or arrived twice, and no result may be shown.
    """
    for line in lines:
        if not line.gap <= TOLERANCE:
            raise InternalError(
                f"dose ledger of {line.plan.group}, arm {line.arm}: {line.scheduled:.12g} {line.plan.unit} scheduled, "
                f"{line.delivered:.12g} delivered"
            )
    return [line.document() for line in lines]
