"""Malformed files, options, links, limits and signals against every command of the package.

``test_hostile.py`` tries a few of each kind; ``python -m tests.hostile`` as many as time allows.
"""
