"""LBMKGC on MKG-Y with the published settings.

python examples/train_lbmkgc_mkgy.py --epochs 10 --dim 200
"""

from dataclasses import dataclass
from functools import partial

from train_lbmkgc_db15k import Settings as LBMKGCSettings
from train_lbmkgc_db15k import train

from openke.runtime.script import run_script


@dataclass(frozen=True, kw_only=True)
class Settings(LBMKGCSettings):
    """Train LBMKGC on MKG-Y; the defaults are those of the published run (days on a CPU)."""

    epochs: int = 1250
    lr: float = 1e-5
    margin: float = 24.0


if __name__ == "__main__":
    run_script(Settings, partial(train, "MKG-Y"))
