"""What is imported before notebooks are run. The one place that lists it."""

import pkgutil
from importlib.util import find_spec

import labutils

# torch._dynamo is what the first `torch.optim.Adam` of a process imports, in 1.6 s.
_LIBRARIES = (
    "torch",
    "torch._dynamo",
    "torch.utils.data",
    "torch.func",
    "numpy",
    "scipy",
    "scipy.signal",
    "scipy.stats",
    "sklearn.datasets",
    "sklearn.linear_model",
    "matplotlib.pyplot",
    "matplotlib.figure",
    "matplotlib.animation",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "IPython.core.interactiveshell",
    "IPython.core.completer",
    "IPython.display",
    "ipywidgets",
    "anywidget",
    "tqdm.auto",
    "safetensors.numpy",
    "safetensors.torch",
)
# What builds and hands out notebooks; no notebook imports it.
_NOT_IN_NOTEBOOKS = ("labutils.__main__", "labutils.handout", "labutils.notebooks", "labutils.widgets.make_clinic")


def modules() -> tuple[str, ...]:
    """Names of those that are installed; each must be importable inside the sandbox as well."""
    ours = (module.name for module in pkgutil.walk_packages(labutils.__path__, "labutils."))
    return tuple(name for name in (*_LIBRARIES, *ours) if name not in _NOT_IN_NOTEBOOKS and _is_installed(name))


def _is_installed(name: str) -> bool:
    return find_spec(name.partition(".")[0]) is not None
