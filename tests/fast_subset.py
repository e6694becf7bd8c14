"""What the fast subset leaves out of tests that repeat themselves over many cases.

One rule instead of hundreds of marks, so that a new model, script or recipe finds its place by
itself: where a test is repeated over ...

- models (``case``, one of ``tests/contracts/graphs.py``), each registered model stays with the case
  that has its bare name, on batches of one ``shape``;
- scripts (``script``), which cost seconds each, the two named here stay;
- recipes of OpenKE's examples (``recipe``), one stays.

A single test that takes more than a few seconds has the mark ``slow`` where it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

SHAPE = "mixed"
SCRIPTS = ("train_lbmkgc_db15k.py", "table1.py")
RECIPE = "transe_fb15k237"


def left_out(parameters: Mapping[str, object]) -> bool:
    """Return whether a test with these parameters is left out of the fast subset."""
    return (
        _is_further_case(parameters.get("case"), parameters.get("shape", SHAPE))
        or parameters.get("script", SCRIPTS[0]) not in SCRIPTS
        or parameters.get("recipe", RECIPE) != RECIPE
    )


def _is_further_case(case: object, shape: object) -> bool:
    # Whatever tests the contracts' models has loaded them; nothing else has to wait for them.
    graphs = sys.modules.get("tests.contracts.graphs")
    if graphs is None or not isinstance(case, str) or case not in graphs.CASES:
        return False
    return " " in case or shape != SHAPE
