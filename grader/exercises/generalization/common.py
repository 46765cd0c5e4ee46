"""What the exercises of chapter 3 share."""

from grader.exercise import Chapter
from labutils.checks.comparing import Tolerance

chapter = Chapter("generalization", folder="03_generalization")

# Wide enough for an answer that is computed in float32.
SINGLE_PRECISION = Tolerance(relative=1e-5, absolute=1e-6)
