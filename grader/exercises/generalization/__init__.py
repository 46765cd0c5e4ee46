"""Exercises of chapter 3, generalization: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
from grader.exercises.generalization.common import chapter
