"""The work as a whole: resumed, killed, shared, and with entities that fail."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from lbmkgc_models.feature_store.labels import EntityLabel
from lbmkgc_models.features.lvmc import generate as work
from lbmkgc_models.features.lvmc.generate import generate
from lbmkgc_models.features.lvmc.pipeline import Sdxl
from lbmkgc_models.features.lvmc.settings import DrawingSettings
from lbmkgc_models.features.lvmc.summary import Summary, count
from lbmkgc_models.features.lvmc.tasks import Task, tasks_of
from lbmkgc_models.features.lvmc.worker import Rank
from tests.lbmkgc_models.features.small import numbered, write_dataset

pytestmark = pytest.mark.slow

NAMES = ["ant", "bee", "cat", "dog", "eel"]
LABELS = [EntityLabel(name, name, "an animal") for name in NAMES]


class Noting(Sdxl):
    """Draws with the models of another, and notes what it was asked for."""

    def __init__(self, sdxl: Sdxl) -> None:
        sdxl.load()
        self.__dict__.update(sdxl.__dict__)
        self.batches: list[list[str]] = []

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
        self.batches.append([prompt.split()[3].strip(",") for prompt in prompts])
        return super().draw(prompts, seeds)


@pytest.fixture
def noting(sdxl: Sdxl) -> Noting:
    return Noting(sdxl)


def _tasks(out: Path, drawing: DrawingSettings, have: Collection[str] = ()) -> list[Task]:
    return tasks_of(LABELS, have, out, drawing)


def _run(out: Path, sdxl: Sdxl, have: Collection[str] = (), **options: Any) -> Summary:
    return generate(_tasks(out, sdxl.drawing, have), out, sdxl, progress=False, **options)


def _pictures(out: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in out.glob("*/generated.png")}


def test_only_entities_without_a_picture_get_one(tmp_path: Path, noting: Noting) -> None:
    out = tmp_path / "out"
    assert _run(out, noting, {"bee", "dog", "unknown"}, batch_size=2) == Summary(3, 3, 0)
    assert noting.batches == [["ant", "cat"], ["eel"]]
    assert sorted(path.name for path in out.iterdir()) == ["ant", "cat", "eel", "manifest.json"]
    record = json.loads((out / "cat" / "generated.json").read_text())
    (task,) = tasks_of(LABELS[2:3], (), out, noting.drawing)
    assert (record["entity"], record["prompt"]) == ("cat", "a photo of cat, an animal")
    assert (record["seed"], record["prompt_cut"]) == (task.seed, "")
    assert record["settings"] == noting.settings
    assert (record["dtype"], record["device"]) == ("float32", "cpu")
    with Image.open(out / "cat" / "generated.png") as picture:
        assert (picture.size, picture.mode) == ((32, 32), "RGB")
    manifest = json.loads((out / "manifest.json").read_text())
    counts = {name: manifest[name] for name in ("wanted", "made", "failed", "left")}
    assert counts == {"wanted": 3, "made": 3, "failed": 0, "left": 0}
    assert manifest["settings"] == noting.settings


def test_a_run_goes_on_where_one_was_stopped(tmp_path: Path, noting: Noting) -> None:
    assert _run(tmp_path, noting, limit=2) == Summary(5, 2, 0)
    assert str(count(_tasks(tmp_path, noting.drawing))) == (
        "5 entities without a picture: 2 generated, 0 failed, 3 left"
    )
    _run(tmp_path, noting)
    pictures = _pictures(tmp_path)
    assert [name for batch in noting.batches for name in batch] == NAMES
    _run(tmp_path, noting)
    assert len(noting.batches) == 5
    # A picture whose record was not written any more, and one that was damaged since.
    (tmp_path / "bee" / "generated.json").unlink()
    (tmp_path / "dog" / "generated.png").write_bytes(b"")
    assert _run(tmp_path, noting) == Summary(5, 5, 0)
    assert noting.batches[5:] == [["bee"], ["dog"]]
    assert _pictures(tmp_path) == pictures


def test_nothing_to_draw_reads_no_weights(
    tmp_path: Path, drawing: DrawingSettings, noting: Noting
) -> None:
    _run(tmp_path, noting)
    unread = Sdxl(drawing)
    assert _run(tmp_path, unread) == Summary(5, 5, 0)
    assert "_pipelines" not in vars(unread)


def test_other_settings_need_a_word(
    tmp_path: Path, drawing: DrawingSettings, noting: Noting
) -> None:
    _run(tmp_path, noting, limit=2)
    before = _pictures(tmp_path)
    other = Noting(Sdxl(replace(drawing, steps=6)))
    with pytest.raises(ValueError, match=r"ant/generated.json: made with steps 5, now 6: give the"):
        _run(tmp_path, other)
    assert _pictures(tmp_path) == before
    assert _run(tmp_path, other, limit=2, overwrite=True) == Summary(5, 2, 0)
    assert all(before[name] != picture for name, picture in _pictures(tmp_path).items())
    _run(tmp_path, other, limit=2, overwrite=True)
    assert len(other.batches) == 2  # what has the settings asked for is kept


def test_another_text_makes_another_picture(tmp_path: Path, noting: Noting) -> None:
    _run(tmp_path, noting, limit=2)
    labels = [EntityLabel("ant", "emmet", ""), *LABELS[1:]]
    generate(
        tasks_of(labels, (), tmp_path, noting.drawing), tmp_path, noting, limit=2, progress=False
    )
    assert noting.batches == [["ant"], ["bee"], ["emmet"]]


class Failing(Noting):
    """Cannot draw the bee, draws the cat black and the dog without values."""

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
        drawn = super().draw(prompts, seeds)
        if "bee" in self.batches[-1]:
            raise RuntimeError("no\tbees")
        for name, value in (("cat", 0), ("dog", np.nan)):
            if name in self.batches[-1]:
                drawn[self.batches[-1].index(name)] = value
        return drawn


@pytest.mark.parametrize("batch_size", [1, 3])
def test_entities_that_fail_do_not_stop_the_others(
    tmp_path: Path, sdxl: Sdxl, batch_size: int
) -> None:
    failing = Failing(sdxl)
    assert _run(tmp_path, failing, batch_size=batch_size) == Summary(5, 2, 3)
    assert _pictures(tmp_path).keys() == {"ant", "eel"}
    assert (tmp_path / "failed.tsv").read_text() == (
        "bee\tRuntimeError: no bees\n"
        "cat\tthe picture is of one colour, [0, 0, 0]\n"
        "dog\tthe picture has values that are not finite (in float16, try another dtype)\n"
    )
    failure = json.loads((tmp_path / "bee" / "failed.json").read_text())
    assert (failure["entity"], failure["error"]) == ("bee", "RuntimeError: no\tbees")
    mended = Noting(sdxl)
    assert _run(tmp_path, mended) == Summary(5, 5, 0)
    assert mended.batches == [["bee"], ["cat"], ["dog"]]
    assert not list(tmp_path.rglob("failed*"))


def test_an_entity_without_a_text_fails(tmp_path: Path, noting: Noting) -> None:
    tasks = tasks_of([EntityLabel("x", "", ""), LABELS[0]], (), tmp_path, noting.drawing)
    assert generate(tasks, tmp_path, noting, batch_size=2, progress=False) == Summary(2, 1, 1)
    assert (tmp_path / "failed.tsv").read_text() == (
        "x\tValueError: the entity has neither a label nor a description\n"
    )


def test_a_long_prompt_is_recorded_whole_with_what_was_cut(tmp_path: Path, noting: Noting) -> None:
    text = " ".join(["very"] * 100)
    tasks = tasks_of([EntityLabel("x", "x", text)], (), tmp_path, noting.drawing)
    generate(tasks, tmp_path, noting, progress=False)
    record = json.loads((tmp_path / "x" / "generated.json").read_text())
    assert record["prompt"] == f"a photo of x, {text}"
    assert record["prompt_cut"] == " ".join(["very"] * 30)  # 75 tokens: 5 and 70 times "very"


def test_many_failures_in_a_row_have_one_cause(
    tmp_path: Path, sdxl: Sdxl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "IN_A_ROW", 3)
    message = r"3 entities failed one after the other, the last, dog, with: the picture has values"
    with pytest.raises(ValueError, match=message):
        _run(tmp_path, Failing(sdxl))
    assert not (tmp_path / "eel").exists()


def test_what_stops_a_run(tmp_path: Path, noting: Noting, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"ant: cannot be written \(.*No space left on device"):
            _run(tmp_path, noting)
    assert noting.batches == [["ant"]]
    assert not list(tmp_path.rglob("*.*"))

    class Unplugged(Noting):
        def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
            raise OSError("the disk with the weights is gone")

    with pytest.raises(OSError, match="the disk with the weights is gone"):
        _run(tmp_path, Unplugged(noting))

    class Large(Noting):
        def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float32]:
            raise torch.cuda.OutOfMemoryError("tried to allocate")

    message = r"does not hold a batch of 5 \(tried to allocate\); try a smaller --batch-size"
    with pytest.raises(MemoryError, match=message):
        _run(tmp_path, Large(noting), batch_size=8)
    assert not list(tmp_path.rglob("*.*"))


def test_broken_weights_stop_a_run_and_blame_no_entity(
    tmp_path: Path, drawing: DrawingSettings, tiny_sdxl: tuple[Path, Path]
) -> None:
    broken = tmp_path / "base"
    subprocess.run(["cp", "-r", tiny_sdxl[0], broken], check=True)
    (broken / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"broken")
    with pytest.raises(OSError, match=r"base model '.*' cannot be loaded"):
        _run(tmp_path / "out", Sdxl(replace(drawing, base=str(broken))))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["batch_size", "limit"])
def test_numbers_below_one(tmp_path: Path, noting: Noting, option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} is 0, expected at least 1"):
        _run(tmp_path, noting, **{option: 0})


def test_ranks_share_the_work_whatever_is_done_already(tmp_path: Path, sdxl: Sdxl) -> None:
    whole, shared = tmp_path / "whole", tmp_path / "shared"
    _run(whole, sdxl, batch_size=2)
    ranks = [Noting(sdxl), Noting(sdxl)]
    assert _run(shared, ranks[1], rank=Rank(1, 2)) == Summary(5, 2, 0)
    assert _run(shared, ranks[0], rank=Rank(0, 2)) == Summary(5, 5, 0)
    assert [rank.batches for rank in ranks] == [[["ant"], ["cat"], ["eel"]], [["bee"], ["dog"]]]
    _require_alike(shared, whole, set(NAMES))


def _require_alike(one: Path, other: Path, names: set[str]) -> None:
    """Require the same pictures but for a grey level: batches of other sizes round differently."""
    assert _pictures(one).keys() == _pictures(other).keys() == names
    for name in names:
        with (
            Image.open(one / name / "generated.png") as first,
            Image.open(other / name / "generated.png") as second,
        ):
            assert np.abs(np.asarray(first, int) - np.asarray(second, int)).max() <= 1


PROGRAM = """
import sys, time
from pathlib import Path
from lbmkgc_models.features.lvmc.command import command
from lbmkgc_models.features.lvmc.pipeline import Sdxl
from lbmkgc_models.features.lvmc.settings import DrawingSettings

