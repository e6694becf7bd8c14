"""What graphs are made with: packages, words, drawings, facts, a split, files."""
