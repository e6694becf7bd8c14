"""The picture of a training: written whole, for any number of epochs, without pyplot."""

import subprocess
import sys
from itertools import pairwise

import pytest
from PIL import Image

from openke.runs.curves import write_curves
from openke.training.history import History


def history(epochs, every=0, metrics=("mrr", "mr", "hits@1", "hits@3", "hits@10")):
    records = []
    for epoch in range(1, epochs + 1):
        record = {"epoch": epoch, "loss": 1 / epoch, "seconds": 1.0, "lr": 0.1}
        if every and epoch % every == 0:
            record |= {f"valid_{name}": epoch / (2 * epochs) for name in metrics}
        records.append(record)
    return History(records)


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_a_picture_of_one_panel_or_two(tmp_path, epochs):
    heights = []
    for every in (0, 1):
        write_curves(history(epochs, every), tmp_path / "training.png")
        with Image.open(tmp_path / "training.png") as picture:
            assert picture.format == "PNG"
            heights.append(picture.size[1])
        assert [path.name for path in tmp_path.iterdir()] == ["training.png"]
    assert heights[1] == 2 * heights[0]


def test_what_the_picture_says(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig

    def keep(figure, *arguments, **options):
        figures.append(figure)
        save(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    rows = history(6, every=2)
    rows.records[3]["valid_mrr"] = 0.9
    write_curves(rows, tmp_path / "training.png")
    loss, valid = figures[0].axes
    assert (loss.get_ylabel(), valid.get_ylabel()) == ("mean training loss", "valid split, %")
    assert valid.get_xlabel() == "epoch"
    assert [text.get_text() for text in valid.texts] == ["Hits@1", "MRR", "Hits@10"]
    assert loss.get_title("left") == "best epoch: 4 of 6, MRR 90.00 %"
    assert list(loss.lines[0].get_xdata()) == [1, 2, 3, 4, 5, 6]
    mrr = valid.lines[1]
    assert list(mrr.get_xdata()) == [2, 4, 6]
    assert list(mrr.get_ydata()) == pytest.approx([100 / 6, 90, 50])
    # The picture holds everything that is written in it.
    width, height = figures[0].canvas.get_width_height()
    for text in [*valid.texts, loss.title, loss._left_title, valid.yaxis.label]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_names_of_lines_that_end_together_stand_apart(tmp_path, monkeypatch):
    from matplotlib.figure import Figure

    figures = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, *a, **o: (figures.append(figure), save(figure, *a, **o))
    )
    for value in (0.0, 0.5, 1.0):
        rows = history(2, every=1)
        for record in rows.records:
            record |= {"valid_mrr": value, "valid_hits@1": value, "valid_hits@10": value}
        write_curves(rows, tmp_path / "training.png")
        boxes = [text.get_window_extent() for text in figures[-1].axes[1].texts]
        assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_metrics_of_another_name_are_left_out(tmp_path):
    write_curves(history(3, 1, metrics=("accuracy",)), tmp_path / "training.png")
    assert (tmp_path / "training.png").is_file()


def test_without_epochs_nothing_is_written(tmp_path):
    write_curves(History(), tmp_path / "training.png")
    assert not list(tmp_path.iterdir())


def test_the_programs_own_figures_and_backend_stay(tmp_path):
    program = """
import sys
from pathlib import Path
from openke.runs.curves import write_curves
from openke.training.history import History
assert "matplotlib" not in sys.modules
write_curves(History([{"epoch": 1, "loss": 1.0}]), Path(sys.argv[1]))
print("matplotlib.pyplot" in sys.modules)
"""
    found = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "training.png"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"
