"""What is run once on a data set: ``python -m openke.tools.NAME``."""
