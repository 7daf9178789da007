"""Sweeps: many variants of one scenario, planned as a pure function of its text and seed, run in chunks, in one store.

    design   scenario and seed -> which value each member has on each axis
    plan     the design as problems and chunks, checked before anything is run
    chunk    the members of one chunk, solved: depends on the plan and the chunk's bounds, on no other chunk
    store    chunks -> one Zarr store with a manifest of what is done
    study    the story: plan, chunks, store

An executor is anything that maps chunks to solved chunks; the store takes them in any order.
"""

from bonesim.sweep.store import read_study
from bonesim.sweep.study import sweep

__all__ = ["read_study", "sweep"]
