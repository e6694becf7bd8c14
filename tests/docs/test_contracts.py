"""The examples of the documentation hold what the contracts ask of everything registered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, blocks_of

PLUGIN = """
from data_example import alps
from encoder_example import HashedWords
from lbmkgc_models.features.encoders.registry import TEXT_ENCODERS
from lbmkgc_models.model import MULTIMODAL
from loss_example import SquaredHingeLoss
from model_example import CP
from multimodal_example import AddedDistMult
from openke.datasets.registry import DATA_SETS
from openke.module.loss import LOSSES
from openke.module.model import MODELS

MODELS["CP"] = CP
MULTIMODAL.own["AddedDistMult"] = AddedDistMult
LOSSES.own["SquaredHingeLoss"] = SquaredHingeLoss
TEXT_ENCODERS.own["hashed-words"] = HashedWords
DATA_SETS.own["Alps"] = alps
"""
PAGES = {
    "model": "model",
    "multimodal": "multimodal-model",
    "loss": "loss",
    "encoder": "encoder",
    "data": "dataset",
}


@pytest.mark.slow
def test_examples_keep_the_contracts(tmp_path):
    for name, page in PAGES.items():
        (example,) = [
            block
            for block in blocks_of(Path("docs", "extend", f"{page}.md"))
            if block.kind == "file" and block.about.endswith(".py")
        ]
        (tmp_path / f"{name}_example.py").write_text(example.text)
    (tmp_path / "registers_examples.py").write_text(PLUGIN)
    added = "CP or AddedDistMult or SquaredHingeLoss or hashed-words or Alps"
    names = f"{added} or registered or says_what"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "registers_examples", "-k", names, "tests/contracts"),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    passed = int(ran.stdout.split(" passed")[0].split()[-1])
    assert passed > 150, ran.stdout[-1000:]
