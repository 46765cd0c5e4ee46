"""Exercises of chapter 2, preprocessing and initialization: one module for each, imported in the order of the text."""

# ruff: noqa: F401, I001
import grader.exercises.preprocessing.fit_standardizer
import grader.exercises.preprocessing.min_max
import grader.exercises.preprocessing.robust_scale
import grader.exercises.preprocessing.whiten
import grader.exercises.preprocessing.stratified_split
import grader.exercises.preprocessing.find_leak
import grader.exercises.preprocessing.running_moments
import grader.exercises.preprocessing.one_hot
import grader.exercises.preprocessing.encode_reviews
import grader.exercises.preprocessing.anomaly_score
import grader.exercises.preprocessing.choose_threshold
import grader.exercises.preprocessing.initial_std
import grader.exercises.preprocessing.softmax

from grader.exercises.preprocessing.common import chapter
