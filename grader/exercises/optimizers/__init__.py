"""Exercises of chapter 4, optimizers: one module for each, imported in the order of the text."""

from grader.exercises.optimizers.common import chapter  # noqa: F401
