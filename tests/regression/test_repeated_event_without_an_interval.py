"""An event repeated with an interval of 0 happened once beside others of its time, and then again after them, in the
compiled loop; in NumPy it happened as often as it is repeated before the next one."""

from __future__ import annotations

import pytest
from equations import event, model, solve


@pytest.mark.parametrize("gap", [0.0, 0.5])
def test_it_happens_as_often_before_the_next_event_of_the_model(backend: str, gap: float) -> None:
    ode = model(
        {"x": (1, "0")}, {"gap": gap}, events=[event(1, every="gap", count=3, x="x + 1"), event(1 + gap, x="10*x")]
    )
    # all three, then the product; with a gap the second, then the product, then the third
    assert solve(ode, [0.0, 3.0]).y[-1, 0, 0] == (40.0 if gap == 0 else 31.0)
