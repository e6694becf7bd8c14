"""LvMC: pictures for the entities that have none, drawn by Stable Diffusion XL from their text."""
