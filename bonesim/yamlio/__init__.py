"""YAML in, data with places out; schemas whose errors say file, line, key and what to do.

    read(path)                  text -> Document: plain data, and the place of every entry
    validate(document, Model)   Document -> instance of a pydantic model, or all that is wrong with it at once
    quantity("ug", "ug/kg")     a field of such a model that holds a number with its unit

YAML is read under the core schema of version 1.2: `1e9` is a number, `no` and `12:30:00` are text. PyYAML gives the
stream of events only and builds nothing, since its own reader follows version 1.1, lets the last of two equal keys win,
forgets the lines, and unfolds aliases without bound. What a file can not say here: two equal keys, keys that are no
text, merge keys, tags beyond the core ones, a second document, more than 2 MB, 60 levels or 200000 entries.
"""

from bonesim.yamlio.document import Document
from bonesim.yamlio.quantity import QuantityField, quantity
from bonesim.yamlio.read import read, read_text
from bonesim.yamlio.schema import validate

__all__ = ["Document", "QuantityField", "quantity", "read", "read_text", "validate"]
