"""Data sets are found in the promised order, and downloaded whole or not at all."""

from __future__ import annotations

import functools
import inspect
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tqdm import tqdm

from openke.datasets import search as module
from openke.datasets.download import download
from openke.datasets.registry import OWN, Join, KnownDataSet, RemoteFile
from openke.datasets.search import NEEDED, cache_folder, find_dataset
from tests.conftest import DATA_SETS

FILES = {
    "entity2id.txt": b"2\nSome_Town\t0\nSome_River\t1\n",
    "relation2id.txt": b"1\nflowsThrough\t0\n",
    "train2id.txt": b"1\n1 0 0\n",
    "valid2id.txt": b"0\n",
    "test2id.txt": b"0\n",
}
TEXT = (
    b'{"/m/1": {"description": "place that was made up", "wikidata_id": "Q1", "label": "Some Town",'
    b' "wikipedia": "https://en.wikipedia.org/wiki/Some_Town"}}'
)
LABELS = b"0\tSome_Town\tSome Town\tplace that was made up\n1\tSome_River\tSome River\t\n"


def _remote(path: str, content: bytes) -> RemoteFile:
    return RemoteFile(path=path, checksum=sha256(content).hexdigest())


def _known(labels: bytes = LABELS) -> dict[str, KnownDataSet]:
    return {
        "MADE-UP": KnownDataSet(
            page="https://example.org/made-up",
            files={name: _remote(f"o/r/c/{name}", text) for name, text in FILES.items()},
            joins=(
                Join(
                    join="wikipedia",
                    sources=(_remote("o/text/c/text.json", TEXT),),
                    results={"labels.tsv": sha256(labels).hexdigest()},
                ),
            ),
        )
    }


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the data, the cache and the network of this machine."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENKE_MIRROR", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("OPENKE_DATA", raising=False)
    monkeypatch.setattr("pooch.core.time.sleep", lambda _: None)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def _put(folder: Path, *, without: str | None = None) -> Path:
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        if name != without:
            (folder / name).write_bytes(text)
    return folder


# ---- a small web server that can misbehave


