"""A whole run: its recipe, its folder, and what a trained model is asked afterwards."""