dataset, out, base, refiner, wait = sys.argv[1:]
draw = Sdxl.draw

def slowly(self, prompts, seeds):
    time.sleep(float(wait))
    return draw(self, prompts, seeds)

Sdxl.draw = slowly
drawing = DrawingSettings(base=base, refiner=refiner, size=32, steps=5, base_end=0.6)
command(dataset, out=Path(out), drawing=drawing, batch_size=2, device="cpu")
"""


def _start(
    dataset: Path, out: Path, models: tuple[Path, Path], wait: float = 0, **environment: str
) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", PROGRAM, dataset, out, *models, str(wait)]
    return subprocess.Popen(arguments, env={**os.environ, **environment})


def test_two_processes_as_torchrun_starts_them_make_the_union(
    tmp_path: Path, tiny_sdxl: tuple[Path, Path]
) -> None:
    dataset, out = write_dataset(tmp_path / "set", numbered(7)), tmp_path / "out"
    processes = [
        _start(dataset, out, tiny_sdxl, RANK=str(rank), WORLD_SIZE="2", LOCAL_RANK=str(rank))
        for rank in range(2)
    ]
    assert [process.wait(timeout=300) for process in processes] == [0, 0]
    assert _pictures(out).keys() == {f"e{i}" for i in range(7)}
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["made"], manifest["left"]) == (7, 0)


def test_a_killed_run_goes_on_to_the_same_pictures(
    tmp_path: Path, tiny_sdxl: tuple[Path, Path], noting: Noting
) -> None:
    dataset, out = write_dataset(tmp_path / "set", numbered(8)), tmp_path / "out"
    process = _start(dataset, out, tiny_sdxl, wait=0.3)
    try:
        give_up = time.monotonic() + 300
        while not list(out.glob("*/generated.json")):
            assert process.poll() is None, "ended before it could be killed"
            assert time.monotonic() < give_up
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    done = {path.parent.name for path in out.glob("*/generated.json")}
    assert 0 < len(done) < 8
    assert not (out / "manifest.json").exists()

    labels = [EntityLabel(*row) for row in numbered(8)]
    tasks = tasks_of(labels, (), out, noting.drawing)
    assert generate(tasks, out, noting, batch_size=2, progress=False) == Summary(8, 8, 0)
    assert sum(len(batch) for batch in noting.batches) == 8 - len(done)
    whole = tmp_path / "whole"
    generate(
        tasks_of(labels, (), whole, noting.drawing), whole, noting, batch_size=2, progress=False
    )
    _require_alike(out, whole, {f"e{i}" for i in range(8)})
