"""nbgrader's gradebook, kept open, for who writes down a whole class.

nbgrader opens it anew for each step, asks for each grade by a query of its own, and commits after each cell. That takes
longer than all the rest of grading. Here a submission is one transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.api import Comment, Grade, Gradebook, MissingEntry, SubmittedAssignment, SubmittedNotebook
from sqlalchemy.orm import scoped_session, sessionmaker


class OpenGradebook(Gradebook):
    """A gradebook for many transactions; nothing is to be read or written outside of them."""

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is committed at its end, whenever nbgrader's methods commit."""
        with self.engine.begin() as connection:
            joined = sessionmaker(connection, join_transaction_mode="rollback_only", expire_on_commit=False)
            self.db = scoped_session(joined)
            self._found: dict[tuple[str, ...], _Cells] = {}
            try:
                yield
            finally:
                self.db.remove()

    def add_submission(self, assignment: str, student: str, **known: Any) -> SubmittedAssignment:
        with self.db.no_autoflush:  # nbgrader's method reads while its new submission is not yet in the session
            return super().add_submission(assignment, student, **known)

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Grade:
        return self._cells(notebook, assignment, student).grade(grade_cell)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Comment:
        return self._cells(notebook, assignment, student).comment(solution_cell)

    def _cells(self, *names: str) -> "_Cells":
        if names not in self._found:
            self._found[names] = _Cells(self.find_submission_notebook(*names))
        return self._found[names]


class _Cells:
    """The grades and comments of a submitted notebook by the names of their cells, all read at once."""

    def __init__(self, submitted: SubmittedNotebook) -> None:
        master = submitted.notebook
        names = {cell.id: cell.name for cell in [*master.grade_cells, *master.solution_cells, *master.task_cells]}
        self._grades = {names[grade.cell_id]: grade for grade in submitted.grades}
        self._comments = {names[comment.cell_id]: comment for comment in submitted.comments}

    def grade(self, name: str) -> Grade:
        if name not in self._grades:
            raise MissingEntry(f"No grade for the cell {name}")
        return self._grades[name]

    def comment(self, name: str) -> Comment:
        if name not in self._comments:
            raise MissingEntry(f"No comment for the cell {name}")
        return self._comments[name]