class Site:
    """What the server serves and was asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.truncated: set[str] = set()  # bodies end before the length that was announced
        self.unavailable: set[str] = set()  # answered 503
        self.requests: list[str] = []
        self.address = ""


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Site]:
    site = Site(files)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            site.requests.append(path)
            if path in site.unavailable:
                self.send_error(503)
                return
            if path not in site.files:
                self.send_error(404)
                return
            body = site.files[path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if path in site.truncated else body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    files = {f"o/r/c/{name}": text for name, text in FILES.items()}
    with serve({**files, "o/text/c/text.json": TEXT}) as site:
        monkeypatch.setenv("OPENKE_MIRROR", site.address)
        yield site


# ---- where it is looked for


def test_data_may_be_the_data_set_or_hold_it(tmp_path: Path) -> None:
    folder = _put(tmp_path / "mine" / "TOY")
    assert find_dataset("TOY", folder) == folder
    assert find_dataset("OTHER", folder) == folder  # a data set of the user's under its own name
    assert find_dataset("TOY", str(tmp_path / "mine")) == folder


def test_wrong_data_is_an_error_though_it_is_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put(tmp_path / "path" / "TOY")
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path / "path"))
    lacking = _put(tmp_path / "lacking", without="train2id.txt")
    with pytest.raises(FileNotFoundError, match=r"lacking: lacks train2id\.txt") as caught:
        find_dataset("TOY", lacking)
    assert f"{lacking / 'TOY'}: no such folder" in str(caught.value)
    assert "expected entity2id.txt, relation2id.txt, train2id.txt" in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"nowhere: no such folder"):
        find_dataset("TOY", tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"train2id\.txt: not a folder"):
        find_dataset("TOY", tmp_path / "path" / "TOY" / "train2id.txt")


def test_search_path_then_working_folder_then_checkout_then_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    monkeypatch.setattr(module, "CHECKOUT", checkout)
    first, second = tmp_path / "first", tmp_path / "second"
    places = [
        _put(cache_folder() / "datasets" / "TOY"),
        _put(checkout / "benchmarks" / "TOY"),
        _put(Path("benchmarks") / "TOY"),
        _put(second / "TOY"),
        _put(first / "TOY"),
    ]
    monkeypatch.setenv("OPENKE_DATA", os.pathsep.join([str(first), "", str(second)]))
    while places:
        assert find_dataset("TOY").resolve() == places[-1].resolve()
        (places.pop() / "train2id.txt").unlink()  # an incomplete folder is passed over


def test_search_path_may_name_the_data_set_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _put(tmp_path / "TOY")
    monkeypatch.setenv("OPENKE_DATA", str(folder))
    assert find_dataset("TOY") == folder


def test_unknown_name_lists_known_names_and_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path / "path"))
    with pytest.raises(
        ValueError, match="'TOY' is not known; expected one of DB15K, Factbook"
    ) as e:
        find_dataset("TOY")
    assert f"{tmp_path / 'path' / 'TOY'} (OPENKE_DATA: no such folder)" in str(e.value)
    assert f"{cache_folder() / 'datasets' / 'TOY'} (cache: no such folder)" in str(e.value)


def test_a_mistyped_name_gets_the_near_one() -> None:
    with pytest.raises(ValueError, match=r"'Fatcbook' is not known \(did you mean Factbook"):
        find_dataset("Fatcbook")


def test_a_folder_that_lacks_files_and_a_file_are_said_to_be_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "emptyf").mkdir()
    (tmp_path / "rivers.tsv").touch()
    folder = "emptyf is a folder but lacks entity2id.txt, relation2id.txt, train2id.txt: expected a"
    with pytest.raises(ValueError, match=f"^{folder}"):
        find_dataset("emptyf")
    with pytest.raises(ValueError, match=f"^{tmp_path}/{folder}"):
        find_dataset(str(tmp_path / "emptyf"))
    with pytest.raises(ValueError, match=r"'openke import rivers\.tsv --out FOLDER'$"):
        find_dataset("rivers.tsv")


@pytest.mark.parametrize("name", ["", "a/b", "../a", "/a"])
def test_names_that_are_paths_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="and no name; expected one such as 'DB15K'"):
        find_dataset(name)


def test_cache_is_the_systems_unless_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENKE_CACHE")
    assert cache_folder().name == "openke"


# ---- downloads


def test_complete_download(site: Site, tmp_path: Path) -> None:
    folder = find_dataset("MADE-UP", known=_known())
    assert folder == tmp_path / "cache" / "datasets" / "MADE-UP"
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == {
        **FILES,
        "labels.tsv": LABELS,
    }
    assert sorted(site.requests) == sorted(site.files)  # each once
    assert find_dataset("MADE-UP", known=_known()) == folder
    assert len(site.requests) == len(site.files)  # found in the cache, nothing asked for
    assert [place.name for place in folder.parent.iterdir()] == ["MADE-UP"]


def test_each_file_has_a_progress_bar(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = functools.partial(tqdm, mininterval=0)
    monkeypatch.setattr("openke.datasets.download.tqdm", shown)
    monkeypatch.setattr("openke.datasets.download.has_bars", lambda: True)
    find_dataset("MADE-UP", known=_known())
    printed = capsys.readouterr().err
    assert "MADE-UP 1/6 entity2id.txt: " in printed
    assert "MADE-UP 6/6 text.json: " in printed
    assert printed.endswith("\r")  # a finished bar clears its line
    assert "Downloading" not in printed


def test_off_a_terminal_each_file_is_one_line(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    find_dataset("MADE-UP", known=_known())
    printed = capsys.readouterr().err
    lines = printed.splitlines()
    assert len(lines) == 6
    size = len(FILES["entity2id.txt"])
    assert lines[0] == f"fetched MADE-UP 1/6 entity2id.txt, {size} bytes"
    assert "\r" not in printed


def test_help_of_the_search_is_no_list_of_checksums() -> None:
    assert len(str(inspect.signature(find_dataset))) < 300


def test_truncated_body_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    bad = "o/r/c/train2id.txt"
    site.truncated.add(bad)
    with pytest.raises(FileNotFoundError, match=rf"{bad}: the file breaks off") as caught:
        find_dataset("MADE-UP", known=_known())
    assert site.requests.count(bad) == 3  # tried again
    assert site.address in str(caught.value)
    left = {str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()}
    assert left == {f"cache/downloads/o/r/c/{name}2id.txt" for name in ("entity", "relation")}
    site.truncated.clear()
    assert (find_dataset("MADE-UP", known=_known()) / "labels.tsv").read_bytes() == LABELS


def test_wrong_checksum_leaves_nothing_behind(site: Site, tmp_path: Path) -> None:
    site.files["o/r/c/entity2id.txt"] = b"2\nanother\t0\ngraph\t1\n"
    expected = sha256(FILES["entity2id.txt"]).hexdigest()
    with pytest.raises(FileNotFoundError, match=f"wrong checksum: .*{expected}"):
        find_dataset("MADE-UP", known=_known())
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]


def test_interrupted_download_goes_on_where_it_was(site: Site) -> None:
    site.unavailable.add("o/r/c/valid2id.txt")
    with pytest.raises(FileNotFoundError, match="the server answers 503"):
        find_dataset("MADE-UP", known=_known())
    site.unavailable.clear()
    site.requests.clear()
    folder = find_dataset("MADE-UP", known=_known())
    assert (folder / "labels.tsv").is_file()
    assert site.requests == ["o/r/c/valid2id.txt", "o/r/c/test2id.txt", "o/text/c/text.json"]


def test_damaged_file_of_an_earlier_run_is_fetched_again(site: Site) -> None:
    kept = cache_folder() / "downloads" / "o" / "r" / "c" / "train2id.txt"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"1\n0 0")
    folder = find_dataset("MADE-UP", known=_known())
    assert (folder / "train2id.txt").read_bytes() == FILES["train2id.txt"]


def test_incomplete_folder_in_the_cache_is_completed(site: Site) -> None:
    folder = _put(cache_folder() / "datasets" / "MADE-UP", without="train2id.txt")
    (folder / "mine.txt").write_text("kept")
    assert find_dataset("MADE-UP", known=_known()) == folder
    assert (folder / "train2id.txt").read_bytes() == FILES["train2id.txt"]
    assert (folder / "mine.txt").read_text() == "kept"
    assert [place.name for place in folder.parent.iterdir()] == ["MADE-UP"]


def test_data_set_without_labels(site: Site, tmp_path: Path) -> None:
    known = KnownDataSet(page="", files=_known()["MADE-UP"].files)
    folder = download("MADE-UP", known, tmp_path / "cache")
    assert {file.name for file in folder.iterdir()} == set(FILES)


@pytest.mark.parametrize("in_the_way", ["cache", "cache/datasets/MADE-UP"])
def test_file_where_the_cache_should_be_is_an_error(
    site: Site, tmp_path: Path, in_the_way: str
) -> None:
    (tmp_path / in_the_way).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / in_the_way).write_text("mine")
    with pytest.raises(FileNotFoundError, match=rf"cannot be downloaded: .*{in_the_way}"):
        find_dataset("MADE-UP", known=_known())
    assert (tmp_path / in_the_way).read_text() == "mine"
    left = [file.name for file in (tmp_path / in_the_way).parent.iterdir()]
    assert "here" in left or left == ["MADE-UP"]


def test_labels_that_join_another_way_are_an_error(site: Site, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"joined labels\.tsv of MADE-UP has SHA-256"):
        find_dataset("MADE-UP", known=_known(labels=b"0\tanother\n"))
    assert not list(tmp_path.rglob("labels.tsv"))


def test_label_source_of_another_form_is_an_error(tmp_path: Path) -> None:
    files = {f"o/r/c/{name}": text for name, text in FILES.items()}
    wrong = b'{"/m/1": {}}'
    known = KnownDataSet(
        page="",
        files=_known()["MADE-UP"].files,
        joins=(Join(join="wikipedia", sources=(_remote("o/t", wrong),), results={"a.tsv": ""}),),
    )
    with serve({**files, "o/t": wrong}) as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENKE_MIRROR", site.address)
        with pytest.raises(OSError, match=r"a\.tsv of MADE-UP cannot be joined: 'wikipedia'"):
            download("MADE-UP", known, tmp_path / "cache")


def test_offline_names_every_place_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENKE_DATA", str(tmp_path / "path"))
    with pytest.raises(FileNotFoundError) as caught:
        find_dataset("MADE-UP", known=_known())
    message = str(caught.value)
    for part in (
        "'MADE-UP' is not on this machine and cannot be downloaded",
        f"{os.environ['OPENKE_MIRROR']}/o/r/c/entity2id.txt: no connection to the server",
        f"{tmp_path / 'path' / 'MADE-UP'} (OPENKE_DATA: no such folder)",
        f"{Path('benchmarks') / 'MADE-UP'} (working folder: no such folder)",
        f"{Path('benchmarks') / 'MADE-UP'} (checkout: no such folder)",
        f"{tmp_path / 'cache' / 'datasets' / 'MADE-UP'} (cache: no such folder)",
        "Set OPENKE_DATA to the folder that holds MADE-UP",
        "or give its folder in place of the name",
        "by hand from https://example.org/made-up into",
        "OPENKE_MIRROR",
        *NEEDED,
    ):
        assert part in message
    assert "\n" not in message


def test_offline_says_that_the_search_path_is_not_set() -> None:
    with pytest.raises(FileNotFoundError, match=r"OPENKE_DATA \(not set\)"):
        find_dataset("MADE-UP", known=_known())


def test_slow_server_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("openke.datasets.download.SECONDS_TO_ANSWER", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OPENKE_MIRROR", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(OSError, match=r"entity2id\.txt: no answer in 0\.05 seconds"):
            download("MADE-UP", _known()["MADE-UP"], tmp_path / "cache", retries=0)


def test_mirror_that_is_no_address_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENKE_MIRROR", "nonsense")
    with pytest.raises(OSError, match=r"nonsense/o/r/c/entity2id\.txt: Invalid URL"):
        download("MADE-UP", _known()["MADE-UP"], tmp_path / "cache", retries=0)


def test_a_file_pinned_by_its_id_in_git_is_checked(tmp_path: Path, site: Site) -> None:
    # What `git hash-object` prints for the file.
    good = "git:19609f2efd3d43dfe480943458cf750d385deccc"
    assert FILES["train2id.txt"] == b"1\n1 0 0\n"
    known = _known()["MADE-UP"]
    for checksum, fits in ((good, True), ("git:" + 40 * "0", False)):
        remote = RemoteFile(path="o/r/c/train2id.txt", checksum=checksum)
        pinned = replace(known, files={**known.files, "train2id.txt": remote})
        cache = tmp_path / checksum[-4:]
        if fits:
            assert (download("MADE-UP", pinned, cache) / "train2id.txt").is_file()
            continue
        with pytest.raises(OSError, match=r"train2id\.txt: wrong checksum: git:"):
            download("MADE-UP", pinned, cache, retries=0)
        assert not list(cache.rglob("*train2id.txt"))


# ---- the registry


@pytest.mark.parametrize("name", DATA_SETS)
def test_registered_checksums_are_those_of_the_real_files(datasets: Path, name: str) -> None:
    known = OWN[name]
    assert isinstance(known, KnownDataSet)
    expected = {file: remote.checksum for file, remote in known.files.items()}
    for join in known.joins:
        if join.join != "texts":  # texts on a disk may be others
            expected.update(join.results)
    folder = datasets / name
    found = {f.name: sha256(f.read_bytes()).hexdigest() for f in folder.iterdir() if f.is_file()}
    shared = expected.keys() & found.keys()
    assert shared >= {*NEEDED, "valid2id.txt", "test2id.txt", "labels.tsv"}
    assert {file: found[file] for file in shared} == {file: expected[file] for file in shared}


def test_openkes_own_sets_are_known_whole() -> None:
    names = {"FB13", "FB15K", "FB15K237", "NELL-995", "WN11", "WN18", "WN18RR", "YAGO3-10"}
    assert names <= set(OWN)
    for name in names:
        known = OWN[name]
        assert isinstance(known, KnownDataSet)
        assert known.page.endswith(f"/benchmarks/{name}")
        assert set(known.files) == {*NEEDED, "valid2id.txt", "test2id.txt", "type_constrain.txt"}
        for file, remote in known.files.items():
            assert remote.path.startswith("thunlp/OpenKE/64c4ec8157abfc39112772e9825a349091da45f1")
            assert remote.path.endswith(f"/benchmarks/{name}/{file}")


def test_a_function_of_another_package_makes_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENKE_DATA", "")
    monkeypatch.setenv("OPENKE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "made"

    def make():
        folder.mkdir(exist_ok=True)
        for file, content in FILES.items():
            (folder / file).write_bytes(content)
        return folder

    assert find_dataset("Made", known={"Made": make}) == folder
    with pytest.raises(FileNotFoundError, match=r"data set 'Empty': .*, which its package returns"):
        find_dataset("Empty", known={"Empty": lambda: tmp_path / "empty"})
