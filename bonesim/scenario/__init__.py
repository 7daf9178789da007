"""Scenarios: what a user's file says, checked before anything is solved.

`schema` is what a file may say, `load` reads one and holds it against the catalogue. Everything that is wrong with a
file is told at once, each fault with file, line, key and what to do instead. A scenario stays as it was written,
quantities with their units; names become numbers once, in `resolve`.
"""
