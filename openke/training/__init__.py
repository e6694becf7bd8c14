"""How a strategy is trained: the loop, what happens between epochs, optimisers, checkpoints."""
