"""From a flat model to kernels: arrange the equations once, write them as text, import the text.

`program` decides what is computed and in which order, without a word of any language; a back end turns that
into source; `store` keeps the source as a file that one can open, under the hash of its content. Generated
text is built from parsed expressions and the closed operator table alone, never from a user's text.
"""
