"""The command line: one module a command, each with a click command named `command`.

A command parses, calls one function of the package and prints. Nothing but click and `bonesim.errors` is imported
before a command runs, so that help and completion answer at once; tables load rich when they are printed.
"""
