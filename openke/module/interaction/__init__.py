"""Interactions: pure functions that turn two thirds of a triple into a query vector."""
