"""Workers that grade side by side: processes of this machine, or of a Dask cluster. Both are executors of the standard
library's kind; a worker that dies takes nothing with it but its turn.
"""

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from typing import Any

from grader.errors import CourseError

MOST_TRIES = 3
SECONDS_FOR_A_SCHEDULER = 15
JOBS_IN_HAND = 2
"""For each worker: one that it does, and one that waits, so that no worker does."""

NO_SCHEDULER = "No Dask scheduler answers at {address}; it was tried for {seconds} s. The last answer: {reason}"
NO_DASK = "Dask is not installed here. Install it with: python -m pip install 'dask[distributed]'"
NO_WORKERS = "The Dask scheduler at {address} has no workers. Start some: dask worker {address}"
WORKER_LOST = "the worker that graded it ended {count} times"


class WorkerLost(Exception):
    """A job could not be done because its worker ended, again and again."""


@contextmanager
def local_crew(workers: int) -> Iterator["Crew"]:
    """Worker processes of this machine. They end with this process, however it ends."""
    crew = Crew(lambda: _pool(workers), workers)
    try:
        yield crew
    except BaseException:  # nobody takes what they are at, and it might take them long
        for worker in multiprocessing.active_children():
            worker.kill()
        raise
    finally:
        crew.executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def dask_crew(address: str) -> Iterator["Crew"]:
    """The workers of a Dask cluster. Raises CourseError where there is none."""
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise CourseError(NO_DASK) from error
    try:
        asyncio.run(_reach(address))
        client = Client(address, timeout=SECONDS_FOR_A_SCHEDULER, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise CourseError(
            NO_SCHEDULER.format(address=address, seconds=SECONDS_FOR_A_SCHEDULER, reason=reason)
        ) from error
    with client:
        threads = sum(client.nthreads().values())
        if threads == 0:
            raise CourseError(NO_WORKERS.format(address=address))
        crew = Crew(lambda: client.get_executor(pure=False), threads)
        try:
            yield crew
        finally:
            crew.executor.shutdown(wait=False)  # for Dask's executor: cancels what is not done


async def _reach(address: str) -> None:
    """Connect to a scheduler and part again. Raises OSError or ValueError where none answers.

    A Client that cannot connect is left half made, and when Python collects it, it waits for a lock that the next
    Client may be holding. So a Client is made only where there is a scheduler.
    """
    from distributed import Security
    from distributed.comm import connect

    comm = await connect(address, SECONDS_FOR_A_SCHEDULER, **Security().get_connection_args("client"))
    await comm.close()


class Crew:
    """Does jobs side by side. `hire` makes an executor; one that has broken is replaced."""

    def __init__(self, hire: Callable[[], Executor], workers: int) -> None:
        self._hire = hire
        self.executor = hire()
        self._workers = workers

    def results(self, work: Callable[[Any], Any], jobs: Iterable[Any]) -> Iterator[tuple[Any, Future]]:
        """Yield each job with its finished future, in the order in which they finish.

        Few jobs are in hand at a time, so that a large class need not be held in memory. Those in hand when a worker
        ends are done at last, one at a time: so one that ends its worker each time takes no other with it.
        """
        waiting = iter(jobs)
        in_hand: dict[Future, Any] = {}
        lost: list[Any] = []
        while True:
            for job in islice(waiting, JOBS_IN_HAND * self._workers - len(in_hand)):
                in_hand[self._submit(work, job)] = job
            if not in_hand:
                break
            done, _ = wait(in_hand, return_when=FIRST_COMPLETED)
            for future in done:
                job = in_hand.pop(future)
                if _lost_its_worker(future):
                    lost.append(job)
                else:
                    yield job, future
        for job in lost:
            yield job, self._alone(work, job)

    def _alone(self, work: Callable[[Any], Any], job: Any) -> Future:
        """Do a job that has lost its worker once, while nothing else is in hand."""
        for _ in range(MOST_TRIES - 1):
            future = self._submit(work, job)
            wait([future])
            if not _lost_its_worker(future):
                return future
        failed: Future = Future()
        failed.set_exception(WorkerLost(WORKER_LOST.format(count=MOST_TRIES)))
        return failed

    def _submit(self, work: Callable[[Any], Any], job: Any) -> Future:
        try:
            return self.executor.submit(work, job)
        except BrokenProcessPool:
            self.executor.shutdown(wait=True)
            self.executor = self._hire()
            return self.executor.submit(work, job)


def _pool(workers: int) -> Executor:
    spawn = multiprocessing.get_context("spawn")  # a fork would copy the gradebook's connection
    return ProcessPoolExecutor(workers, mp_context=spawn, initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Have a worker end when its parent has been killed; its executor alone would wait for work for ever.

    A Ctrl-C, which goes to all processes of a terminal, is for the parent.
    """

    def watch() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    signal.signal(signal.SIGINT, lambda *_: None)  # to ignore it would be inherited by what a worker starts


def _lost_its_worker(future: Future) -> bool:
    """Tell whether a job failed because its worker ended."""
    if future.cancelled():
        return True
    error = future.exception()
    return isinstance(error, BrokenProcessPool) or type(error).__name__ == "KilledWorker"
