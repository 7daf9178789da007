"""The power-law core close to rest: a linear system with known eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest

from bonesim.simulate import simulate

SMALL = 1e-4
"""Relative displacement of osteoclasts; what is left out is of its second order, a few SMALL of it."""


@pytest.mark.parametrize(("g11", "eigenvalue"), [(0.5, -0.06 + 0.02j), (1.1, 0.04j)])
def test_cells_close_to_rest_swing_with_the_eigenvalues_of_the_card(g11: float, eigenvalue: complex) -> None:
    r"""Relative displacements obey :math:`u' = A u`, `A` the Jacobian over the states; here `u = (SMALL, 0)` at 0.

    With eigenvalues :math:`s \pm i w`: :math:`u_1 = e^{s t}(\cos w t + (A_{11} - s)/w \sin w t)` and
    :math:`u_2 = e^{s t} A_{21}/w \sin w t`.
    """
    beta1, beta2, g12, g21 = 0.2, 0.02, 1.0, -0.5
    matrix = np.array([[beta1 * (g11 - 1.0), beta1 * g21], [beta2 * g12, -beta2]])
    decay, speed = eigenvalue.real, eigenvalue.imag
    assert sorted(np.linalg.eigvals(matrix), key=lambda z: z.imag)[1] == pytest.approx(eigenvalue, abs=1e-12)
    rest = simulate("komarova2003", [0.0, 1.0], ["OCa_rest", "OBa_rest"], parameters={"g11": g11})
    OCa, OBa = float(rest["OCa_rest"][0]), float(rest["OBa_rest"][0])
    times = np.linspace(0.0, 2.0 * np.pi / speed, 41)
    result = simulate(
        "komarova2003",
        times,
        ["OCa", "OBa"],
        parameters={"g11": g11},
        initial={"OCa": OCa * (1.0 + SMALL)},
        rtol=1e-11,
    )
    wave, sine = np.cos(speed * times), np.sin(speed * times) / speed
    clasts = np.exp(decay * times) * (wave + (matrix[0, 0] - decay) * sine)
    blasts = np.exp(decay * times) * matrix[1, 0] * sine
    assert (result["OCa"].values / OCa - 1.0) / SMALL == pytest.approx(clasts, abs=10 * SMALL)
    assert (result["OBa"].values / OBa - 1.0) / SMALL == pytest.approx(blasts, abs=10 * SMALL)


def test_bone_of_one_cycle_is_what_cells_above_rest_resorb_and_form() -> None:
    result = simulate(
        "komarova2003",
        np.linspace(0.0, 200.0, 20001),
        ["OCa", "OBa", "bone_mass", "OCa_rest", "OBa_rest"],
        initial={"OCa": 11.06},
        rtol=1e-9,
    )
    clasts = np.maximum(result["OCa"].values - result["OCa_rest"].values, 0.0)
    blasts = np.maximum(result["OBa"].values - result["OBa_rest"].values, 0.0)
    change = 0.0017 * np.trapezoid(blasts, dx=0.01) - 0.24 * np.trapezoid(clasts, dx=0.01)
    # The trapezoid rule: dx^2/12 times the change of slope, at most k1*beta1*10 = 0.5 %/day^2; and a step at each kink.
    assert float(result["bone_mass"][-1]) == pytest.approx(100.0 + change, abs=1e-4)
