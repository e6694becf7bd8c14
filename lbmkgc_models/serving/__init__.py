"""A run behind HTTP: an API of JSON, and one page to ask it by hand."""
