"""The fast back end: the same program as SIMD machine code through LLVM, one compiled step of all lanes at a call.

Compiled objects are kept in the cache under the hash of their text, the processor and the version of LLVM: two
scenarios that differ in amounts alone share one. A cache that cannot be written only costs the time to compile.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any, cast

import numpy as np

from bonesim.codegen.backends import numpy as plain
from bonesim.codegen.backends.llvm_step import Step, Tableau
from bonesim.codegen.program import Program, arrange
from bonesim.model.ode import OdeModel
from bonesim.resources import cache_dir, keep_whole
from bonesim.system import Kernels

_ADVANCE = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_double, *(ctypes.c_void_p,) * 10)


def build(model: OdeModel, observables: Iterable[str], tableau: Tableau) -> Kernels:
    """Kernels whose step is compiled; everything outside the step is that of the plain back end."""
    program = arrange(model, observables)
    return replace(plain.of_program(program), backend="llvm", step=CompiledStep(program, tableau))


class CompiledStep:
    """A step of all lanes in machine code; the interface of `solve.step.PlainStep`."""

    def __init__(self, program: Program, tableau: Tableau) -> None:
        self.method = tableau.name
        self.states, self.dense_rows = len(program.layout.states), len(tableau.H)
        step = Step(program, tableau, _width())
        self.size = step.rows.size * step.width
        self._engine = _load(step.text())
        self._advance = _ADVANCE(self._engine.get_function_address("advance"))

    def advance(
        self,
        t: np.ndarray,
        h: np.ndarray,
        y: np.ndarray,
        p: np.ndarray,
        k: np.ndarray,
        rtol: float,
        atol: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Next states and error over tolerance, (state, lane), and the dense rows, (row, state, lane)."""
        lanes = t.shape[0]
        workspace = _aligned(self.size)
        y_next, scaled = np.empty((self.states, lanes)), np.empty((self.states, lanes))
        dense = np.empty((self.dense_rows, self.states, lanes))
        arrays = [np.ascontiguousarray(array) for array in (t, h, y, p, k, atol)]
        pointers = [array.ctypes.data for array in (*arrays, y_next, scaled, dense, workspace)]
        self._advance(lanes, rtol, *pointers)
        return y_next, scaled, dense


def _aligned(doubles: int) -> np.ndarray:
    memory = np.empty(doubles + 8)
    start = (-memory.ctypes.data // 8) % 8
    return memory[start : start + doubles]


def _target() -> Any:
    """A new target machine: an execution engine takes over the one it is given."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(cpu=binding.get_host_cpu_name(), features=features, opt=2)


@cache
def _width() -> int:
    """Lanes of one vector: what the widest registers of this processor hold."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx2") else 2


def _load(text: str) -> Any:
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target())
    engine.add_object_file(binding.ObjectFileRef.from_data(_object(text)))
    engine.finalize_object()
    return engine


def _object(text: str) -> bytes:
    """Machine code of LLVM text, from the cache where it is there and whole; the text is kept beside it."""
    file = cache_dir() / "kernels" / f"{_key(text)}.o"
    try:
        digest, code = file.read_bytes()[:32], file.read_bytes()[32:]
        if hashlib.sha256(code).digest() == digest:
            return code
    except OSError:
        pass  # not there yet
    code = _compile(text)
    keep_whole(file.with_suffix(".ll"), text)
    keep_whole(file, hashlib.sha256(code).digest() + code)
    return code


def _key(text: str) -> str:
    """Hash of all that machine code follows from: the text, the processor, and who compiles."""
    from llvmlite import __version__, binding

    machine = f"{__version__} {binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"
    return hashlib.sha256(f"{machine}\n{text}".encode()).hexdigest()[:24]


def _compile(text: str) -> bytes:
    from llvmlite import binding

    machine = _target()
    module = binding.parse_assembly(text)
    module.verify()
    options = binding.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    passes = binding.create_pass_builder(machine, options)
    passes.getModulePassManager().run(module, passes)
    return cast(bytes, machine.emit_object(module))
