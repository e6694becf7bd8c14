"""Types say what a value may be, and the message says it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import pytest

from openke.runtime.names import close_names, did_you_mean
from openke.runtime.values import (
    Count,
    Natural,
    Positive,
    Share,
    Weight,
    check_arguments,
    check_value,
)

NAN, INFINITE = float("nan"), float("inf")
Called = Annotated[str | Mapping[str, Any], "a name"]


@pytest.mark.parametrize(
    ("kind", "good", "bad", "expected"),
    [
        (Count, [1, np.int64(3)], [0, -1, 1.0, "1", True, None, NAN], "a whole number, 1 or more"),
        (Natural, [0, 5], [-1, 0.5, False], "a whole number, 0 or more"),
        (float, [0, -1.5, np.float32(2)], ["0.1", True, NAN, INFINITE, None], "a number"),
        (Share, [0, 0.5], [1, -0.1, NAN], "a number from 0 to below 1"),
        (Weight, [0, 3], [-1e-9, INFINITE], "a number, 0 or more"),
        (Positive | None, [1e-9, None], [0, "", []], "a number above 0, or null"),
        (bool, [True, np.bool_(False)], ["no", 1, 0, None], "true or false"),
        (str, ["", "x"], [3, None, ["x"]], "a text"),
        (Literal[1, 2], [1, 2], [3, True, "1", 1.0], "one of 1, 2"),
        (Literal["a", "b"], ["a"], ["c", 1, None], "one of 'a', 'b'"),
        (str | Sequence[str], ["a", ["a"], ()], [[1], {"a": 1}, 2], "a text, or a list"),
        (Mapping[str, Any], [{}, {"a": None}], ["", [], None, {1: 2}], "settings by name"),
        (Called, ["a", {}], [3, None], "a name"),
        (Any, [None, 3], [], ""),
        (tuple[Any, ...], [(), [1]], [], ""),
    ],
)
def test_values_are_of_their_type_or_refused(kind, good, bad, expected):
    for value in good:
        check_value("here", value, kind)
    for value in bad:
        with pytest.raises(ValueError, match=r"^here is ") as caught:
            check_value("here", value, kind)
        assert str(caught.value) == f"here is {value!r}; expected {expected}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    dim: Count
    rate: float = 0.1


class Plain:
    def __init__(self, first, dim: Count, *, rate: float = 0.1, **others) -> None: ...


def test_arguments_are_those_of_what_takes_them():
    check_arguments("x", {"dim": 3, "rate": 1}, Settings)
    check_arguments("x", {"dim": 3, "anything": 1}, Plain, but=["first"])
    with pytest.raises(ValueError, match=r"^x has no setting 'rat' \(did you mean rate\?\); it kn"):
        check_arguments("x", {"dim": 3, "rat": 1}, Settings)
    with pytest.raises(ValueError, match=r"^the thing has no dim; give x.dim$"):
        check_arguments("x", {}, Settings, owner="the thing")
    with pytest.raises(ValueError, match=r"^dim is 0; expected"):
        check_arguments("", {"dim": 0}, Plain, but=["first"])


def test_types_that_cannot_be_known_are_not_checked():
    def takes(value: "Unknown"): ...

    check_arguments("x", {"value": object()}, takes)


def test_near_names_are_found_whatever_their_case():
    assert close_names("complx", ["TransE", "ComplEx"]) == ["ComplEx"]
    assert close_names("transe", ["TransE", "TransH", "N3"], 2) == ["TransE", "TransH"]
    assert did_you_mean("zzz", ["TransE"]) == ""
    assert close_names("Tranes", ["TransR", "TransE", "TransD"], 2)[0] == "TransE"
    assert close_names("learning_rate", ["l3_regul_rate", "lr"], 2) == ["lr", "l3_regul_rate"]
    assert close_names("x", []) == []
