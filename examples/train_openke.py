"""Any of OpenKE's own examples, by name, with its settings.

A first look, of few epochs:

    python examples/train_openke.py complex_wn18rr --epochs 10
"""

import sys
from pathlib import Path

from lbmkgc_models.runs.script import train_script
from openke.runs.recipe import Recipe

RECIPES = {path.stem: path for path in sorted(Path(__file__).with_name("openke_recipes").glob("*"))}

if __name__ == "__main__":
    name = sys.argv.pop(1) if len(sys.argv) > 1 else "--help"
    if name not in RECIPES:
        print(f"usage: train_openke.py RECIPE [options]\n\n{__doc__}\nRecipes:")
        print(*(f"  {recipe}" for recipe in RECIPES), sep="\n")
        print("\ntrain_openke.py RECIPE --help lists the options and the recipe's settings.")
        sys.exit(0 if name in ("-h", "--help") else 2)
    recipe = Recipe.read(RECIPES[name])
    train_script(recipe, f"{recipe.model_name} on {recipe.data.name} with OpenKE's settings.")
