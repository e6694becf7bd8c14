"""What is wrong with a data set, said before a model is trained on it."""
