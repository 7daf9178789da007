"""Order conditions of Rosenbrock methods, from the rooted trees themselves.

Hairer & Wanner, Solving Ordinary Differential Equations II, section IV.7, doi:10.1007/978-3-642-05221-7.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TypeAlias

import numpy as np

Tree: TypeAlias = "tuple[Tree, ...]"  # a root with its subtrees; () is a single node


def trees(order: int) -> Iterator[Tree]:
    """Every rooted tree with `order` nodes, once."""

    def forests(nodes: int, largest: int) -> Iterator[tuple[Tree, ...]]:
        if nodes == 0:
            yield ()
        for size in range(min(nodes, largest), 0, -1):
            for tree in trees(size):
                for rest in forests(nodes - size, size):
                    if not rest or (len(_nodes(rest[0])), repr(rest[0])) <= (size, repr(tree)):
                        yield (tree, *rest)

    yield from forests(order - 1, order - 1)


def density(tree: Tree) -> int:
    """gamma(t): the number of nodes times the densities of the subtrees."""
    return len(_nodes(tree)) * prod(density(branch) for branch in tree)


def weights(tree: Tree, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Phi_i(t) for each stage: a node with one branch passes through beta = alpha + gamma_ij, others through alpha."""
    matrix = beta if len(tree) == 1 else alpha
    branches = [matrix @ weights(branch, alpha, beta) for branch in tree]
    phi: np.ndarray = np.prod([np.ones(len(alpha)), *branches], axis=0)
    return phi


def residuals(b: np.ndarray, alpha: np.ndarray, beta: np.ndarray, order: int, theta: float = 1.0) -> Iterator[float]:
    """b . Phi(t) - theta^|t| / gamma(t) for every tree up to `order`; all zero if the method has that order.

    `theta` below 1 tests a continuous extension with the weights b(theta).
    """
    for nodes in range(1, order + 1):
        for tree in trees(nodes):
            yield float(b @ weights(tree, alpha, beta) - theta**nodes / density(tree))


def _nodes(tree: Tree) -> list[Tree]:
    return [tree, *(node for branch in tree for node in _nodes(branch))]
