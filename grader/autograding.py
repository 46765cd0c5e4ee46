"""Steps of autograding as our chapters need them; `grader/course/nbgrader_config.py` puts them in nbgrader's lists."""

import os
from contextlib import AbstractContextManager
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearOutput, Execute

from grader.running import ONE_THREAD
from labutils.checks.judging import JUDGE_VARIABLE
from labutils.notebooks import only_shows


class ExecuteExercises(Execute):
    """Runs a submission with the instructor's judge, and leaves out the cells that only show something."""

    def setup_kernel(self, **kwargs: Any) -> AbstractContextManager:
        return super().setup_kernel(env={**os.environ, **ONE_THREAD, JUDGE_VARIABLE: "instructor"}, **kwargs)

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        if only_shows(cell):
            return cell, resources
        return super().preprocess_cell(cell, resources, index)


class ClearExerciseOutput(ClearOutput):
    """Clears what a student handed in as output, but for the cells that are not run again."""

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> tuple[NotebookNode, dict]:
        if only_shows(cell):
            return cell, resources
        return super().preprocess_cell(cell, resources, index)
