"""What the exercises of chapter 3 share."""

from grader.exercise import SINGLE_PRECISION, Chapter  # noqa: F401  (for the exercises)

chapter = Chapter("generalization", folder="03_generalization")
