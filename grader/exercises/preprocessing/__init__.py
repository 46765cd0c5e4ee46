"""Exercises of chapter 2, preprocessing and initialization: one module for each, imported in the order of the text."""

from grader.exercises.preprocessing.common import chapter as chapter
