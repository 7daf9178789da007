"""Sensitivities in a simulation: which tolerances they need, and how they stand in a result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from bonesim.model.ode import OdeModel, State
from bonesim.model.sensitivity import Sensitivities, with_sensitivities
from bonesim.results.dataset import check_names
from bonesim.solve.integrate import known_size
from bonesim.solve.settings import Settings, default_atol
from bonesim.system import Batch, Kernels

if TYPE_CHECKING:
    import xarray as xr

SUFFIX = "_sensitivity"


@dataclass(frozen=True)
class Asked:
    """Sensitivities that a user asked for.

    names, ids : of parameters and states, as written and in the model; quantities : ids of the outputs
    """

    base: OdeModel
    names: tuple[str, ...]
    ids: tuple[str, ...]
    quantities: tuple[str, ...]
    found: Sensitivities

    @classmethod
    def of(cls, model: OdeModel, names: Sequence[str], quantities: Sequence[str]) -> Asked:
        """The model with sensitivities of `quantities` (ids) to `names`; raises as `model.sensitivity` does."""
        ids = tuple(model.resolve(name) for name in names)
        return cls(model, tuple(names), ids, tuple(quantities), with_sensitivities(model, ids, quantities))

    @property
    def observables(self) -> list[str]:
        """Ids of the slopes of the outputs, by output and then by name."""
        return [self.found.slopes[quantity, name] for quantity in self.quantities for name in self.ids]

    def initial(self, given: Mapping[str, object]) -> dict[str, float]:
        """Initial slopes of states whose initial value was `given`: they rest on nothing but themselves."""
        return {self.found.slopes[state, name]: float(state == name) for state in given for name in self.ids}

    def beside(self, held: Sequence[str]) -> list[str]:
        """States that are held, with their slopes."""
        return [*held, *(self.found.slopes[state, name] for state in held for name in self.ids)]

    def settings(self, kernels: Kernels, batch: Batch, settings: Settings) -> Settings:
        """Settings with an absolute tolerance for each slope: that of the state over the size of the parameter.

        The size of a parameter, or of an initial value, is its own; where it is 0, it is 1, or the size of the state
        if that is more.
        """
        count = len(self.base.states)
        size = known_size(kernels, batch)[:count]
        if settings.atol is None:
            atol = default_atol(settings.rtol, size)
        else:
            atol = np.broadcast_to(np.asarray(settings.atol, float).reshape(-1, 1), size.shape)
        blocks = [atol]
        for name in self.ids:
            own = np.abs(self._values(name, batch))
            blocks.append(atol / np.where(own > 0, own, np.maximum(size, 1.0)))
        return replace(settings, atol=np.concatenate(blocks))

    def _values(self, name: str, batch: Batch) -> np.ndarray:
        """(member,) a parameter, or an initial value."""
        state = isinstance(self.base.by_id[name], State)
        rows = batch.initial if state else batch.parameters
        symbols = self.base.states if state else self.base.parameters
        values: np.ndarray = rows[[symbol.id for symbol in symbols].index(name)]
        return values

    def added_to(self, dataset: xr.Dataset, outputs: Sequence[str], y: np.ndarray, single: bool) -> xr.Dataset:
        """The dataset with `NAME_sensitivity`, dimensions (parameter, [member,] time), for each of `outputs`.

        `y` is (time, slope, member), slopes as in `observables`.
        """
        check_names(outputs, ("parameter", "parameter_unit"))
        count = len(self.names)
        units = [self.base.by_id[name].unit or "dimensionless" for name in self.ids]
        dims = ("parameter", *dataset[outputs[0]].dims)
        variables = {}
        for place, output in enumerate(outputs):
            values = np.ascontiguousarray(y[:, place * count : (place + 1) * count].transpose(1, 2, 0))
            about = dataset[output].attrs
            attrs = {
                "units": f"{about['units']} per unit of parameter",
                "long_name": f"derivative of {about['long_name']} by a parameter or an initial value",
                "role": "sensitivity",
            }
            variables[output + SUFFIX] = (dims, values[:, 0] if single else values, attrs)
        label = {"long_name": "parameter, or state whose initial value is meant"}
        return dataset.assign(variables).assign_coords(
            parameter=("parameter", np.array(self.names, dtype=object), label),
            parameter_unit=("parameter", np.array(units, dtype=object), {"long_name": "unit of the parameter"}),
        )
