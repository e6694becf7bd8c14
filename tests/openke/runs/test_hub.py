"""Runs go to the Hub and come back the same: by a folder, and by a server that stands in for it."""

import hashlib
import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

import openke
from openke.runs.load import load_run
from tests.openke.runs.trained import data_folder, trained

huggingface_hub = pytest.importorskip("huggingface_hub", reason="needs the extra hub")
COMMIT = "a" * 40
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


def hub_of(folder):
    """Return a class that answers as the Hub does for one repository."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name: path for name, path in files.items() if path.is_file()}

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def answer(self, with_body):
            path = self.path.partition("?")[0]
            name = path.partition("/resolve/")[2].partition("/")[2]
            if path.startswith("/api/models/me/toy/tree"):
                entries = [
                    {"type": "file", "path": each, "size": file.stat().st_size, "oid": "0" * 40}
                    for each, file in files.items()
                ]
                self.send(json.dumps(entries).encode(), "application/json", with_body)
            elif path.startswith("/api/models/me/toy"):
                about = {"id": "me/toy", "sha": COMMIT, "private": False, "tags": []}
                about["siblings"] = [{"rfilename": each} for each in files]
                self.send(json.dumps(about).encode(), "application/json", with_body)
            elif path.startswith("/me/toy/") and name in files:
                self.send(files[name].read_bytes(), "application/octet-stream", with_body)
            else:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.end_headers()

        def send(self, content, kind, with_body):
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    return Hub


@pytest.mark.slow
def test_it_comes_back_from_a_server(run, pushed, tmp_path):
    with ThreadingHTTPServer(("127.0.0.1", 0), hub_of(pushed)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        code = (
            "import json, openke; run = openke.from_pretrained('me/toy', device='cpu'); "
            "print(json.dumps(run.predict(0, 0, k=99)))"
        )
        environment = {
            **os.environ,
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_address[1]}",
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == json.loads(json.dumps(run.predict(*QUERY, k=99)))


def test_a_missing_package_is_said_in_one_line(monkeypatch, run):
    monkeypatch.delitem(sys.modules, "openke.runs.hub", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"Hub needs the package huggingface_hub .*: pip inst"):
        openke.push_to_hub(run, "me/toy")
