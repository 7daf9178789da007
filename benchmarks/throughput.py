"""How near the compiled loop comes to what the processor's vector units could do at best.

    fraction = time that the arithmetic of all steps would take at peak / CPU time that the batch took

The arithmetic of a step is counted from the expression graph and the method (`Work`): every addition, multiplication,
fused multiply-add, comparison and selection is one simple operation, also inside exp and ln, and divisions and square
roots are counted apart. The peak of each class is measured in the same run by a small loop of independent fused
multiply-adds, or divisions, in full registers. Loads, stores, addresses, output, step control and lanes that wait count
nothing, so the fraction says what all of these together leave. It is an estimate: additions can run beside
multiplications on ports of their own, and the compiler may find a saving that this count does not.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from time import process_time
from typing import Any

import numpy as np

from benchmarks.peers import OURS
from benchmarks.problems import Problem
from benchmarks.rows import Row, spread
from bonesim.codegen.backends.llvm_lower import lowered, one_less
from bonesim.codegen.backends.llvm_math import functions
from bonesim.codegen.backends.llvm_object import vector_width
from bonesim.codegen.backends.llvm_rows import jacobian_entries
from bonesim.codegen.block import Block
from bonesim.codegen.inverses import with_inverses
from bonesim.codegen.program import Program, arrange
from bonesim.codegen.schedule import single_operations
from bonesim.codegen.sparse import eliminate
from bonesim.model.expr import Call, Expr, Num, walk
from bonesim.simulate import build_kernels
from bonesim.solve.integrate import integrate
from bonesim.solve.settings import Settings
from bonesim.system import Batch

RTOL = 1e-4
_FREE = (" getelementptr ", " load ", " bitcast ", " fneg ")
"""Lines that cost no operation: addresses, tables, other readings of the same bits, signs that others take along."""
CHAINS, TURNS, TRIALS = 12, 2_000_000, 5


@dataclass(frozen=True)
class Work:
    """Operations on one number: simple ones, and divisions or square roots."""

    simple: float = 0.0
    divisions: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(self.simple + other.simple, self.divisions + other.divisions)

    def times(self, count: int) -> Work:
        """That much work, `count` times."""
        return Work(self.simple * count, self.divisions * count)

    def seconds(self, peak: Work) -> float:
        """How long it takes at the peak rates, given in operations per second."""
        return self.simple / peak.simple + self.divisions / peak.divisions


def total(parts: Iterable[Work]) -> Work:
    """All work together."""
    return sum(parts, Work())


def of_step(program: Program, method: Any) -> dict[str, Work]:
    """The work of one step of one member by part; at its start the rates and the Jacobian share what they can."""
    n, stages, higher = len(program.layout.states), len(method.a), one_less(program)
    lu = eliminate(n, jacobian_entries(program))
    pivots = [k for row in lu.factored for k in lu.lower[row]]
    factor = Work(float(n + sum(1 + len(lu.upper[k]) for k in pivots)))
    factor += of_function("reciprocal").times(sum(1 for _ in lu.factored))
    solve = Work(float(sum(1 + sum(len(part[row]) for part in (lu.before, lu.lower, lu.upper)) for row in range(n))))
    terms = sum(sum(map(bool, row)) for row in (*method.a, *method.C, *method.H))
    return {
        "rates and Jacobian": _of_block(program.start, higher),
        "later rates": _of_block(program.rhs, higher).times(stages - 1),
        "factors": factor,
        "solves": solve.times(stages),
        "stages": (Work(float(terms + stages + 7)) + of_function("reciprocal")).times(n),
    }


def _of_block(block: Block, higher: Mapping[Expr, Expr]) -> Work:
    """The work of a block in the form in which it is compiled."""
    block = single_operations(lowered(block, higher))
    exprs = [expr for _, expr in block.values] + [store.expr for store in block.stores]
    return total(of_call(node) for expr in exprs for node in walk(expr) if isinstance(node, Call))


def of_call(call: Call) -> Work:
    """The work of one operator, its arguments known; a power of three arguments is handed its logarithm."""
    if call.op in {"div", "sqrt"}:
        return Work(0.0, 1.0)
    if call.op == "ln_or_nan":
        return of_function("ln_of") + Work(1.0)
    if call.op in {"exp", "ln", "log10", "tanh"}:
        return of_function("ln" if call.op == "log10" else call.op)
    if call.op == "pow":
        return of_function("exp_of") + Work(2.0) if len(call.args) == 3 else _of_product(call.args[1])
    if call.op == "lower_power":
        return Work(5.0)
    return Work(float(len(call.args) // 2) if call.op == "piecewise" else 1.0)


def _of_product(exponent: Expr) -> Work:
    """The work of a power that is a square root, or a product by repeated squaring."""
    if not isinstance(exponent, Num) or not exponent.value.is_integer():
        return Work(0.0, 1.0)
    times = abs(int(exponent.value))
    return Work(float(max(times.bit_length() + times.bit_count() - 2, 0)), float(exponent.value < 0))


@cache
def of_function(name: str) -> Work:
    """What a function of our LLVM text costs: its lines that compute, and those of the functions it calls."""
    body = re.search(rf"define [^@]*@{name}\(.*?\{{(.*?)\n\}}", functions(vector_width()), re.DOTALL)
    if body is None:
        raise ValueError(f"no text of {name}")
    lines = [line for line in body[1].splitlines() if " = " in line and not any(word in line for word in _FREE)]
    called = [match[1] for line in lines if (match := re.search(r" call [^@]*@(\w+)\(", line))]
    divisions = sum(" = fdiv " in line for line in lines)
    return Work(float(len(lines) - divisions - len(called)), float(divisions)) + total(map(of_function, called))


def peak() -> Work:
    """Operations per second of this core on doubles: fused multiply-adds, and divisions, each alone."""
    return Work(_measured("call $V @llvm.fma($V {}, $V %a, $V %b)"), _measured("fdiv $V {}, %a"))


def _measured(operation: str) -> float:
    """Operations per second of a loop over independent chains of one operation, in full registers."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    features = binding.get_host_cpu_features()
    width = 8 if features.get("avx512f") else 4 if features.get("avx2") else 2
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=binding.get_host_cpu_name(), features=features.flatten(), opt=2
    )
    module = binding.parse_assembly(_loop(operation, width))
    engine = binding.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    run = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_void_p)(engine.get_function_address("run"))
    memory = np.ones(8 * 3)
    best = np.inf
    for _ in range(TRIALS):
        started = process_time()
        run(TURNS, memory.ctypes.data)
        best = min(best, process_time() - started)
    return CHAINS * width * TURNS / best


