"""A class through `nbgrader autograde` as it comes and through ours, with equal scores for every exercise of everybody.

The class is graded in rounds, in each round once in each way, from a course folder in which nothing is graded yet. As
nbgrader takes so long as it comes, it gets another part of the class in each round; the others get the whole class each
time, but for one part with its demonstrations, at the end. Times are of whole commands, start-up included. All
notebooks compute with one thread, which suits them best.

What a submission costs is processor time, of all processes together: what the whole class takes beyond two of its
students, so that start-up is left out, and beyond the student's own code. That is the same cells and the same calls of
functions, without a verdict, one notebook after the other in one warm process.
"""

import contextlib
import io
import multiprocessing
import os
import random
import resource
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from benchmarks import Figure

WORKERS = 2
OURS = ("grader", "autograde", "--workers", str(WORKERS))
NBGRADER = ("nbgrader", "autograde")
AS_IT_COMES = 'c = get_config()\nc.CourseDirectory.course_id = "training_lab"\n'
DEMONSTRATIONS = "\nc.ExecuteExercises.demonstrations = True\n"
ALL_CELLS = "2 workers, demonstrations too"
BUDGET = 0.15
"""Seconds of processor time that a submission may cost beyond the student's own code."""
FEW = 2
END_OF_OUTPUT = 3000

Answers = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Graded:
    """What a command came to: the score of each check cell by student, and the seconds that it took."""

    scores: dict[str, dict[str, float]]
    seconds: float
    cpu_seconds: float


def run(students: int = 30, rounds: int = 3) -> Iterator[Figure]:
    from grader.texts import pages

    (page,) = pages(("learning_rate",))
    answers = the_class(page, students)
    with TemporaryDirectory() as home:
        course = Course(Path(home), page, answers)
        done = _in_rounds(course, list(answers), rounds)
        _demand_equal_scores(done)
        stock = sum(one.seconds for one in done["stock"]) / students
        for way, target in (("2 workers", 25), ("nbgrader autograde", 10), (ALL_CELLS, None)):
            ours = sum(one.seconds for one in done[way]) / sum(len(one.scores) for one in done[way])
            _say(f"{way}: {ours:.2f} s for each submission, stock nbgrader {stock:.2f} s")
            yield Figure(f"chapter 1 graded, {way}", stock / ours, target, "stock nbgrader autograde")
        yield _cost(course, list(answers), done)


def the_class(page: Any, students: int) -> dict[str, dict[str, str]]:
    """By student and exercise, what was written into a function: right, wrong in a known way, or nothing at all."""
    from grader.exercise import body_of

    draw = random.Random(0)
    right = {name: body_of(stub.exercise.reference_function) for name, stub in page.stubs.items()}
    answers = [right, {}]
    while len(answers) < students:
        drawn = {}
        for name, stub in page.stubs.items():
            known = [*stub.exercise.alternatives, *(mistake.function for mistake in stub.exercise.mistakes)]
            drawn[name] = draw.choice([right[name], *map(body_of, known), None])
        answers.append({name: body for name, body in drawn.items() if body is not None})
    return {f"student{number:02}": one for number, one in enumerate(answers, start=1)}


class Course:
    """A course with its assignment generated. Each command gets a copy of it, and what some students handed in."""

    def __init__(self, home: Path, page: Any, answers: Answers) -> None:
        from grader.build import SOURCE, write_source

        self._home = home
        self._page = page
        self._answers = answers
        self._assignment = page.chapter.folder
        self._configuration = (SOURCE.parent / "nbgrader_config.py").read_text(encoding="utf-8")
        self._generated = home / "generated"
        write_source(page, self._generated / "source")
        (self._generated / "nbgrader_config.py").write_text(self._configuration, encoding="utf-8")
        self._run(("nbgrader", "generate_assignment"), self._generated)

    def stock(self, students: list[str]) -> Graded:
        """By nbgrader as it comes; in the notebooks, `check` knows the hidden cases."""
        return self._graded(NBGRADER, students, AS_IT_COMES, LABUTILS_JUDGE="instructor")

    def ours(self, command: tuple[str, ...], students: list[str], more: str = "") -> Graded:
        """By our configuration, and what is written below it."""
        return self._graded(command, students, self._configuration + more)

    def notebook(self, student: str) -> Any:
        """What a student handed in."""
        import nbformat

        notebook = nbformat.read(self._generated / "release" / self._assignment / self._page.notebook.name, 4)
        for cell in notebook.cells:
            if cell.id in self._answers[student]:
                cell.source = self._page.stubs[cell.id].with_body(self._answers[student][cell.id])
        return notebook

    def _graded(self, command: tuple[str, ...], students: list[str], configuration: str, **variables: str) -> Graded:
        import nbformat

        folder = self._home / "course"
        shutil.copytree(self._generated, folder)
        (folder / "nbgrader_config.py").write_text(configuration, encoding="utf-8")
        for student in students:
            submitted = folder / "submitted" / student / self._assignment
            submitted.mkdir(parents=True)
            nbformat.write(self.notebook(student), submitted / self._page.notebook.name)
        began, cpu_before = perf_counter(), _cpu_of_children()
        self._run(command, folder, **variables)
        spent, cpu = perf_counter() - began, _cpu_of_children() - cpu_before
        scores = {student: self._scores(folder, student) for student in students}
        shutil.rmtree(folder)
        return Graded(scores, spent, cpu)

    def _run(self, command: tuple[str, ...], folder: Path, **variables: str) -> None:
        ours = {
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]),  # nbgrader calls alembic
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "OMP_NUM_THREADS": "1",
            "LABUTILS_PROGRESS": "",
            "JUPYTER_CONFIG_DIR": str(self._home / "settings"),
        }
        done = subprocess.run(
            [sys.executable, "-m", *command, self._assignment],
            cwd=folder,
            env=os.environ | ours | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stdout[-END_OF_OUTPUT:]}")

    def _scores(self, folder: Path, student: str) -> dict[str, float]:
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
            found = gradebook.find_submission_notebook(self._page.name, self._assignment, student)
            return {grade.name: grade.score for grade in found.grades}


