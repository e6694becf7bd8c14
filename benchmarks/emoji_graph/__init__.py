"""How ``benchmarks/OpenMoji`` is made: a table of emoji and their drawings to facts and files."""

from pathlib import Path

VOCABULARY = Path(__file__).parent / "vocabulary"
"""Folder of the curated words."""
