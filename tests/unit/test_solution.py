"""Memory that outputs of one batch after another share."""

from __future__ import annotations

import numpy as np

from bonesim.simulate import build_kernels, load_model, members
from bonesim.solve.integrate import integrate
from bonesim.solve.solution import Memory


def test_batches_of_any_size_and_type_write_to_the_same_memory() -> None:
    model = load_model("komarova2003")
    kernels = build_kernels(model, ["OCa", "OBa"])
    times = np.linspace(0.0, 20.0, 5)
    memory = Memory()
    for alpha, dtype in (([3.0, 2.5, 2.0], float), ([2.5], np.float32), ([2.0, 3.0], float)):
        batch = members(kernels, model, times, {"alpha1": np.array(alpha)})
        shared = integrate(kernels, batch, dtype=dtype, memory=memory)
        assert np.shares_memory(shared.y, memory.block)
        assert memory.block.nbytes == 3 * 2 * 5 * 8
        np.testing.assert_array_equal(shared.y, integrate(kernels, batch, dtype=dtype).y)
