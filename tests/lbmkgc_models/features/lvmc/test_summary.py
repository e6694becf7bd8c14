"""The summary of a folder that other processes write to as well."""

import json
from pathlib import Path

import pytest

from lbmkgc_models.features.lvmc import summary
from lbmkgc_models.features.lvmc.record import PICTURE, RECORD, save_failure
from lbmkgc_models.features.lvmc.summary import Summary, write_summary
from lbmkgc_models.features.lvmc.tasks import Task
from openke.runtime.files import write_text


def test_what_others_finish_meanwhile_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [Task(name, tmp_path / name, f"a {name}", 0) for name in ("ant", "bee", "cat")]
    save_failure(tmp_path / "ant", "ant", "no ants")
    written = []

    def another_process_ends(path: Path, text: str) -> None:
        write_text(path, text)
        written.append(path.name)
        if len(written) == 1:
            (tmp_path / "ant" / PICTURE).touch()
            (tmp_path / "ant" / RECORD).touch()
            save_failure(tmp_path / "bee", "bee", "no bees")

    monkeypatch.setattr(summary, "write_text", another_process_ends)
    assert write_summary(tmp_path, tasks, {}) == Summary(3, 1, 1)
    assert written == ["manifest.json", "failed.tsv"] * 2
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert [manifest[name] for name in ("wanted", "made", "failed", "left")] == [3, 1, 1, 1]
    assert (tmp_path / "failed.tsv").read_text() == "bee\tno bees\n"
