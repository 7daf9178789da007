"""A second Ctrl-C, while threads of a compiled batch were waited for, freed the arrays that they still wrote to."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from bonesim.codegen.backends import llvm
from bonesim.codegen.backends.llvm import CompiledLoop
from bonesim.simulate import build_kernels, load_model, members
from bonesim.solve.solution import Solution

THREADS = 2


class InterruptedTwice(ThreadPoolExecutor):
    """Threads whose results are interrupted while they are waited for, and so is the wait for their end."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        super().submit(work, *arguments, **named)
        interrupted: Future[Any] = Future()
        interrupted.set_exception(KeyboardInterrupt())
        return interrupted

    def __exit__(self, *_: object) -> None:
        raise KeyboardInterrupt


def interrupted_twice(loop: CompiledLoop) -> list[weakref.ref[Any]]:
    """Run a batch that is interrupted twice; its arrays, which nothing here keeps."""
    model = load_model("bone_volume")
    kernels = build_kernels(model, ["bone_volume_fraction"], "llvm")
    batch = members(kernels, model, [0.0, 1.0], {}, {"bone_volume_fraction": np.full(50, 0.1)})
    results = Solution.empty(batch.t_out, 1, np.full(batch.initial.shape, 1e-9))
    try:
        loop.run(batch, results, rtol=1e-6, max_steps=1000, threads=THREADS)
    except KeyboardInterrupt:
        return [*map(weakref.ref, (batch.parameters, batch.initial, results, results.y.base, results.steps))]
    pytest.fail("nothing was interrupted")


def test_arrays_live_until_the_threads_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    kernels = build_kernels(load_model("bone_volume"), ["bone_volume_fraction"], "llvm")
    assert isinstance(kernels.loop, CompiledLoop)
    drive, go_on, ended = kernels.loop._drive, threading.Event(), threading.Semaphore(0)
    alive = [False]

    def late(workspace: int, call: Any) -> None:
        go_on.wait()
        if all(alive):
            drive(workspace, call)
        ended.release()

    monkeypatch.setattr(kernels.loop, "_drive", late)
    monkeypatch.setattr(llvm, "ThreadPoolExecutor", InterruptedTwice)
    arrays = interrupted_twice(kernels.loop)
    gc.collect()
    alive, steps = [array() is not None for array in arrays], arrays[-1]()
    go_on.set()
    for _ in range(THREADS):
        ended.acquire()
    assert all(alive)
    assert not steps.any()  # no member begins after an interrupt
