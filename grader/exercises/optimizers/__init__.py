"""Exercises of chapter 4, optimizers: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.optimizers.minibatches
import grader.exercises.optimizers.momentum_step
import grader.exercises.optimizers.nesterov_step
import grader.exercises.optimizers.ewma
import grader.exercises.optimizers.adagrad_step
import grader.exercises.optimizers.rmsprop_step
import grader.exercises.optimizers.adadelta_step
import grader.exercises.optimizers.adam_step
import grader.exercises.optimizers.adamw_step
import grader.exercises.optimizers.sharpness

from grader.exercises.optimizers.common import chapter
