"""What a model promises, and scores built from it: of triples, of negatives, of all entities."""
