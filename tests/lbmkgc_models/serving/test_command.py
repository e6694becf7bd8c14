"""``openke serve``, as a user runs it."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from lbmkgc_models.serving.command import address, is_loopback, listening
from openke import cli


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX's")
def test_it_serves_until_it_is_told_to_end(run):
    command = [sys.executable, "-m", "openke.cli", "serve", str(run.folder), "--port", "0"]
    root = Path(cli.__file__).parents[1]
    with subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            line = next(line for line in server.stdout if "http" in line)
            place = re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
            assert "openke serve" in requests.get(place, timeout=60).text
            asked = {"queries": [{"head": "p0", "relation": "is a"}]}
            found = requests.post(f"{place}api/answers", json=asked, timeout=60).json()
            assert found[0]["answers"][0]["name"] == "lamp"
            foreign = requests.get(place, headers={"Host": "evil.example"}, timeout=60)
            assert foreign.status_code == 400
        finally:
            server.send_signal(signal.SIGINT)
            _, error = server.communicate(timeout=60)
    assert server.returncode in (0, 130, -signal.SIGINT)
    assert "Traceback" not in error


def test_what_is_wrong_is_said_in_one_line(run, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert cli.main(["serve", str(run.folder), "--port", port]) == 2
    assert re.search(rf"cannot answer on 127.0.0.1, port {port}: .+; name", capsys.readouterr().err)
    assert cli.main(["serve", str(run.folder), "--port", "70000"]) == 2
    assert "--port is 70000; expected a whole number from 0 to 65535" in capsys.readouterr().err
    for options in (
        ["--host", "no.such.host.invalid"],
        ["--host", "8.8.8.8"],
        ["--host", "\udcff"],
    ):
        assert cli.main(["serve", str(run.folder), *options]) == 2
        assert "cannot answer on" in capsys.readouterr().err
    assert cli.main(["serve", str(run.folder / "nothing"), "--port", "0"]) == 2
    assert "no such file; expected the output folder of a training run" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "fastapi", None)
    assert cli.main(["serve", str(run.folder), "--port", "0"]) == 2
    error = capsys.readouterr().err
    assert "fastapi cannot be imported" in error
    assert "pip install 'openke-lbmkgc[serve]'" in error
    assert len(error.splitlines()) == 1


def test_only_this_machine_reaches_a_loopback_address():
    assert all(map(is_loopback, ("127.0.0.1", "127.0.0.2", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.1", "example.org", "")))


def test_the_address_is_what_a_browser_takes():
    with listening("127.0.0.1", 0) as opened:
        assert address("127.0.0.1", opened) == f"http://127.0.0.1:{opened.getsockname()[1]}/"
        assert address("::1", opened).startswith("http://[::1]:")
