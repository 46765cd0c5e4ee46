"""The course in nbgrader: work in this folder, after `python -m grader source` has written `source/`.

    nbgrader generate_assignment 01_learning_rate     release/: the chapter as students get it
    nbgrader zip_collect 01_learning_rate             submitted/: from what lies in downloaded/01_learning_rate/archive
    nbgrader autograde 01_learning_rate               autograded/ and gradebook.db
    nbgrader generate_feedback 01_learning_rate       feedback/
    nbgrader export                                   grades.csv

Formgrader, started by `jupyter lab` in this folder, reads the same settings.
"""

from pathlib import Path

from grader.autograding import configure

c = get_config()  # noqa: F821, nbgrader provides it

c.CourseDirectory.course_id = "training_lab"
c.CourseDirectory.root = str(Path(__file__).resolve().parent)

# What stands in place of a solution, as the chapters have it.
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}

# Submissions are put in order, run in a sandbox, and judged from outside of it.
configure(c)

# `check` stops a function after 10 s. This is for whatever else a student may have left running, per cell.
c.Execute.timeout = 60

# Files to collect are named `student_notebook.ipynb`. For what your own platform makes of names, change this line.
c.FileNameCollectorPlugin.named_regexp = r".*[/\\](?P<student_id>[^_/\\]+)_(?P<file_id>\w+)"
