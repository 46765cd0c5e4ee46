"""Exercises of chapter 7, transfer learning: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.transfer_learning.freeze_backbone
import grader.exercises.transfer_learning.replace_head
import grader.exercises.transfer_learning.extract_features
import grader.exercises.transfer_learning.linear_probe
import grader.exercises.transfer_learning.parameter_groups
import grader.exercises.transfer_learning.unfreeze_schedule
import grader.exercises.transfer_learning.choose_strategy
import grader.exercises.transfer_learning.nearest_neighbours
import grader.exercises.transfer_learning.load_matching

from grader.exercises.transfer_learning.common import chapter
