"""Interactions, models, losses and training strategies."""
