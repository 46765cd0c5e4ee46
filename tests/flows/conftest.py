"""Classrooms for the journeys of the command that grades a class. Making an assignment takes a while, so it is copied."""

from collections.abc import Callable

import pytest

from tests.flows.classroom import Classroom, copy_of, generated_classroom
from tests.flows.test_course import Submission


@pytest.fixture(scope="session")
def generated(sandboxed, tmp_path_factory) -> Classroom:
    """A course in which nobody has handed in anything yet. To be copied, not to be used."""
    return generated_classroom(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def classroom_of(generated, tmp_path_factory) -> Callable[[dict[str, Submission]], Classroom]:
    """Makes a classroom in which these have handed in."""
    return lambda students: copy_of(generated, tmp_path_factory.mktemp("class"), students)
