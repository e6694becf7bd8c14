"""Figure 8 anew: what width, negatives and margin change, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from comparison.ablations import WHOLE, ablation_rows, features_of
from comparison.figures.canvas import SMALL, open_canvas, save, widen
from comparison.figures.own_runs import find, of_table2, train
from comparison.runs import Bench
from comparison.table import Table
from comparison.table_rows import BUNDLED, Row

FOLDER = "figure8"
"""Of results."""
VALUES: Mapping[str, tuple[str, Sequence[int]]] = {
    "dim": ("model.dim", (50, 100, 200)),
    "negatives": ("training.sampling.neg_ent", (100, 500, 1000)),
    "margin": ("model.margin", (3, 6, 9, 12)),
}
"""By name: the place in the recipe, and what is tried."""
LABELS = {
    "dim": "complex coordinates of an entity",
    "negatives": "negatives that a batch shares",
    "margin": "margin",
}
EXPLAINED = (
    f"{BUNDLED}, valid, one seed: MRR of {WHOLE} in the form of Table 2, %, when one setting is "
    "another; the number of epochs is the best of each. Nothing was chosen by it. Another seed "
    "alone changes MRR by a fifth of a point."
)
Shown = Mapping[str, Mapping[str, float]]
"""By setting and value the MRR on valid, in percent."""


def rows() -> dict[tuple[str, int], Row]:
    """Return what has to be trained by setting and value; one of each is the row of Table 2."""
    whole = next(row for row in ablation_rows() if row.name == WHOLE)
    found = {}
    for setting, (place, values) in VALUES.items():
        for value in values:
            recipe = whole.recipe.changed({place: value})
            other = replace(whole, name=f"{setting} {value}", recipe=recipe)
            found[setting, value] = whole if recipe == whole.recipe else other
    return found


def run(seeds: Sequence[int], bench: Bench) -> None:
    """Make the features, and do what is missing of the rows, for the one seed that sees valid."""
    others = [row for row in rows().values() if row.name != WHOLE]
    train(others, (), bench, {features_of(BUNDLED): 0.0})


def shown(results: Path) -> Shown:
    """Return what is drawn of the results there are, of settings with two values or more.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    found = find(results, FOLDER, of_table2)
    numbers: dict[str, dict[str, float]] = {setting: {} for setting in VALUES}
    for (setting, value), row in rows().items():
        entry = found.get(row.name)
        if entry is not None and entry.dev is not None:
            numbers[setting][str(value)] = 100 * entry.dev["dev_mrr"]
    return {setting: by_value for setting, by_value in numbers.items() if len(by_value) > 1}


def draw(path: Path, numbers: Shown) -> None:
    """Draw a panel a setting, with the settings of Table 2 filled."""
    figure, axes = open_canvas(len(numbers), 9, 3.4, sharey=True)
    table2 = {
        (setting, str(value)) for (setting, value), row in rows().items() if row.name == WHOLE
    }
    for axis, (setting, by_value) in zip(axes, numbers.items(), strict=True):
        values = [int(value) for value in by_value]
        axis.plot(values, by_value.values(), "-", color="C0")
        for value, mrr in by_value.items():
            own = (setting, value) in table2
            axis.plot(int(value), mrr, "o", color="C0", markerfacecolor="C0" if own else "white")
            axis.annotate(
                *(f"{mrr:.1f}", (int(value), mrr)),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                fontsize=SMALL,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
            )
        axis.set_xticks(values)
        axis.margins(x=0.12, y=0.2)
        widen(axis)
        axis.set_xlabel(LABELS[setting])
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("MRR on valid, %")
    figure.suptitle(
        f"{BUNDLED}, one seed: {WHOLE} with one other setting at a time; filled, those of Table 2"
    )
    save(figure, path, numbers)


def table(numbers: Shown) -> Table:
    """Return the same numbers."""
    found = [
        [LABELS[setting], value, f"{mrr:.2f}"]
        for setting, by_value in numbers.items()
        for value, mrr in by_value.items()
    ]
    return Table("Figure 8: other settings", ["setting", "value", "MRR"], found, EXPLAINED)
