"""How good a model is: triples ranked among all entities or relations, and told true from false."""
