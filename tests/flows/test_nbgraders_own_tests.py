"""nbgrader's own tests, which come in its wheel, pass with our configuration wherever they pass without it.

To run one of their modules by hand, write CONFIGURATION into FOLDER/nbgrader_config.py, and

    JUPYTER_CONFIG_DIR=FOLDER python -m pytest --pyargs nbgrader.tests.apps.test_nbgrader_autograde
"""

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from grader.texts import ROOT

CONFIGURATION = "from grader.autograding import configure\nconfigure(get_config())\n"
APPS = "nbgrader.tests.apps"
MODULES = {  # and how many tests of it are not skipped by nbgrader itself
    f"{APPS}.test_nbgrader_autograde": 40,
    f"{APPS}.test_nbgrader_generate_feedback": 15,
    f"{APPS}.test_nbgrader_export": 2,
    f"{APPS}.test_nbgrader_validate": 20,
    f"{APPS}.test_api": 30,
    "nbgrader.tests.api.test_gradebook": 100,
    "nbgrader.tests.api.test_models": 100,
}
EXCEPTIONS = {}


def environment(folder: Path, configuration: str) -> dict[str, str]:
    """Variables with which nbgrader finds a configuration, in a home where there is no other."""
    (folder / "nbgrader_config.py").write_text(configuration, encoding="utf-8")
    paths = os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))
    return {**os.environ, "HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder), "PYTHONPATH": paths}


def failed(tests: Iterable[str], folder: Path, configuration: str) -> tuple[set[str], int]:
    """Run tests of nbgrader's; return the names of those that failed, and how many passed."""
    folder.mkdir()
    words = [sys.executable, "-m", "pytest", "-p", "nbgrader_once", "-p", "no:cacheprovider", "--junitxml=report.xml"]
    subprocess.run([*words, "--pyargs", *tests], cwd=folder, env=environment(folder, configuration), check=False)
    report = ElementTree.parse(folder / "report.xml")
    outcomes = {case.get("name"): {part.tag for part in case} for case in report.iter("testcase")}
    assert all(outcomes), "a module could not be collected; its error is above"
    bad = {name for name, parts in outcomes.items() if parts & {"failure", "error"}}
    return bad, sum(not parts & {"failure", "error", "skipped"} for parts in outcomes.values())
