"""Frozen features on disk and in memory, matched to the entities of a graph by name."""
