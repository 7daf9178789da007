"""The coefficients of the methods: order conditions, stability, published numbers, and that a wrong digit raises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bonesim.errors import InternalError
from bonesim.solve.methods.order import density, residuals, trees
from bonesim.solve.methods.rosenbrock import METHODS, Rosenbrock

# c and d as printed: Hairer & Wanner's RODAS for rodas4 and rodas4p, doi:10.1007/s10543-023-00967-x for rodas5p.
# The program computes them from a and C, so that they test both.
PRINTED = {
    "rodas4": ([0, 0.386, 0.21, 0.63, 1, 1], [0.25, -0.1043, 0.1035, -0.0362, 0, 0]),
    "rodas4p": ([0, 0.75, 0.21, 0.63, 1, 1], [0.25, -0.5, -0.023504, -0.0362, 0, 0]),
    "rodas5p": (
        [0, 0.6358126895828704, 0.4095798393397535, 0.9769306725060716, 0.4288403609558664, 1, 1, 1],
        [0.21193756319429014, -0.4238751263885803, -0.3384627126235924, 1.804645287288273, 2.325825639765069, 0, 0, 0],
    ),
}


@pytest.mark.parametrize(("nodes", "count"), [(1, 1), (2, 1), (3, 2), (4, 4), (5, 9), (6, 20)])
def test_every_rooted_tree_is_there_once(nodes: int, count: int) -> None:
    found = list(trees(nodes))
    assert len(found) == len(set(found)) == count  # OEIS A000081


def test_densities_of_the_tall_and_the_bushy_tree() -> None:
    tall, bushy = ((((),),),), ((), (), ())
    assert density(tall) == 24  # 4!
    assert density(bushy) == 4


def test_residuals_of_the_implicit_midpoint_rule() -> None:
    # One stage, gamma = 1/2, as a Rosenbrock method: order 2 and no more.
    b, alpha, beta = np.array([1.0]), np.zeros((1, 1)), np.array([[0.5]])
    assert max(map(abs, residuals(b, alpha, beta, 2))) == 0
    assert max(map(abs, residuals(b, alpha, beta, 3))) == pytest.approx(1 / 3)


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_abscissae_are_the_printed_ones(method: Rosenbrock) -> None:
    c, d = PRINTED[method.name]
    # 16 printed digits, coefficients up to 150 and sums of up to 8 of them: 1e-12.
    np.testing.assert_allclose(method.c, c, atol=1e-12, rtol=0)
    np.testing.assert_allclose(method.d, d, atol=1e-12, rtol=0)


def stability(method: Rosenbrock, z: np.ndarray) -> np.ndarray:
    """R(z) of y' = lambda y, z = h lambda, from the textbook form."""
    alpha, gamma = method._classical()
    b = np.array([*method.a[-1], 1.0]) @ gamma
    beta, one = alpha + gamma, np.ones(method.stages)
    return np.array([1 + x * b @ np.linalg.solve(np.eye(method.stages) - x * beta, one) for x in z])


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_methods_are_l_stable(method: Rosenbrock) -> None:
    axis = 1j * np.logspace(-3, 6, 400)
    assert np.abs(stability(method, axis)).max() <= 1 + 1e-12
    assert np.abs(stability(method, -np.logspace(0, 8, 50))).max() < 1
    assert np.abs(stability(method, np.array([-1e8])))[0] < 1e-6


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_a_wrong_digit_raises(method: Rosenbrock) -> None:
    """Change every number of `a`, `C` and `H` alone by one part in 10^8.

    One column cannot be seen: the last stage is the difference of two solutions, O(h^order), and as such adds to the
    interpolant less than the order of that promises.
    """
    unseen = []
    for table in ("a", "C", "H"):
        rows = getattr(method, table)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                wrong = [list(r) for r in rows]
                wrong[i][j] = value * (1 + 1e-8) if value else 1e-8
                try:
                    replace(method, **{table: tuple(map(tuple, wrong))})
                except InternalError:
                    continue
                unseen.append((table, i, j))
    assert unseen == [("H", row, method.stages - 1) for row in range(len(method.H))]


def test_the_message_names_method_and_condition() -> None:
    method = METHODS["rodas5p"]
    with pytest.raises(InternalError, match=r"^tableau rodas5p: order 5 fails by \d\.\de-\d\d$"):
        replace(method, gamma=method.gamma + 1e-6)
