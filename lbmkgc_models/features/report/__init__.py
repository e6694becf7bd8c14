"""One page that shows what a data set's features are and what alignment made of them."""