def _loop(operation: str, width: int) -> str:
    vector, chains = f"<{width} x double>", range(CHAINS)
    step = operation.replace("@llvm.fma", f"@llvm.fma.v{width}f64").replace("$V", vector)
    lines = [
        f"declare {vector} @llvm.fma.v{width}f64({vector}, {vector}, {vector})",
        "define void @run(i64 %n, ptr %x) {",
        "entry:",
        f"  %a = load {vector}, ptr %x, align 8",
        f"  %p = getelementptr double, ptr %x, i64 {width}",
        f"  %b = load {vector}, ptr %p, align 8",
        "  br label %turn",
        "turn:",
        "  %i = phi i64 [ 0, %entry ], [ %j, %turn ]",
        *(f"  %c{c} = phi {vector} [ %b, %entry ], [ %d{c}, %turn ]" for c in chains),
        *(f"  %d{c} = {step.format(f'%c{c}')}" for c in chains),
        "  %j = add i64 %i, 1",
        "  %more = icmp slt i64 %j, %n",
        "  br i1 %more, label %turn, label %end",
        "end:",
        *(f"  %s{c} = fadd {vector} {'%b' if c == 0 else f'%s{c - 1}'}, %d{c}" for c in chains),
        f"  store {vector} %s{CHAINS - 1}, ptr %x, align 8",
        "  ret void",
        "}",
    ]
    return "\n".join(lines) + "\n"


def measure(problem: Problem, repeats: int, share: float = 1.0) -> Row:
    """The fraction of the peak, with the shares of the parts of a step in the note."""
    members = max(64, int(share * OURS.members(len(problem.model.states))))
    task, settings = problem.task(members), Settings(RTOL)
    kernels = build_kernels(problem.model, problem.outputs, "llvm")
    batch = Batch(task.parameters, task.initial, task.t_out)
    parts, best = of_step(with_inverses(arrange(problem.model, problem.outputs)), settings.tableau), peak()
    fractions = []
    for _ in range(repeats + 1):
        started = process_time()
        solution = integrate(kernels, batch, settings, threads=1)
        seconds = process_time() - started
        fractions.append(float(solution.steps.sum()) * total(parts.values()).seconds(best) / seconds)
    whole = total(parts.values()).seconds(best)
    shares = ", ".join(f"{name} {work.seconds(best) / whole:.0%}" for name, work in parts.items())
    said = f"peak {best.simple / 1e9:.1f} simple operations and {best.divisions / 1e9:.2f} divisions a nanosecond"
    return Row(
        part="throughput",
        problem=problem.id,
        engine=OURS.name,
        quantity="fraction of peak arithmetic",
        **spread(fractions[1:]),
        members=members,
        rtol=RTOL,
        note=f"{solution.steps.mean():.0f} steps a member; arithmetic of a step: {shares}; {said}",
        versions=OURS.versions(),
    )
