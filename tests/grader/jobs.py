"""Jobs for workers. Apart from the tests, since each worker imports what its jobs stand in."""

import os
import signal
import subprocess
import sys
import time

LONG = 600  # seconds; nobody waits so long


def squared(number):
    return number**2


def fails(number):
    raise ValueError(f"{number} is no good")


def dies(number):
    if number < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return number


def dies_the_first_time(path):
    if not os.path.exists(path):
        open(path, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return path


def process(_):
    return os.getpid()


def sleeps(seconds):
    time.sleep(seconds)


def how_python_takes_a_ctrl_c(_):
    words = "import signal; print(signal.getsignal(signal.SIGINT).__name__)"
    return subprocess.run([sys.executable, "-c", words], capture_output=True, text=True).stdout.strip()


def crew_that_sleeps():
    from grader.crews import local_crew

    with local_crew(2) as crew:
        list(crew.results(sleeps, [LONG, LONG]))
