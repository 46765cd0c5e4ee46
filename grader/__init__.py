"""Instructor side: reference solutions, hidden cases, known mistakes, building and grading."""
