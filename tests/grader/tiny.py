"""A chapter with one small exercise, sound in every respect, for tests that break it."""

from pathlib import Path

import numpy as np

from grader.exercise import Chapter, Exercise
from grader.texts import Page

TEXT = '''\
---
kernelspec:
  display_name: Python 3
  language: python
  name: python3
lab:
  title: Tiny
---

# Tiny

```{code-cell} ipython3
:tags: [setup]

import numpy as np

from labutils import check
```

```{code-cell} ipython3
:tags: [exercise]

def running_sum(values):
    """Return the sums of the first 1, 2, … entries of `values`.

    >>> running_sum(np.array([1, 2, 3]))
    array([1, 3, 6])
    """
    # YOUR CODE HERE
    raise NotImplementedError
```

```{code-cell} ipython3
:tags: [check]

check(running_sum)
```
'''


def exercise() -> Exercise:
    """A fresh `running_sum`, to be broken by whoever asked for it."""
    chapter = Chapter("tiny", folder="01_tiny")
    exercise = chapter.exercise(
        "running_sum",
        points=2,
        aspects={"some values": 1, "any length": 1},
        hints=("Add them up.", "`np.cumsum` does it."),
    )

    @exercise.reference
    def running_sum(values):
        return np.cumsum(values)

    @exercise.alternative
    def in_a_loop(values):
        sums, total = [], 0.0
        for value in values:
            total += value
            sums.append(total)
        return np.array(sums)

    exercise.case("some values", values=np.array([2.0, 3.0, 5.0]))
    exercise.case("any length", values=np.array([1.0, -1.0, 4.0, 4.0, 0.5]))

    @exercise.hidden("some values", count=2)
    def three(rng):
        return {"values": rng.normal(size=3)}

    @exercise.hidden("any length", count=3)
    def any_length(rng):
        return {"values": rng.normal(size=rng.integers(2, 30))}

    @exercise.mistake("Your sums start anew with each entry. Keep adding to the one before.")
    def doubles(values):
        return 2 * values

    @exercise.mistake("Your result is one number: the last sum. The others are asked for as well.")
    def only_the_last(values):
        return np.sum(values)

    exercise.slip("You multiply where you should add.", name="multiplies", right="cumsum", wrong="cumprod")

    return exercise


def page(folder: Path, text: str = TEXT, *exercises: Exercise) -> Page:
    """A page with this text in `folder`, and a chapter of these exercises, or of `running_sum` alone."""
    chapter = Chapter("tiny", folder="01_tiny", exercises={one.name: one for one in exercises or [exercise()]})
    path = folder / "tiny.md"
    path.write_text(text, encoding="utf-8")
    return Page(path, chapter)
