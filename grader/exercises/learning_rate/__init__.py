"""Exercises of chapter 1, learning rate: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.learning_rate.gradient_descent
import grader.exercises.learning_rate.largest_stable_rate
import grader.exercises.learning_rate.smooth
import grader.exercises.learning_rate.step_decay
import grader.exercises.learning_rate.cosine_decay
import grader.exercises.learning_rate.cosine_restarts
import grader.exercises.learning_rate.warmup_cosine
import grader.exercises.learning_rate.reduce_on_plateau
import grader.exercises.learning_rate.diagnose
import grader.exercises.learning_rate.update_ratio
import grader.exercises.learning_rate.suggest_rate

from grader.exercises.learning_rate.common import chapter
