"""What an audit finds worth saying."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing an audit says about one subject.

    Attributes
    ----------
    severity
        ``"error"``: results on this data mean something else than they seem to. ``"warning"``:
        worth knowing before comparing results. ``"note"``: a fact.
    subject
        What it is about, such as ``"valid"`` or ``"visual.safetensors"``.
    message
        What was found, with both numbers, and the way out where there is one.
    figures
        The numbers of the message by name.
    """

    severity: Literal["error", "warning", "note"]
    subject: str
    message: str
    figures: Mapping[str, int | float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.severity not in SEVERITIES:
            raise ValueError(
                f"severity is {self.severity!r}, expected one of {', '.join(SEVERITIES)}"
            )
