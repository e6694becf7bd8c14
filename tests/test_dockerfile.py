"""What the Dockerfile copies, installs and starts is there: images are built elsewhere."""

import inspect
import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest

from lbmkgc_models.serving.command import command as serve
from openke.runtime.toml import tomllib

ROOT = Path(__file__).parents[1]


def instructions():
    """Return the lines of the Dockerfile, those that go on put together, by their first word."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if re.match("[A-Z]+ ", line)]
    return [(word, " ".join(rest.split())) for word, rest in lines]


def of(word):
    return [rest for first, rest in instructions() if first == word]


@pytest.fixture(scope="module")
def project():
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]


def sent():
    """Return the names at the top of the checkout that .dockerignore lets through."""
    lines = (ROOT / ".dockerignore").read_text().split()
    assert lines[0] == "*"
    return {line[1:] for line in lines if line.startswith("!")}, [
        line for line in lines[1:] if not line.startswith("!")
    ]


def names_of_packages(words):
    return {re.split(r"[<>=;\[ ]", word)[0].lower().replace("_", "-") for word in words}


def test_it_installs_extras_and_encoders_that_there_are(project):
    (install,) = [line for line in of("RUN") if "'.[" in line]
    extras = re.search(r"'\.\[([\w,]+)\]'", install)[1].split(",")
    known = project["optional-dependencies"]
    assert "serve" in extras
    assert set(extras) <= set(known)
    encoders = shlex.split(install.split("--no-deps")[1])
    assert names_of_packages(encoders) == names_of_packages(known["encoders"])
    pinned = names_of_packages((ROOT / "constraints.txt").read_text().splitlines())
    assert names_of_packages(encoders) <= pinned


def test_torch_and_all_others_are_told_apart():
    (told,) = [line for line in of("RUN") if "torch.txt" in line and "grep" in line]
    patterns = re.findall(r"grep -(v?)E '([^']+)' constraints.txt > (\w+)\.txt", told)
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = {
        name: [line for line in lines if bool(re.search(pattern, line)) != bool(negated)]
        for negated, pattern, name in patterns
    }
    assert names_of_packages(found["torch"]) == {"torch", "torchvision"}
    assert set(found["others"]) == set(lines) - set(found["torch"])


def test_what_the_build_needs_is_sent_and_there(project):
    let_in, left_out = sent()
    needed = {"setup.py", "pyproject.toml", "constraints.txt", "base", "openke", "lbmkgc_models"}
    needed |= {project["readme"], *project["license-files"]}
    copied = {line.split()[0] for line in of("COPY") if not line.startswith("--from")} - {"."}
    assert needed | copied <= let_in
    assert all((ROOT / name).exists() for name in let_in)
    kept = [path for name in let_in for path in (ROOT / name).rglob("*.py")]
    assert not [path for path in kept if any(fnmatch(str(path), glob) for glob in left_out)]


def test_it_starts_the_server_at_the_port_that_it_opens(project):
    (entry,), (port,) = of("ENTRYPOINT"), of("EXPOSE")
    program, name, folder, *options = json.loads(entry)
    assert program in project["scripts"]
    declared = project["entry-points"]["openke.commands"][name]
    assert declared == f"{serve.__module__}:command"
    given = inspect.signature(serve).parameters
    assert given["run"].kind is inspect.Parameter.POSITIONAL_ONLY
    assert options == ["--host", "0.0.0.0"]
    assert "host" in given
    assert str(given["port"].default) == port
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    for text in (page, (ROOT / "Dockerfile").read_text(encoding="utf-8")):
        assert f"-p 127.0.0.1:{port}:{port} " in text
        assert f":{folder}:ro" in text
    for option in re.findall(r"openke-serve --([\w-]+)", page):
        assert option.replace("-", "_") in given


def test_it_looks_after_the_server_by_an_address_that_there_is():
    (check,), (port,) = of("HEALTHCHECK"), of("EXPOSE")
    program, _, code = json.loads(check.partition("CMD ")[2])
    assert program == "python"
    compile(code, "HEALTHCHECK", "exec")
    (path,) = re.findall(rf"http://127\.0\.0\.1:{port}(/[\w/]+)", code)
    source = (ROOT / "lbmkgc_models" / "serving" / "api.py").read_text(encoding="utf-8")
    assert f'get("{path}"' in source


def test_it_runs_as_a_user_without_rights_with_the_same_python_twice():
    (user,) = of("USER")
    assert any(f"useradd --create-home {user}" in line for line in of("RUN"))
    bases = {line.split()[0] for line in of("FROM")}
    assert len(bases) == 1
