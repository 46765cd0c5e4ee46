"""Workers: every job is done once, few are in hand, and one that ends its worker takes no other with it."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys

import psutil
import pytest

from grader.crews import JOBS_IN_HAND, MOST_TRIES, WorkerLost, dask_crew, local_crew
from grader.errors import CourseError
from tests.flows.classroom import wait_until
from tests.grader.jobs import (
    LONG,
    dies,
    dies_the_first_time,
    fails,
    how_python_takes_a_ctrl_c,
    process,
    sleeps,
    squared,
)


@pytest.mark.parametrize("workers", [1, 3])
def test_every_job_is_done_once(workers):
    jobs = [random.Random(workers).randrange(1000) for _ in range(40)]
    with local_crew(workers) as crew:
        done = [(job, future.result()) for job, future in crew.results(squared, jobs)]
    assert sorted(done) == sorted((job, job**2) for job in jobs)


def test_no_jobs_are_done_at_once():
    with local_crew(1) as crew:
        assert list(crew.results(squared, [])) == []


def test_an_error_of_one_job_is_its_own():
    with local_crew(2) as crew:
        errors = {job: future.exception() for job, future in crew.results(fails, range(5))}
    assert {job: str(error) for job, error in errors.items()} == {job: f"{job} is no good" for job in range(5)}


def test_few_jobs_are_in_hand():
    taken = []

    def jobs():
        for number in range(30):
            taken.append(number)
            yield number

    with local_crew(2) as crew:
        for done, _ in enumerate(crew.results(squared, jobs()), start=1):
            assert len(taken) <= done + 2 * JOBS_IN_HAND


@pytest.mark.parametrize("seed", range(2))
def test_jobs_that_end_their_worker_take_no_other_with_them(seed):
    draw = random.Random(seed)
    jobs = [*range(1, 20), -1, -2]
    draw.shuffle(jobs)
    with local_crew(2) as crew:
        found = {job: future for job, future in crew.results(dies, jobs)}
    assert {job: future.result() for job, future in found.items() if job > 0} == {job: job for job in range(1, 20)}
    for job in (-1, -2):
        with pytest.raises(WorkerLost, match=f"ended {MOST_TRIES} times"):
            found[job].result()


def test_a_job_whose_worker_was_killed_once_is_done(tmp_path):
    with local_crew(1) as crew:
        ((_, future),) = crew.results(dies_the_first_time, [str(tmp_path / "tried")])
    assert future.result() == str(tmp_path / "tried")


def test_nothing_is_waited_for_after_an_error():
    with pytest.raises(KeyboardInterrupt), local_crew(2) as crew:
        for job, _ in crew.results(sleeps, [0, LONG, LONG, LONG]):
            assert job == 0
            raise KeyboardInterrupt
    assert multiprocessing.active_children() == []


def test_workers_leave_a_ctrl_c_to_their_parent_and_what_they_start_does_not():
    with local_crew(1) as crew:
        ((_, worker),) = crew.results(process, [0])
        os.kill(worker.result(), signal.SIGINT)
        ((_, handler),) = crew.results(how_python_takes_a_ctrl_c, [0])
        assert [future.result() for _, future in crew.results(process, [0])] == [worker.result()]
    assert handler.result() == "default_int_handler"


def test_workers_end_with_their_parent():
    words = "from tests.grader import jobs; jobs.crew_that_sleeps()"
    with subprocess.Popen([sys.executable, "-c", words]) as parent:
        workers = wait_until(lambda: len(found := psutil.Process(parent.pid).children()) == 3 and found)
        parent.kill()
    wait_until(lambda: all(map(_has_ended, workers)))


def _has_ended(process: psutil.Process) -> bool:
    """Tell so of one that nobody has waited for, too."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    pytest.importorskip("distributed", reason="distributed is not installed: install dask[distributed] to test Dask")
    monkeypatch.setattr("grader.crews.SECONDS_FOR_A_SCHEDULER", 1)
    with pytest.raises(CourseError, match=r"tcp://127.0.0.1:9; it was tried for 1 s"), dask_crew("tcp://127.0.0.1:9"):
        pass


@pytest.mark.parametrize("address", ["nonsense://127.0.0.1:1", "127.0.0.1:port", "", "no such host:1"])
def test_an_address_that_is_none_is_named(address, monkeypatch):
    pytest.importorskip("distributed", reason="distributed is not installed: install dask[distributed] to test Dask")
    monkeypatch.setattr("grader.crews.SECONDS_FOR_A_SCHEDULER", 1)
    with pytest.raises(CourseError, match=f"answers at {address}"), dask_crew(address):
        pass
