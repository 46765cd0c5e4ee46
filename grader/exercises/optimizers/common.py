"""What the exercises of chapter 4 share."""

from grader.exercise import Chapter
from labutils.checks.comparing import Tolerance

chapter = Chapter("optimizers", folder="04_optimizers")

# Wide enough for an answer that is computed in float32.
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)
