"""Exercises of chapter 3, generalization: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.generalization.generalization_gap
import grader.exercises.generalization.kfold_indices
import grader.exercises.generalization.select_by_validation
import grader.exercises.generalization.walk_forward_splits
import grader.exercises.generalization.bias_variance
import grader.exercises.generalization.bootstrap_interval
import grader.exercises.generalization.bagged_vote
import grader.exercises.generalization.adaboost_round
import grader.exercises.generalization.average_probabilities
import grader.exercises.generalization.polyak_average

from grader.exercises.generalization.common import chapter
