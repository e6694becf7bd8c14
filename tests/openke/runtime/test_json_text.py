"""JSON and TOML of other people."""

import pytest

from openke.runtime.json_text import read_json, read_json_file, through_json
from openke.runtime.toml import read_toml


def test_a_value_comes_back():
    assert read_json('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(ValueError, match="Expecting value"):
        read_json("x")


def test_what_is_said_twice_is_refused():
    with pytest.raises(ValueError, match="'a' is there twice; leave one out"):
        read_json('{"b": {"a": 1, "a": 1}}')


@pytest.mark.parametrize("read", [read_json, lambda text: read_toml(f"a = {text}")])
def test_what_is_nested_too_deeply_is_no_crash(read):
    with pytest.raises(ValueError, match="nested too deeply"):
        read("[" * 100_000)


def test_a_file_is_named(tmp_path):
    path = tmp_path / "report.json"
    for content, message in (
        (b"[" * 100_000, r"report\.json: not a JSON file: nested too deeply"),
        (b"{", r"report\.json: not a JSON file: Expecting"),
        (b'{"a":\n"\xff"}', r"report\.json:2: byte 0xff is not UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read_json_file(path)
    path.write_bytes(b'{"a": [1, 2]}')
    assert read_json_file(path) == through_json({"a": (1, 2)}) == {"a": [1, 2]}
