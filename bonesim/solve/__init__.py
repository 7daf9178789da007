"""The numerical core: batches of stiff initial value problems, without one word of biology.

Imports nothing of the program but `system` and `errors`, so that it can be read, tested and timed alone.
"""
