"""What a submission may use. Imported inside the sandbox too."""

import dataclasses
from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """Bytes, counts, seconds and characters.

    `memory` is the private memory of all processes of a submission together, `folder` the size of the folder that it
    may write in, `file` that of one file, `processes` counts threads too, and `cpu_seconds` is the sum over processes.
    The sandbox enforces these. The seconds and the characters of outputs are for who talks to the child.
    """

    memory: int = 2_000 * MEGABYTE
    folder: int = 128 * MEGABYTE
    file: int = 64 * MEGABYTE
    processes: int = 64
    open_files: int = 256
    cpu_seconds: float = 600.0
    cell_seconds: float = 60.0
    notebook_seconds: float = 600.0
    output_characters: int = 1_000_000
    notebook_output_characters: int = 5_000_000

    def to_json(self) -> dict[str, float]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, fields: dict[str, float]) -> "Limits":
        return cls(**fields)


DEFAULTS = Limits()
