"""Events that wait as libRoadRunner has them, which finds triggers by roots along its steps, and with what we write."""

from __future__ import annotations

import numpy as np
import pytest
from referees import agrees

from bonesim.sbml.read import read_antimony
from bonesim.simulate import simulate

END, POINTS = 10.0, 101
MODELS = {
    "delayed dose": ["x = 5; x' = -0.7*x; n = 0;", "A: at 0.53 after (x < 1): x = x + 4, n = n + 1;"],
    "a delay that is computed": ["x = 0; x' = 1; n = 0;", "A: at x/2 after (x > 3.05), fromTrigger=false: n = x;"],
    "from the trigger's time": ["x = 1; x' = -0.5*x; y = 0;", "A: at 2.03 after (x < 0.4): y = x;"],
    "overlapping": ["x = 0; x' = cos(3*time); n = 0;", "A: at 5.03 after (x > 0.2): n = n + 1 + x;"],
    "taken back": [
        "x = 0; x' = 2*cos(2*time); n = 0; k = 0;",
        "A: at 1.03 after (x > 0.5), persistent=false: n = n + 1;",
        "B: at 1.03 after (x > 0.6), persistent=false, fromTrigger=false: k = k + 1;",
        "C: at 0.93 after (x > 0.51), persistent=false, fromTrigger=false: k = k + 10;",
    ],
    "by priorities that are computed": [
        "x = 0; x' = 1; y = 1; z = 2;",
        "A: at (x > 3.05), fromTrigger=false, priority=y: y = y + z;",
        "B: at (x > 3.05), fromTrigger=false, priority=z: z = 2*y;",
        "C: at (x > 3.05), fromTrigger=false, priority=5 - y: z = z + 1, y = 7;",
    ],
    "one takes back the other": [
        "x = 0; x' = 1; y = 1;",
        "A: at ((x > 3.05) && (y < 2)), persistent=false, priority=2: y = 5;",
        "B: at ((x > 3.05) && (y < 2)), persistent=false, priority=1: y = 9;",
    ],
    "swap in two events": [
        "x = 0; x' = 1; a = 1; b = 2;", "A: at (x > 4.55), priority=2: a = b;", "B: at (x > 4.55), priority=1: b = a;"
    ],
    "chain": [
        "x = 0; x' = a - 0.1*x; a = 0;",
        "A: at 1.07 after (a < 0.5), t0=false: a = 1;",
        "B: at 0.61 after (a > 0.5): a = 0;",
    ],
    "window": ["x = 0; x' = 1; n = 0;", "A: at 3.05 after ((time >= 2.01) && (time < 2.02)): n = n + 1;"],
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_model_whose_events_wait(name: str) -> None:
    text = "model m()\n" + "\n".join(MODELS[name]) + "\nend\n"
    ode = read_antimony(text, file="m.ant")
    assert ode.queued
    names = [symbol.id for symbol in ode.symbols()]
    times = np.linspace(0.0, END, POINTS)
    ours = simulate(ode, times, names, rtol=1e-9)
    # It sees no window that lies within a step.
    agrees(text, ode, ours, longest_step=0.005, least_size=1.0)
