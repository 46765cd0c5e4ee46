"""What all tests share: no progress is recorded, hypothesis is settled, and a summary by folder ends every run."""

import os
from collections import Counter, defaultdict

import pytest
from hypothesis import settings

os.environ["LABUTILS_PROGRESS"] = ""  # the tests solve exercises, which the person at the keyboard has not

settings.load_profile("ci")  # hypothesis's own: the same examples in every run, and no deadline for a busy machine


@pytest.fixture(scope="session")
def sandboxed():
    """For tests that grade: submissions are run in a sandbox, which needs Linux and bubblewrap."""
    from grader.sandbox.launching import Sandbox, SandboxUnavailable
    from grader.sandbox.limits import DEFAULTS

    try:
        Sandbox(DEFAULTS).close()
    except SandboxUnavailable as error:
        pytest.fail(str(error)) if os.environ.get("CI") else pytest.skip(str(error))


@pytest.fixture(scope="module")
def chromium():
    """A browser, closed when its module's tests are done: Playwright's event loop would be in the way of others."""
    from benchmarks import _jupyterlab

    if _jupyterlab.CHROMIUM is None:
        reason = "no Chromium on this machine: install the package chromium to run the browser tests"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with _jupyterlab.chromium() as browser:
        yield browser


def pytest_terminal_summary(terminalreporter):
    """Say what passed, failed and was skipped in each folder, how long it took, and how to run a failed test again."""
    outcomes, seconds = defaultdict(Counter), Counter()
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            folder = report.nodeid.split("::")[0].rpartition("/")[0] or "."
            outcomes[folder][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                seconds[report.nodeid.split("::")[0].rpartition("/")[0] or "."] += report.duration
    if not outcomes:
        return
    terminalreporter.section("summary")
    terminalreporter.line(f"{'folder':<32}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for folder, counted in sorted(outcomes.items()):
        failed = counted["failed"] + counted["error"]
        row = f"{folder:<32}{counted['passed']:>8}{failed:>8}{counted['skipped']:>9}{seconds[folder]:>9.0f}"
        terminalreporter.line(row, red=failed > 0)
    failures = [report for outcome in ("failed", "error") for report in terminalreporter.stats.get(outcome, [])]
    if failures:
        file_or_test = failures[0].nodeid
        if ".ipynb::" in file_or_test:  # a cell needs the cells before it
            file_or_test = file_or_test.split("::")[0]
        terminalreporter.line(f'To run the first failure again: python3 lab.py test -n 0 "{file_or_test}"')
