"""How ``benchmarks/Factbook`` is made: pages to facts, facts to files."""
