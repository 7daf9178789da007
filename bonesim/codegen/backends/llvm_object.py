"""Machine code of LLVM text for this processor, compiled once and kept in the cache.

Objects lie under the hash of their text, the processor and the version of LLVM: two scenarios that differ in amounts
alone share one. A cache that cannot be written only costs the time to compile.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any, cast

from bonesim.codegen.store import generated
from bonesim.resources import keep_whole

_PASSES = (
    "always_inliner",
    "instruction_combine",
    "simplify_cfg",
    "loop_simplify",
    "lcssa",
    "loop_rotate",
    "loop_unroll",
    "instruction_combine",
    "new_gvn",
    "dead_store_elimination",
    "simplify_cfg",
)
"""What is left to do to text that has no common subexpression and no dead line; a fifth of the time that -O2 takes."""


def _target() -> Any:
    """A new target machine: an execution engine takes over the one it is given."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features().flatten()
    target = binding.Target.from_default_triple()
    cpu = binding.get_host_cpu_name()
    return target.create_target_machine(cpu=cpu, features=features, opt=2, reloc="pic", codemodel="small")


@cache
def vector_width() -> int:
    """Lanes of a block: what the widest registers of this processor hold; twice as many were no faster."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return 8 if features.get("avx512f") else 4 if features.get("avx2") else 2


def load(code: bytes) -> Any:
    """An execution engine with machine code; it must live as long as its functions are called."""
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target())
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return engine


def machine_code(text: str) -> tuple[bytes, str]:
    """Machine code of LLVM text and its name in the cache, where the text is kept beside it."""
    name = code_name(text)
    code = kept_code(name)
    if code is None:
        code = compiled(text)
        keep_whole(generated(f"{name}.ll"), text)
        keep_whole(generated(f"{name}.o"), hashlib.sha256(code).digest() + code)
    return code, name


def kept_code(name: str) -> bytes | None:
    """Machine code from the cache, None where it is not there or not whole."""
    try:
        content = generated(f"{name}.o").read_bytes()
    except OSError:
        return None
    digest, code = content[:32], content[32:]
    return code if hashlib.sha256(code).digest() == digest else None


def code_name(text: str) -> str:
    """Hash of all that machine code follows from: the text, the processor, and who compiles."""
    return hashlib.sha256(f"{machine()}\n{text}".encode()).hexdigest()[:24]


@cache
def machine() -> str:
    """The processor and the version of LLVM."""
    from llvmlite import __version__, binding

    return f"{__version__} {binding.get_host_cpu_name()} {binding.get_host_cpu_features().flatten()}"


def compiled(text: str) -> bytes:
    """Machine code of LLVM text, nothing kept."""
    from llvmlite import binding

    machine = _target()
    module = binding.parse_assembly(text)
    module.verify()
    passes = binding.create_new_module_pass_manager()
    for name in _PASSES:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2)))
    return cast(bytes, machine.emit_object(module))
