"""The fast back end: the whole loop over members as SIMD machine code, with the equations of the model inside."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from bonesim.codegen.backends.llvm_io import Call, address
from bonesim.codegen.backends.llvm_object import kept_code, load, machine, machine_code, vector_width
from bonesim.codegen.recipe import Recipe, keep_recipe, read_recipe, recipe_key
from bonesim.codegen.store import generated, import_file, is_whole
from bonesim.model.ode import OdeModel
from bonesim.system import Batch, Functions, Kernels, Results

if TYPE_CHECKING:
    from bonesim.codegen.backends.llvm_step import Tableau

_DRIVE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Call))


def build(model: OdeModel, observables: Iterable[str], tableau: Tableau) -> Kernels:
    """Kernels whose loop is compiled; what is asked for outside it is that of the plain back end.

    Where the same kernels were built before, in this or another process, they are read from the cache.
    """
    if any(state.fast is not None for state in model.states):
        from bonesim.codegen.backends import numpy as plain

        return plain.build(model, observables)
    observables, width = tuple(observables), vector_width()
    key = recipe_key(model, observables, tableau, width, machine())
    return _from_cache(key, tableau) or _anew(key, model, observables, tableau, width)


def _from_cache(key: str, tableau: Tableau) -> Kernels | None:
    recipe = read_recipe(key)
    if recipe is None or (code := kept_code(recipe.code)) is None or not is_whole(file := generated(recipe.module)):
        return None
    functions = cast(Functions, import_file(file))
    return Kernels(recipe.layout, functions, "llvm", file, CompiledLoop(code, recipe.rows, tableau.name))


def _anew(key: str, model: OdeModel, observables: tuple[str, ...], tableau: Tableau, width: int) -> Kernels:
    from bonesim.codegen.backends import numpy as plain
    from bonesim.codegen.backends.llvm_module import text
    from bonesim.codegen.program import arrange

    program = arrange(model, observables)
    kernels = plain.of_program(program)
    source, rows = text(program, tableau, width)
    code, name = machine_code(source)
    if kernels.source_file:
        keep_recipe(key, Recipe(kernels.layout, kernels.source_file.name, name, rows))
    return replace(kernels, backend="llvm", loop=CompiledLoop(code, rows, tableau.name))


class CompiledLoop:
    """All members of a batch from start to end in machine code; see `system.Loop`."""

    def __init__(self, code: bytes, rows: int, method: str) -> None:
        self.method = method
        self.size = rows * vector_width()
        self._engine = load(code)
        self._drive = _DRIVE(self._engine.get_function_address("drive"))

    def run(self, batch: Batch, results: Results, *, rtol: float, max_steps: int, threads: int) -> None:
        """Solve every member; the threads take members from one counter and share nothing else."""
        t_out = _output_times(batch.t_out)
        waiting = np.zeros(1, np.int64)
        out = results.y.T
        parameters, initial = (np.ascontiguousarray(rows, float) for rows in (batch.parameters, batch.initial))
        call = Call(
            members=batch.members,
            times=len(batch.t_out),
            single=out.dtype == np.float32,
            max_steps=max_steps,
            rtol=rtol,
            start=batch.t_out[0],
            end=batch.t_out[-1],
            next=address(waiting, np.int64),
            t_out=address(t_out, np.float64),
            parameters=address(parameters, np.float64),
            initial=address(initial, np.float64),
            atol=address(results.atol, np.float64),
            out=address(out, np.float32 if out.dtype == np.float32 else np.float64),
            last=address(results.end, np.float64),
            status=address(results.status, np.int8),
            stop_time=address(results.stop_time, np.float64),
            steps=address(results.steps, np.int32),
            rejected=address(results.rejected, np.int32),
            fault=address(results.fault, np.float32),
        )

        # Whatever an interrupt unwinds, the memory that threads still write to stays theirs.
        call.owned = (t_out, waiting, parameters, initial, results)

        def work() -> None:
            workspace = _aligned(self.size)
            self._drive(workspace.ctypes.data, call)

        with ThreadPoolExecutor(threads) as pool:
            try:
                for share in [pool.submit(work) for _ in range(threads)]:
                    share.result()
            except BaseException:  # an interrupt: the members under way end, no other begins
                waiting[0] = batch.members
                raise


def _output_times(t_out: np.ndarray) -> np.ndarray:
    """Output times closed by infinities; of two equal ones the first lies just before what happens there."""
    twice = np.append(t_out[:-1] == t_out[1:], False)
    earlier = np.minimum(t_out - 16 * np.spacing(np.abs(t_out)), np.nextafter(t_out, -np.inf))
    times = np.where(twice, earlier, t_out)
    times = np.minimum.accumulate(times[::-1])[::-1]  # an output that is as near to the second is before it, too
    return np.append(times, np.full(vector_width(), np.inf))


def _aligned(doubles: int) -> np.ndarray:
    """Zeros that begin on a boundary of 64 bytes."""
    memory = np.zeros(doubles + 8)
    start = (-memory.ctypes.data // 8) % 8
    return memory[start : start + doubles]
