"""Amounts and concentrations of species: a result has what their symbols mean, and the sizes that lead to the other.

A variable that is a species says so by the attribute `reading`, `amount` or `concentration`. `size` names the
coordinate with the size of its compartment, and `other_units` are those of the other reading:

    amount = concentration x size
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bonesim.errors import InputError, closest
from bonesim.model.ode import OdeModel, Species
from bonesim.results.dataset import ESTIMATE, own_names

if TYPE_CHECKING:
    import xarray as xr


def amount(result: xr.Dataset, name: str) -> xr.DataArray:
    """The amount of a species, whether its symbol is one or a concentration; dimensions as those of `result[name]`.

    What is no species, a compartment or a parameter, has one reading, and is given as it is.

    Raises
    ------
    InputError
        If the result has no quantity of that name.
    """
    no_species = name in result.data_vars and name not in _species(result)
    return result[name] if no_species else _read(result, name, "amount")


def concentration(result: xr.Dataset, name: str) -> xr.DataArray:
    """The concentration of a species, whether its symbol is one or an amount; dimensions as those of `result[name]`.

    Raises
    ------
    InputError
        If the result has no quantity of that name, it is no species, or its compartment has no size.
    """
    return _read(result, name, "concentration")


def as_read(result: xr.Dataset, reading: str) -> xr.Dataset:
    """The result with all its species as amounts, or as concentrations; raises as `amount` does."""
    return result.assign({name: _read(result, name, reading) for name in _species(result)})


def _species(result: xr.Dataset) -> list[str]:
    return [str(name) for name, variable in result.data_vars.items() if "reading" in variable.attrs]


def _read(result: xr.Dataset, name: str, reading: str) -> xr.DataArray:
    species = _species(result)
    if name not in result.data_vars:
        remedy = f"{closest(name, species)}, or name it among the outputs"
        raise InputError(f"the result has no '{name}'", remedy=remedy)
    values = result[name]
    if name not in species:
        raise InputError(f"'{name}' is no species, so it has no {reading}", remedy=closest(name, species))
    if values.attrs["reading"] == reading:
        return values
    if "size" not in values.attrs:
        problem = f"'{name}' has no {reading}: its compartment has no size"
        raise InputError(problem, remedy="give the compartment a size in the model, and dimensions")
    size = result[values.attrs["size"]]
    other: xr.DataArray = (values * size if reading == "amount" else values / size).rename(name)
    label = f"{reading} of {values.attrs['long_name']}"
    other.attrs = {"units": values.attrs["other_units"], "long_name": label, "role": values.attrs["role"]}
    if ESTIMATE in values.attrs and own_names(result)["time"] not in size.dims:
        other.attrs[ESTIMATE] = values.attrs[ESTIMATE]  # relative, so a constant factor leaves it as it is
    return other


@dataclass(frozen=True)
class Readings:
    """The species among the outputs of a simulation, and where the sizes of their compartments are.

    species : output -> how its symbol is read; varying : ids of sizes that change in a simulation, to be observed
    beside the outputs; fixed : id of a size that does not -> row of the parameters
    """

    model: OdeModel
    species: dict[str, Species]
    varying: tuple[str, ...]
    fixed: dict[str, int]

    @classmethod
    def of(cls, model: OdeModel, names: Sequence[str], symbols: Sequence[str]) -> Readings:
        """Those of the outputs `names`, whose ids are `symbols`."""
        known = {one.id: one for one in model.species}
        species = {name: known[symbol] for name, symbol in zip(names, symbols, strict=True) if symbol in known}
        sizes = dict.fromkeys(one.size for one in species.values() if one.size is not None)
        changes = [event.assignments for event in model.events] + [event.assignments for event in model.state_events]
        jumping = {target for assignments in changes for target, _ in assignments}
        rows = {parameter.id: row for row, parameter in enumerate(model.parameters) if parameter.id not in jumping}
        fixed = {size: rows[size] for size in sizes if size in rows}
        return cls(model, species, tuple(size for size in sizes if size not in rows), fixed)

    def added_to(self, dataset: xr.Dataset, parameters: np.ndarray, varying: np.ndarray) -> xr.Dataset:
        """The dataset with sizes as coordinates, and attributes that lead to them.

        `parameters` are those of the batch, (parameter, member); `varying` is (varying size, member, time), or (varying
        size, member) where there are no times.
        """
        for name, one in self.species.items():
            about = {"reading": "amount" if one.is_amount else "concentration"}
            if one.size is not None:
                about |= {"size": self._coordinate(one.size), "other_units": one.other_unit or "dimensionless"}
            dataset[name].attrs |= about
        own = own_names(dataset)
        single = own["member"] not in dataset.dims
        values = {size: parameters[row] for size, row in self.fixed.items()}
        values |= dict(zip(self.varying, varying, strict=True))
        coordinates = {}
        for size, rows in values.items():
            dims = (own["member"], own["time"])[: rows.ndim]
            quantity = self.model.by_id[size]
            about = {"units": quantity.unit or "dimensionless", "long_name": quantity.label or f"size of {size}"}
            kept = np.array(rows[0] if single else rows, order="C")
            coordinates[self._coordinate(size)] = (dims[1:] if single else dims, kept, about)
        return dataset.assign_coords(coordinates)

    def _coordinate(self, size: str) -> str:
        return f"size({self.model.public_name(size)})"
