"""Results as plain xarray datasets under a written convention (`dataset`), and their files on disk (`store`).

There is no wrapper class: whoever opens `result.nc` with xarray alone, years later, finds units, meaning of the
status codes, the scenario's text and the versions that made it.
"""
