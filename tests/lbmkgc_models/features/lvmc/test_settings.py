"""What a drawing may say."""

from typing import Any

import pytest

from lbmkgc_models.features.lvmc.settings import DrawingSettings


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"template": "a dog"}, "template 'a dog': expected text with"),
        ({"steps": 0}, "steps is 0, expected 1 to 500"),
        ({"steps": 501}, "steps is 501, expected 1 to 500"),
        ({"size": 2056}, "size is 2056, expected a multiple of 8 from 16 to 2048"),
        ({"size": 1020}, "size is 1020, expected a multiple of 8 from 16 to 2048"),
        (
            {"base_end": 1.0},
            "base_end is 1.0, expected a share between 0 and 1; the refiner 'none'",
        ),
        ({"base_end": 0.0}, "base_end is 0.0, expected a share between 0 and 1"),
        ({"guidance": -1.0}, "guidance is -1.0, expected 0 or more"),
        ({"guidance": float("nan")}, "guidance is nan, expected 0 or more"),
        ({"handover": "hand"}, "handover is 'hand', expected 'latents' or 'noise'"),
    ],
)
def test_values_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DrawingSettings(**options)


def test_without_a_refiner() -> None:
    assert DrawingSettings().refined
    assert not DrawingSettings(refiner="none").refined
