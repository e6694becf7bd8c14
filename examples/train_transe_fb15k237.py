"""TransE on FB15K237 with the settings of OpenKE's example.

python examples/train_transe_fb15k237.py --epochs 10
"""

import sys

from openke_recipes import run_recipe

if __name__ == "__main__":
    sys.exit(run_recipe("transe_fb15k237", sys.argv[1:]))
