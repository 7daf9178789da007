"""After an event that ends a member, the compiled loop let the other events of the same time happen, too."""

from __future__ import annotations

import numpy as np
import pytest
from equations import event, model, solve, when

from bonesim.model.ode import OdeModel
from bonesim.solve.status import Status

ENDS, ADDS = event(1, terminal=True, x="x + 1"), event(1, y="y + 10")
LAST_OF_SEVERAL = event(0, every=0.5, count=3, y="y + 1")
STATES = {"x": (0, "0"), "y": (0, "0")}
CASES = {
    "before": (model(STATES, events=[ENDS, ADDS]), 1.0, 0.0),
    "after": (model(STATES, events=[ADDS, ENDS]), 1.0, 10.0),
    "repeated": (model(STATES, events=[ENDS, LAST_OF_SEVERAL]), 1.0, 2.0),
    "of states": (model(STATES, events=[ENDS, when("x > 0.5", y="y + 100")]), 1.0, 0.0),
}


@pytest.mark.parametrize(("ode", "x", "y"), CASES.values(), ids=CASES)
def test_the_end_holds_what_happened_before_it(backend: str, ode: OdeModel, x: float, y: float) -> None:
    solution = solve(ode, [0.0, 1.0, 2.0])
    assert solution.status.tolist() == [Status.ENDED_BY_EVENT]
    assert solution.cause[0].startswith("stopped at t = 1 day: ended_by_event ('event_x')")
    assert solution.end[:, 0].tolist() == [x, y]
    assert solution.y[1, :, 0].tolist() == [x, y]
    assert np.isnan(solution.y[2]).all()
