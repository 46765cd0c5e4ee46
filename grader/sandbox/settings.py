"""What the grader tells a zygote when it starts it."""

import dataclasses
import json
from dataclasses import dataclass

from grader.sandbox.limits import Limits


@dataclass(frozen=True)
class Settings:
    """`main` is what a child runs, `modules` what is imported beforehand.

    `keep` names folders that a child's private folder must not hide. `user` is whom root becomes, None for all others.
    Unless `confined`, nothing holds a child back.
    """

    limits: Limits
    main: str
    modules: tuple[str, ...]
    keep: tuple[str, ...] = ()
    user: int | None = None
    confined: bool = True

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Settings":
        fields = json.loads(text)
        return cls(**{**fields, "limits": Limits.from_json(fields["limits"])})
