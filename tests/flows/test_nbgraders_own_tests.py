"""nbgrader's own tests, which come in its wheel, pass with our configuration wherever they pass without it.

To run one of them by hand, write CONFIGURATION into FOLDER/nbgrader_config.py, and

    PYTHONPATH=tests/flows JUPYTER_CONFIG_DIR=FOLDER python -m pytest -p nbgrader_plugin --pyargs NAME
"""

import getpass
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import nbgrader

from grader.texts import ROOT

CONFIGURATION = "from grader.autograding import configure\nconfigure(get_config())\n"
MODULES = (
    "nbgrader.tests.apps.test_nbgrader_autograde",
    "nbgrader.tests.apps.test_nbgrader_generate_feedback",
    "nbgrader.tests.apps.test_nbgrader_releasefeedback",
    "nbgrader.tests.apps.test_nbgrader_fetchfeedback",
    "nbgrader.tests.apps.test_nbgrader_export",
    "nbgrader.tests.apps.test_nbgrader_validate",
    "nbgrader.tests.apps.test_nbgrader_update",
    "nbgrader.tests.apps.test_api",
    "nbgrader.tests.api.test_gradebook",
    "nbgrader.tests.api.test_models",
)
UPDATE = "nbgrader.tests.apps.test_nbgrader_update::TestNbGraderUpdate"
AUTOGRADE = "nbgrader.tests.apps.test_nbgrader_autograde::TestNbGraderAutograde"
EXCEPTIONS = {
    f"{AUTOGRADE}::test_side_effects": "It wants a file that a submission writes to appear in the course folder. What a "
    "submission writes stays in the sandbox and is gone with it.",
    f"{AUTOGRADE}::test_handle_failure": "It wants a submission with cells that the assignment does not have to be left "
    "without a score. It is graded, with a remark that says how many such cells there were.",
    f"{AUTOGRADE}::test_handle_failure_single_notebook": "The same, for one notebook of several.",
    f"{UPDATE}::test_update_autograde": "It wants a submission with the metadata of an old nbgrader to be left without a "
    "score until `nbgrader update` has run. It is graded at once.",
    f"{UPDATE}::test_update_autograde_old_assign": "The same, for an assignment that was made with the old one.",
}


def run(tests: Iterable[str], folder: Path, configuration: str) -> dict[str, str]:
    """Run tests of nbgrader's in a home with no other configuration; return "passed", "failed" or "skipped" by name."""
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text(configuration, encoding="utf-8")
    paths = os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))
    home = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder), "USER": getpass.getuser()}
    installed = Path(nbgrader.__file__).parents[1]  # so that a test's name is the same wherever that is
    words = ["-p", "nbgrader_plugin", "-p", "no:cacheprovider", f"--rootdir={installed}", "--junitxml=report.xml"]
    command = [sys.executable, "-m", "pytest", *words, "--pyargs", *tests]
    ended = subprocess.run(command, cwd=folder, env={**os.environ, **home, "PYTHONPATH": paths})
    assert ended.returncode in (0, 1), "pytest could not collect all the tests; what it said is above"
    return {name(case): outcome(case) for case in ElementTree.parse(folder / "report.xml").iter("testcase")}


def name(case: ElementTree.Element) -> str:
    """The words with which pytest runs this test."""
    path = case.get("classname")
    module = next(module for module in MODULES if f"{path}.".startswith(f"{module}."))
    return "::".join([module, *path.removeprefix(module).split(".")[1:], case.get("name")])


def outcome(case: ElementTree.Element) -> str:
    parts = {part.tag for part in case}
    return "failed" if parts & {"failure", "error"} else "skipped" if "skipped" in parts else "passed"


def with_outcome(wanted: str, outcomes: dict[str, str]) -> set[str]:
    return {test for test, found in outcomes.items() if found == wanted}


def test_what_passes_without_our_configuration_passes_with_it(sandboxed, tmp_path):
    ours = run(MODULES, tmp_path / "ours", CONFIGURATION)
    passed, failed = with_outcome("passed", ours), with_outcome("failed", ours)
    assert {test.split("::")[0] for test in passed} == set(MODULES)
    assert EXCEPTIONS.keys() - failed == set(), "these pass, or there are no such tests: take them out of EXCEPTIONS"
    stock = run(sorted(failed), tmp_path / "stock", "")
    assert with_outcome("passed", stock) == EXCEPTIONS.keys()