def _in_rounds(course: Course, students: list[str], rounds: int) -> dict[str, list[Graded]]:
    """What each way of grading came to in each round."""
    ours: dict[str, tuple] = {
        "2 workers": (OURS, students),
        "2 workers, a few": (OURS, students[:FEW]),
        "nbgrader autograde": (NBGRADER, students),
    }
    done: dict[str, list[Graded]] = {"stock": [], **{way: [] for way in ours}}
    for number in range(rounds):
        part = students[number::rounds]
        _say(f"round {number + 1} of {rounds}: stock nbgrader grades {len(part)} of {len(students)} submissions")
        done["stock"].append(course.stock(part))
        _say(f"  stock: {done['stock'][-1].seconds:.1f} s")
        for way, arguments in ours.items():
            done[way].append(course.ours(*arguments))
            _say(f"  {way}: {done[way][-1].seconds:.1f} s")
    done[ALL_CELLS] = [course.ours(OURS, students[::rounds], DEMONSTRATIONS)]
    return done


def _demand_equal_scores(done: dict[str, list[Graded]]) -> None:
    """Raise RuntimeError unless every command gave each student what stock nbgrader gave."""
    stock = {student: scores for one in done["stock"] for student, scores in one.scores.items()}
    for way, results in done.items():
        for one in results:
            for student, scores in one.scores.items():
                if scores != stock[student]:
                    raise RuntimeError(f"{way}: {student} got {scores}, and {stock[student]} by stock nbgrader")
    _say(f"{len(stock)} students, {sum(map(len, stock.values()))} exercises: all scores are equal")


def _cost(course: Course, students: list[str], done: dict[str, list[Graded]]) -> Figure:
    all_of_them, few = (mean(one.cpu_seconds for one in done[way]) for way in ("2 workers", "2 workers, a few"))
    spent = (all_of_them - few) / (len(students) - FEW)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        notebooks = [course.notebook(student) for student in students]
        own = mean(process.submit(bare_seconds, notebooks).result()[FEW:])
    _say(f"a submission costs {spent:.3f} s of processor time; the student's own code {own:.3f} s of it")
    return Figure(
        f"processor time beyond the student's own, {spent - own:.3f} s", BUDGET / (spent - own), 1, f"{BUDGET} s"
    )


def bare_seconds(notebooks: list[Any]) -> list[float]:
    """Processor time that the code of each notebook takes in this process, without what only shows something."""
    import matplotlib

    from labutils.checks.judging import appoint

    matplotlib.use("agg")
    appoint(_OnlyCalls())
    _bare_seconds(notebooks[0])  # imports
    return [_bare_seconds(notebook) for notebook in notebooks]


def _bare_seconds(notebook: Any) -> float:
    from labutils.notebooks import only_shows

    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not only_shows(cell)]
    namespace: dict[str, Any] = {}
    began = process_time()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        for source in sources:
            with contextlib.suppress(Exception):  # as in a notebook, the next cell is run all the same
                exec(compile(source, "cell", "exec"), namespace)
    return process_time() - began


class _OnlyCalls:
    """A judge that has all calls of a check made and judges nothing."""

    def exercises(self) -> Mapping[str, Any]:
        from grader.judge import ReferenceJudge

        return ReferenceJudge().exercises()

    def examine(self, exercise: str, trial: Any) -> Any:
        from labutils.checks.panels import Panel

        for case in self.exercises()[exercise].cases:
            trial(case.arguments)
        return Panel(exercise, ())


def _cpu_of_children() -> float:
    """Seconds that the processes which this one waited for have used, and those that they waited for in turn."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
