"""The long part of the hostile suite: as many cases as time allows, and a table of them.

``python -m tests.hostile --minutes 20 --seed 1``; ``--case 1234`` tries one case again and shows
all of it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.hostile.suite import Suite
from tests.hostile.world import in_memory

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--case", type=int, nargs="+")
    parser.add_argument("--kind", help="cases of this kind alone")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=in_memory()) as folder:
        suite = Suite(Path(folder), given.seed, given.kind)
        if given.case:
            print("\n".join(map(suite.shown, given.case)))
        else:
            print(f"seed {given.seed}", flush=True)
            suite.run_for(given.minutes * 60, tell=lambda line: print(line, flush=True))
            print(suite.table())
        suite.close()
    sys.exit(bool(suite.findings))
