"""The text of a whole loop is sound for the registers of every processor."""

from __future__ import annotations

import pytest
from equations import event, model, when
from llvmlite import binding

from bonesim.codegen.backends.llvm_module import text
from bonesim.codegen.backends.llvm_object import machine
from bonesim.codegen.program import arrange
from bonesim.solve.methods.rosenbrock import RODAS5P


@pytest.mark.parametrize("width", [2, 4, 8])
def test_the_text_is_sound(width: int) -> None:
    assert machine()  # LLVM's tables of this processor are there
    ode = model(
        {"x": (1.0, "-x**n + tanh(y) + piecewise(1, t < 0.5, 0)"), "y": (0.5, "x**n/(k**n + x**n) - exp(-x)*y")},
        {"n": 2.5, "k": 0.7},
        {"level": "ln(1 + x)*sin(t)"},
        [event(0.3, x="x + 1"), when("y > 0.9", y="0.1")],
    )
    source, rows = text(arrange(ode, ["x", "y", "level"]), RODAS5P, width)
    assert rows > 0
    binding.parse_assembly(source).verify()
