"""Hostile and odd pictures, made by code, each with what has to come of it.

`python -m tests.security.picture_corpus` prints the manifest, or writes the files into a folder.
"""
