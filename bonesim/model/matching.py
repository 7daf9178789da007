"""Who gets what, each one thing at most: augmenting paths, in their simplest form.

Hopcroft & Karp, An n^5/2 algorithm for maximum matchings in bipartite graphs (doi:10.1137/0202019); one path after the
other.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TypeVar

One = TypeVar("One", bound=Hashable)
Thing = TypeVar("Thing", bound=Hashable)


def matching(wishes: Mapping[One, Iterable[Thing]], given: Mapping[Thing, One] | None = None) -> dict[Thing, One]:
    """Who has each thing, as many as can have one that they wish for; the earlier of two comes first.

    Parameters
    ----------
    wishes
        What each may have, in the order in which it is tried.
    given
        Who has what to begin with; they keep something, though not always that.
    """
    owner = dict(given or {})

    def place(one: One, seen: set[Thing]) -> bool:
        for thing in wishes[one]:
            if thing not in seen:
                seen.add(thing)
                if thing not in owner or place(owner[thing], seen):
                    owner[thing] = one
                    return True
        return False

    served = set(owner.values())
    for one in wishes:
        if one not in served:
            place(one, set())
    return owner
