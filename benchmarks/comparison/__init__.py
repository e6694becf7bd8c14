"""How models are compared fairly: rows of settings, runs chosen on dev, tables of results."""
