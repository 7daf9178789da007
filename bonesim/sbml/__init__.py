"""Models from SBML (Level 1 to Level 3 Version 2) and Antimony, and back to SBML.

`read.read_model` turns a file into the flat `OdeModel`, `write.write_sbml` turns one into a single SBML file that other
simulators run, `antimony.antimony_to_sbml` makes the checked-in SBML of our own modules.

Levels are read as they are: libsbml's converters to Level 3 refuse models over unit inconsistencies that do not concern
the equations, and lose line numbers. Written files are built as text: libsbml prints numbers with 15 digits, which
changes results, while our text has the same bytes each time and numbers that read back as they were.

What we do not do is refused by name, line and remedy, never dropped: `supported.py` is the one table of it.
libsbml and Antimony are imported inside functions, and nowhere else in the project.
"""
