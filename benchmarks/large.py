"""`python -m benchmarks.large`: what models of up to several hundred states cost to build and to run.

Synthetic models, so that size and sparsity can be chosen: cells in a row or on a square, each with Hill terms of its
neighbours and exchange with them, and a dense network in which every state acts on every other.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import numpy as np

from bonesim.codegen.backends.llvm_module import text
from bonesim.codegen.backends.llvm_object import compiled, vector_width
from bonesim.codegen.program import arrange
from bonesim.model.expr import Call, Expr, Num, Sym, total
from bonesim.model.ode import OdeModel, Parameter, State
from bonesim.simulate import build_kernels, members
from bonesim.solve.integrate import integrate
from bonesim.solve.methods.rosenbrock import RODAS5P
from bonesim.solve.settings import Settings

PARAMETERS = (
    Parameter("k", 1.0),
    Parameter("K", 0.7),
    Parameter("d", 0.5),
    Parameter("D", 2.0),
    Parameter("n", 2.5),
)
END, MEMBERS, PLAIN_MEMBERS = 20.0, 64, 8
T = TypeVar("T")


def row_of_cells(size: int) -> OdeModel:
    """A ring: each cell is driven by the one before it and exchanges with both neighbours."""
    cells = range(size)
    return _network("row", {i: [(i - 1) % size] for i in cells}, {i: [(i - 1) % size, (i + 1) % size] for i in cells})


def square_of_cells(side: int, depth: int) -> OdeModel:
    """`side` by `depth` cells; each is driven by the one above and exchanges with all its neighbours."""
    place = {(i, j): i * depth + j for i in range(side) for j in range(depth)}
    near = {
        place[i, j]: [place[at] for at in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)) if at in place]
        for i, j in place
    }
    return _network("square", {cell: others[:1] for cell, others in near.items()}, near)


def dense_network(size: int) -> OdeModel:
    """Every state is driven by every other one."""
    return _network("dense", {i: [j for j in range(size) if j != i] for i in range(size)}, {})


def _network(kind: str, drivers: dict[int, list[int]], neighbours: dict[int, list[int]]) -> OdeModel:
    states = []
    for cell, driving in drivers.items():
        terms: list[Expr] = [_hill(Sym(f"x{other}"), 0.5 + (cell * 7 + other * 3) % 11 / 10) for other in driving]
        inflow = Call("div", (Call("mul", (Sym("k"), total(terms))), Num(float(len(terms)))))
        exchange: list[Expr] = [Call("sub", (Sym(f"x{other}"), Sym(f"x{cell}"))) for other in neighbours.get(cell, [])]
        gain = Call("add", (inflow, Call("mul", (Sym("D"), total(exchange)))))
        rate = Call("sub", (gain, Call("mul", (Sym("d"), Sym(f"x{cell}")))))
        states.append(State(f"x{cell}", Num(0.2 + (cell * 13 % 17) / 10), rate))
    return OdeModel(f"{kind}{len(states)}", tuple(states), PARAMETERS)


def _hill(x: Expr, scale: float) -> Expr:
    """1/2 + x^n / ((scale K)^n + x^n)."""
    power = Call("pow", (x, Sym("n")))
    half = Call("pow", (Call("mul", (Num(scale), Sym("K"))), Sym("n")))
    return Call("add", (Num(0.5), Call("div", (power, Call("add", (half, power))))))


MODELS: dict[str, Callable[[], OdeModel]] = {
    "row100": lambda: row_of_cells(100),
    "row300": lambda: row_of_cells(300),
    "row500": lambda: row_of_cells(500),
    "square300": lambda: square_of_cells(15, 20),
    "dense60": lambda: dense_network(60),
}


def build_costs(model: OdeModel) -> dict[str, float]:
    """Seconds of processor time of each stage of building, and kB of machine code."""
    program, arranging = _timed(lambda: arrange(model, [model.states[0].id]))
    (source, rows), writing = _timed(lambda: text(program, RODAS5P, vector_width()))
    code, compiling = _timed(lambda: compiled(source))
    sizes = {"text kB": len(source) / 1e3, "code kB": len(code) / 1e3, "rows": rows}
    return {"arrange s": arranging, "text s": writing, "compile s": compiling, **sizes}


def run_costs(model: OdeModel, backend: str, count: int) -> dict[str, float]:
    """Microseconds of processor time a step of a member, and steps a member."""
    kernels = build_kernels(model, [model.states[0].id], backend)
    batch = members(kernels, model, [0.0, END], {"k": np.linspace(0.8, 1.25, count)})
    solution, spent = min(
        (_timed(lambda: integrate(kernels, batch, Settings(), threads=1)) for _ in range(3)), key=_cost
    )
    steps = float(solution.steps.sum())
    return {f"{backend} us/step": spent / steps * 1e6, f"{backend} steps": steps / count}


def _cost(timed: tuple[object, float]) -> float:
    return timed[1]


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    begin = time.process_time()
    result = work()
    return result, time.process_time() - begin


def rows_of(names: Sequence[str]) -> Iterator[tuple[str, dict[str, float]]]:
    """All costs of each model in turn."""
    for name in names:
        model = MODELS[name]()
        costs = build_costs(model) | run_costs(model, "llvm", MEMBERS)
        yield name, costs | run_costs(model, "numpy", PLAIN_MEMBERS)


def main() -> None:
    """Print a line for each model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    parser.add_argument("models", nargs="*", help=f"some of {', '.join(MODELS)}; all by default")
    for name, costs in rows_of(parser.parse_args().models or list(MODELS)):
        print(f"{name}: " + ", ".join(f"{what} {value:.3g}" for what, value in costs.items()), flush=True)


if __name__ == "__main__":
    main()
