"""The paper's figures anew, one module each.

Each has ``shown(results)``, the numbers of the figure as JSON values, and ``draw(path, numbers)``.
One that needs runs of its own has ``run(seeds, bench)``, too, and ``tables(results)``.
"""
