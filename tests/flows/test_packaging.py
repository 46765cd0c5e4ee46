"""What is installed: conda's list against pip's, and what the installed package carries."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "python-fastjsonschema": "fastjsonschema",
    "psycopg2": "psycopg2-binary",
}
ONLY_IN_CONDA = {"python", "pip"}


def requirements(lines):
    """Name to version bounds."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(CONDA_NAMES.get(one.name, one.name)): one.specifier for one in parsed}


def pip_requirements():
    lines = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
    return requirements(line for line in lines if not line.startswith(PROJECT["name"]))


def conda_requirements():
    entries = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    from_pip = next(entry["pip"] for entry in entries if isinstance(entry, dict))
    assert "-e ." in from_pip
    lines = [entry for entry in entries if isinstance(entry, str)] + [line for line in from_pip if line != "-e ."]
    return requirements(lines)


def test_conda_and_pip_install_the_same():
    conda = conda_requirements()
    assert conda.pop("python") == requirements([f"python{PROJECT['requires-python']}"])["python"]
    assert {name: bounds for name, bounds in conda.items() if name not in ONLY_IN_CONDA} == pip_requirements()


def test_what_stands_in_the_conda_list_alone_is_explained():
    for line in (ROOT / "environment.yml").read_text().splitlines():
        entry = re.match(r"\s*- ([\w.-]+)(?!:)\b", line)
        if entry and entry[1] in {*ONLY_IN_CONDA, *CONDA_NAMES, "-e"}:
            assert "#" in line, f"{line.strip()} lacks its explanation"


def test_torch_is_held_to_a_range_around_2_13():
    bounds = pip_requirements()["torch"]
    assert Version("2.13.0") in bounds
    assert Version("2.14.0") not in bounds


def test_a_wheel_carries_every_file_that_labutils_reads(tmp_path):
    """The sheets, scripts and recorded runs are data: a pattern too narrow would leave them out, in silence."""
    source = tmp_path / "source"
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--quiet", "--target", str(tmp_path / "installed")]
    subprocess.run([*pip, str(source)], check=True)
    expected = {path.relative_to(source) for path in (source / "labutils").rglob("*") if path.is_file()}
    installed = {path.relative_to(tmp_path / "installed") for path in (tmp_path / "installed").rglob("*")}
    assert expected - installed == set()


def test_lab_py_needs_the_standard_library_alone():
    for name in ("lab.py", "labutils/handout.py", "labutils/files.py"):
        tree = ast.parse((ROOT / name).read_text())
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        foreign = {module for module in modules if module.split(".")[0] not in sys.stdlib_module_names}
        assert foreign <= {"labutils.handout", "labutils.files"}, f"{name} imports {foreign}"


def test_an_old_python_is_told_which_one_it_needs():
    """The file has to be read by the old Python before it can say so: its grammar is that of Python 3.6."""
    source = (ROOT / "lab.py").read_text()
    ast.parse(source, feature_version=(3, 6))
    pretend = "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); runpy.run_path('lab.py')"
    ended = subprocess.run([sys.executable, "-c", pretend], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "The Training Lab needs Python 3.11 or newer, and this is 3.9: use a newer one.\n"
