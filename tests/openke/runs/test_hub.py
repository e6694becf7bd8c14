"""Runs go to the Hub and come back the same: by a folder, and by a server that stands in for it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import openke
from openke.runs.load import load_run
from tests.openke.runs.hub_server import COMMIT, running
from tests.openke.runs.trained import data_folder, trained

huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs the extra hub")
QUERY = (0, 0, None)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    trained(folder / "run", data_folder(folder))
    return load_run(folder / "run", folder / "TOY", device="cpu")


@pytest.fixture(scope="module")
def pushed(run, tmp_path_factory):
    """Return what a push uploads."""
    from openke.runs.hub import HubRun

    folder = tmp_path_factory.mktemp("hub") / "pushed"
    HubRun.of(run).save_pretrained(folder)
    return folder


def test_what_is_pushed_is_the_whole_run_with_a_card(run, pushed):
    names = {str(path.relative_to(pushed)) for path in pushed.rglob("*") if path.is_file()}
    assert {"README.md", "config.json", "model.safetensors", "report.json"} <= names
    assert "packed/TOY/train2id.txt" in names
    assert not [name for name in names if name.endswith((".ckpt", ".pkl", ".bin"))]
    card = huggingface_hub.ModelCard.load(pushed / "README.md")
    assert card.data.library_name == "openke-lbmkgc"
    assert card.data.model_name == "RotatE on TOY"
    found = {one.metric_type: one.metric_value for one in card.data.eval_results}
    metrics = run.report["metrics"]["both"]["realistic"]
    assert found == {name: metrics[name] for name in ("mrr", "hits@1", "hits@3", "hits@10")}
    assert f"| both | {100 * metrics['mrr']:.2f} |" in card.text
    assert '"name": "RotatE"' in card.text


def test_it_comes_back_from_a_folder(run, pushed, capfd):
    again = openke.from_pretrained(str(pushed), device="cpu")
    assert again.predict(*QUERY, k=99) == run.predict(*QUERY, k=99)
    assert again.report == run.report
    assert again.folder == pushed


def test_a_push_makes_the_repository_and_uploads_the_folder(run, monkeypatch):
    told = []

    def create_repo(self, repo_id, **options):
        told.append((repo_id, options["private"]))
        return type("Url", (), {"repo_id": repo_id})

    def upload_folder(self, *, repo_id, folder_path, **_):
        told.append((repo_id, sorted(path.name for path in Path(folder_path).iterdir())))
        return f"https://hub/{repo_id}/commit/1"

    monkeypatch.setattr(huggingface_hub.HfApi, "create_repo", create_repo)
    monkeypatch.setattr(huggingface_hub.HfApi, "upload_folder", upload_folder)
    assert openke.push_to_hub(run, "me/toy", private=True) == "https://hub/me/toy/commit/1"
    assert told[0] == ("me/toy", True)
    assert {"README.md", "packed", "model.safetensors"} <= set(told[1][1])


CODE = """
import json, sys, openke
run = openke.load(sys.argv[1], sys.argv[2], device="cpu")
print(openke.push_to_hub(run, "me/toy", private=True, **json.loads(sys.argv[3])))
again = openke.load("me/toy", device="cpu")  # as openke.from_pretrained does
print(json.dumps([again.report, again.predict(0, 0, k=99)]))
"""
"""Pushes and loads, for a process of its own: the Hub's address is read when it is imported."""


@pytest.mark.slow
@pytest.mark.parametrize("facts", [True, False])
def test_it_goes_to_a_server_and_comes_back(run, tmp_path, facts):
    with running() as server:
        environment = {
            **os.environ,
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_TOKEN": "hf_anything",
            "NO_PROXY": "127.0.0.1",
        }
        command = [sys.executable, "-c", CODE, run.folder, run.whole.directory]
        done = subprocess.run(
            [*command, json.dumps({"facts": facts})], env=environment, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    address, answered = done.stdout.splitlines()
    assert address == f"{server.address}/me/toy/commit/{COMMIT}"
    assert server.private
    assert list(server.large.values()) == [(run.folder / "model.safetensors").read_bytes()]
    assert ("packed/TOY/train2id.txt" in server.files) == facts
    assert ("The triples were left out" in server.files["README.md"].decode()) != facts
    expected = run.predict(*QUERY, k=99)
    if not facts:
        expected["known"] = [None] * expected.height
    assert json.loads(answered) == json.loads(json.dumps([run.report, expected]))


def test_a_missing_package_is_said_in_one_line(monkeypatch, run):
    monkeypatch.delitem(sys.modules, "openke.runs.hub", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"Hub needs the package huggingface_hub .*: pip inst"):
        openke.push_to_hub(run, "me/toy")
