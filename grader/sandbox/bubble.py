"""The command line of bubblewrap: what a sandbox shows of the machine, and nothing else."""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib

import grader
import labutils
from grader.sandbox import confine

LAB = "/lab"
_MORE_MODULES = f"{LAB}/more"
_ROOT_FOLDERS = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Made by name, because bubblewrap makes what is missing for its own user alone.
_FOLDERS = ("/etc", "/sys", "/sys/devices", "/sys/devices/system", "/home")
_FILES = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/sys/devices/system/cpu",
)
_MADE = {
    "/etc/passwd": f"student:x:{confine.USER}:{confine.USER}::{confine.HOME}:/bin/sh\n",
    "/etc/group": f"student:x:{confine.USER}:\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
# Matplotlib looks through the machine's fonts for a second unless it finds its list of them.
_MATPLOTLIB = f"{confine.HOME}/.config/matplotlib"
_SETTINGS = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "TQDM_DISABLE": "1",
    "LABUTILS_PROGRESS": "",
    "NBGRADER_EXECUTION": "autograde",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
_ONCE_ROOT = ("CAP_SETUID", "CAP_SETGID", "CAP_SYS_ADMIN")


def environment(import_from: Path | None = None) -> dict[str, str]:
    """The variables in a sandbox: none of the grader's."""
    return {
        "PATH": os.pathsep.join([f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin"]),
        "PYTHONPATH": os.pathsep.join([LAB, *([_MORE_MODULES] if import_from else [])]),
        "HOME": confine.HOME,
        "IPYTHONDIR": f"{confine.HOME}/.ipython",
        "MPLCONFIGDIR": _MATPLOTLIB,
        **_SETTINGS,
    }


def bare_environment(import_from: Path | None = None) -> dict[str, str]:
    """The variables without a sandbox: the grader's, with the same settings."""
    paths = [Path(labutils.__file__).parents[1], *([import_from] if import_from else [])]
    return {**os.environ, **_SETTINGS, "PYTHONPATH": os.pathsep.join(map(str, paths))}


def command(
    program: str, as_root: bool, hidden: Iterable[Path], import_from: Path | None
) -> tuple[list[str], list[int]]:
    """The words before the command to run, and the open files that it needs."""
    made = {path: _file(text) for path, text in _MADE.items()}
    words = [
        program,
        *("--die-with-parent", "--new-session", "--hostname", "sandbox", "--cap-drop", "ALL"),
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *(_as_root() if as_root else ("--unshare-user", "--uid", str(confine.USER), "--gid", str(confine.USER))),
        *(word for folder in _FOLDERS for word in ("--perms", "0755", "--dir", folder)),
        *("--proc", "/proc", "--dev", "/dev", "--dir", confine.PRIVATE),
        *("--perms", "1777", "--tmpfs", "/tmp", "--perms", "1777", "--tmpfs", confine.HOME),
        *_system(),
        *(word for path, file in made.items() for word in ("--perms", "0444", "--ro-bind-data", str(file), path)),
        *_python(hidden),
        *_lab(import_from),
        *_fonts(),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", confine.HOME),
    ]
    return words, list(made.values())


def kept() -> tuple[str, ...]:
    """The folders of Python that a child must still see after it has mounted its private one."""
    return tuple(str(path) for path, shown in _views(()) if shown)


def _as_root() -> Iterator[str]:
    return (word for capability in _ONCE_ROOT for word in ("--cap-add", capability))


def _system() -> Iterator[str]:
    yield from ("--ro-bind", "/usr", "/usr")
    for path in map(Path, _ROOT_FOLDERS):
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.exists():
            yield from ("--ro-bind", str(path), str(path))
    for path in _FILES:
        yield from ("--ro-bind-try", path, path)


def _python(hidden: Iterable[Path]) -> Iterator[str]:
    for path, shown in _views(hidden):
        if shown:
            yield from _parents(path)
            yield from ("--ro-bind", str(path.resolve()), str(path))
        else:
            yield from ("--tmpfs", str(path), "--remount-ro", str(path))


def _parents(path: Path) -> Iterator[str]:
    """The folders above, open to the user whom root becomes."""
    return (word for parent in [*path.parents][-2::-1] for word in ("--perms", "0755", "--dir", str(parent)))


def _views(hidden: Iterable[Path]) -> list[tuple[Path, bool]]:
    """Python's folders to show, and what lies in them to hide: the checkout, this package, and `hidden`."""
    package = Path(grader.__file__).parent
    checkout = [package.parent] if (package.parent / "pyproject.toml").exists() else []
    wanted = dict.fromkeys([package, *checkout, *(path.absolute() for path in hidden)], False)
    wanted |= dict.fromkeys(_python_folders(), True)
    views: dict[Path, bool] = {Path("/usr"): True}
    for path in sorted(wanted, key=lambda path: path.parts):
        around = next((views[parent] for parent in path.parents if parent in views), False)
        if wanted[path] != around:
            views[path] = wanted[path]
    return list(views.items())[1:]


def _python_folders() -> set[Path]:
    names = {sys.prefix, sys.base_prefix, sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    if site.ENABLE_USER_SITE:
        names.add(site.getusersitepackages())
    named = {Path(name) for name in names if Path(name).is_dir()}
    return (named | {path.resolve() for path in named}) - {Path("/"), Path("/usr")}


def _lab(import_from: Path | None) -> Iterator[str]:
    package = Path(grader.__file__).parent
    yield from _parents(Path(f"{LAB}/grader/sandbox"))
    yield from ("--ro-bind", str(Path(labutils.__file__).parent), f"{LAB}/labutils")
    yield from ("--ro-bind", str(package / "__init__.py"), f"{LAB}/grader/__init__.py")
    yield from ("--ro-bind", str(package / "sandbox"), f"{LAB}/grader/sandbox")
    if import_from:
        yield from ("--ro-bind", str(import_from), _MORE_MODULES)


def _fonts() -> Iterator[str]:
    yield from ("--perms", "1777", "--dir", f"{confine.HOME}/.config", "--perms", "1777", "--dir", _MATPLOTLIB)
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        yield from ("--ro-bind", str(path), f"{_MATPLOTLIB}/{path.name}")


def _file(text: str) -> int:
    """The descriptor of a file that has no name."""
    file = os.memfd_create("made for the sandbox")
    os.write(file, text.encode())
    os.lseek(file, 0, os.SEEK_SET)
    return file
