"""Exercises of chapter 5, regularization: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.regularization.early_stopping
import grader.exercises.regularization.penalty_gradient
import grader.exercises.regularization.soft_threshold
import grader.exercises.regularization.max_norm
import grader.exercises.regularization.dropout
import grader.exercises.regularization.dropout_backward
import grader.exercises.regularization.random_shift_flip
import grader.exercises.regularization.smooth_labels
import grader.exercises.regularization.mixup
import grader.exercises.regularization.cutmix
import grader.exercises.regularization.batch_norm
import grader.exercises.regularization.batch_norm_backward
import grader.exercises.regularization.group_norm

from grader.exercises.regularization.common import chapter
