"""RotatE on WN18RR, self-adversarial, with the settings of OpenKE's example.

python examples/train_rotate_wn18rr_adv.py --epochs 10
"""

import sys

from openke_recipes import run_recipe

if __name__ == "__main__":
    sys.exit(run_recipe("rotate_wn18rr_adv", sys.argv[1:]))
