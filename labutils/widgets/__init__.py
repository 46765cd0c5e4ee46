"""What a chapter lets you drag: playgrounds that compute in the browser, and live figures fed by the kernel."""

from importlib import import_module

_HOME_OF = {
    "DescentPlayground": "labutils.widgets.descent",
    "ScheduleDesigner": "labutils.widgets.schedules",
    "CurveClinic": "labutils.widgets.clinic",
    "UpdateRatioPlot": "labutils.widgets.ratios",
    "OptimizerRace": "labutils.widgets.race",
    "KernelWalk": "labutils.widgets.kernel_walk",
    "Neighbours": "labutils.widgets.neighbours",
    **dict.fromkeys(["LiveFigure", "Panel", "Line", "Points", "Bars", "Rule"], "labutils.widgets.live"),
}

__all__ = list(_HOME_OF)


def __getattr__(name: str):
    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    raise AttributeError(f"module 'labutils.widgets' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
