"""What a training run did, epoch by epoch."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from openke.runtime.files import read_text, write_text

Record = dict[str, float]
"""epoch, loss, seconds, triples_per_second, lr, and what callbacks add (e.g. valid_mrr)."""


@dataclass
class History:
    """Records of the epochs trained so far."""

    records: list[Record] = field(default_factory=list)

    @property
    def losses(self) -> list[float]:
        """Mean loss of each epoch."""
        return [record["loss"] for record in self.records]

    def best(self, metric: str = "valid_mrr") -> Record | None:
        """Return the record of the epoch with the highest metric, the first of equals.

        None where no epoch measured it.
        """
        measured = [record for record in self.records if metric in record]
        return max(measured, key=lambda record: record[metric], default=None)

    @classmethod
    def read_csv(cls, path: Path) -> History:
        """Read what :meth:`write_csv` wrote.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        ValueError
            A value that is no number.
        """
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline="")))
        try:
            return cls([{k: float(v) for k, v in row.items() if v} for row in rows])
        except (ValueError, TypeError) as error:
            raise ValueError(f"{path}: not the table of a training: {error}") from error

    def write_csv(self, path: Path) -> None:
        """Write one row an epoch; a column that an epoch did not measure stays empty."""
        names: dict[str, None] = {}
        for record in self.records:
            names.update(dict.fromkeys(record))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(names), lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.records)
        write_text(path, text.getvalue())
