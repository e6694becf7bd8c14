"""Any of OpenKE's own examples, by name.

python examples/train_openke.py complex_wn18rr --epochs 10
"""

import sys

from openke_recipes import main

if __name__ == "__main__":
    sys.exit(main())
