"""What the chapters import: data, training, plots, widgets and checks.

Names are loaded when they are first used, so that `import labutils` stays quick and needs neither torch nor matplotlib.
"""

from importlib import import_module

_HOME_OF = {
    "at_scale": "labutils.scaling",
    "at_work": "labutils.checks.showing",
    "check": "labutils.checks",
    "hint": "labutils.checks",
    "progress": "labutils.checks",
    "solution": "labutils.checks",
    "claim": "labutils.claims",
    "device": "labutils.devices",
    "train": "labutils.training",
    "grid": "labutils.sweeps",
    "sweep": "labutils.sweeps",
}
_MODULES = ("data", "plots", "surfaces", "widgets")

__all__ = sorted([*_HOME_OF, *_MODULES])


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"labutils.{name}")
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'labutils' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
