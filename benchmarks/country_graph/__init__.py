"""How ``benchmarks/Factbook`` is made: pages to facts, facts to files."""

from pathlib import Path

VOCABULARY = Path(__file__).parent / "vocabulary"
"""Folder of the curated words."""
