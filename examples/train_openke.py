"""Any of OpenKE's own examples, by name, with its settings.

A first look, of few epochs:

    python examples/train_openke.py complex_wn18rr --epochs 10
"""

import sys
from pathlib import Path
from runpy import run_path

from lbmkgc_models.runs.script import train_script
from openke.runs.recipe import Recipe

HERE = Path(__file__).parent
SCRIPTS = ("rotate_wn18rr_adv", "transe_fb15k237", "transr_fb15k237")
"""Recipes that have a script of their own."""
RECIPES = sorted([*(path.stem for path in (HERE / "openke_recipes").glob("*.json")), *SCRIPTS])


def read(name: str) -> Recipe:
    """Return a recipe by its name."""
    if name in SCRIPTS:
        return Recipe.from_dict(run_path(str(HERE / f"train_{name}.py"))["RECIPE"])
    return Recipe.read(HERE / "openke_recipes" / f"{name}.json")


if __name__ == "__main__":
    name = sys.argv.pop(1) if len(sys.argv) > 1 else "--help"
    if name not in RECIPES:
        print(f"usage: train_openke.py RECIPE [options]\n\n{__doc__}\nRecipes:")
        print(*(f"  {recipe}" for recipe in RECIPES), sep="\n")
        print("\ntrain_openke.py RECIPE --help lists the options and the recipe's settings.")
        sys.exit(0 if name in ("-h", "--help") else 2)
    recipe = read(name)
    train_script(recipe, f"{recipe.model_name} on {recipe.data.name} with OpenKE's settings.")
