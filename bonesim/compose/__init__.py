"""Modules and how they are joined: files with cards, ports, links, one flat model.

Joining is done on the flat model, not with SBML `comp`: exported from Antimony, a link between two submodels loses
its replacement without a word, while a port that is joined here is checked for direction and unit.
"""
