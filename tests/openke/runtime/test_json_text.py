"""JSON and TOML of other people."""

import pytest

from openke.runtime.json_text import read_json
from openke.runtime.toml import read_toml


def test_a_value_comes_back():
    assert read_json('{"a": [1, null]}') == {"a": [1, None]}
    with pytest.raises(ValueError, match="Expecting value"):
        read_json("x")


@pytest.mark.parametrize("read", [read_json, lambda text: read_toml(f"a = {text}")])
def test_what_is_nested_too_deeply_is_no_crash(read):
    with pytest.raises(ValueError, match="nested too deeply"):
        read("[" * 100_000)
