"""The smallest program that solves a model of the library: what `cold` starts in a new process."""

from __future__ import annotations

import sys

import numpy as np

from bonesim.simulate import build_kernels, load_model, members
from bonesim.solve.integrate import integrate

if __name__ == "__main__":
    model = load_model(sys.argv[1])
    kernels = build_kernels(model, [model.states[0].id])
    solution = integrate(kernels, members(kernels, model, np.linspace(0.0, 100.0, 101), {}))
    print(solution.y[-1, 0, 0])
