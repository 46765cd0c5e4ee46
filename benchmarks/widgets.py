"""From a key to new pixels in JupyterLab: playgrounds against `interact` with a redraw by matplotlib."""

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from benchmarks import Figure

DESCENT = """
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatLogSlider, interact
from labutils.surfaces import SURFACES

surface = SURFACES["ravine"]
x, y = np.meshgrid(np.linspace(*surface.x_range, 120), np.linspace(*surface.y_range, 80))
height = surface.loss(np.stack([x, y], axis=-1))
levels = height.max() * np.linspace(0, 1, 17) ** 2.5

@interact(learning_rate=FloatLogSlider(0.05, min=-3, max=0.5, step=0.005))
def descend(learning_rate):
    path = [np.array(surface.start)]
    for _ in range(60):
        path.append(path[-1] - learning_rate * surface.gradient(path[-1]))
    path = np.array(path)
    figure, (plane, curve) = plt.subplots(1, 2, width_ratios=(3, 2), figsize=(9, 3.6), layout="constrained")
    plane.contourf(x, y, height, levels, cmap="cividis")
    plane.contour(x, y, height, levels, colors="black", linewidths=0.5, alpha=0.3)
    plane.plot(*path.T, color="white", linewidth=4)
    plane.plot(*path.T, "o-", color="#bd1f01", markersize=4, markeredgecolor="white")
    plane.set(xlim=surface.x_range, ylim=surface.y_range, title="Ravine", xlabel="weight 1", ylabel="weight 2")
    curve.plot(surface.loss(path))
    curve.set(title="Loss", xlabel="step", ylabel="loss")
    plt.show()
"""
SCHEDULE = """
import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import FloatSlider, interact
from labutils.widgets.schedules import CURVATURES, noisy_step

@interact(learning_rate=FloatSlider(1, min=0.01, max=1.5, step=0.01))
def design(learning_rate):
    rates = learning_rate * (1 + np.cos(np.pi * np.arange(60) / 60)) / 2
    squares, losses = 2 / (3 * np.array(CURVATURES)), []
    for rate in rates:
        for _ in range(10):
            squares = noisy_step(squares, rate)
        losses.append(squares @ CURVATURES / 2)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    left.step(range(60), rates, where="post")
    left.set(title="Schedule", xlabel="epoch", ylabel="learning rate", ylim=0)
    right.semilogy(range(1, 61), losses)
    right.set(title="Loss", xlabel="epoch", ylabel="expected loss")
    plt.show()
"""
TARGETS = [  # picture and slider, ours and the baseline's
    (".lab canvas", ".lab input[aria-label^='learning rate']"),
    (".widget-interact img", ".widget-interact [role=slider]"),
]
PLAYGROUNDS = {
    "descent playground, 60 steps on contours": (
        "from labutils.widgets import DescentPlayground\nDescentPlayground('ravine', 0.05)",
        DESCENT,
    ),
    "schedule designer, cosine": (
        "from labutils.widgets import ScheduleDesigner\nScheduleDesigner('cosine')",
        SCHEDULE,
    ),
}
# Resolves to the milliseconds from the next key to the end of the first frame with another picture. What a frame shows
# is looked at in a task posted from it, which runs when it has been painted. A picture is the text of the playground's
# numbers (which its canvases are painted from, in the same frame), or the address of matplotlib's image once decoded.
WATCH = """selector => {
    const picture = () => {
        const shown = document.querySelector(selector);
        const playground = shown?.closest(".lab");
        if (playground) return JSON.stringify(playground.numbers);
        return shown?.complete && shown.naturalWidth && shown.src;
    };
    const before = picture();
    window.keyToPixel = new Promise((done, fail) => {
        let pressed;
        setTimeout(() => fail(new Error("no new picture 20 s after a key: " + selector)), 20_000);
        addEventListener("keydown", event => (pressed = event.timeStamp), { capture: true, once: true });
        const look = new MessageChannel();
        look.port1.onmessage = () => {
            const now = picture();
            if (pressed && now && now !== before) done(performance.now() - pressed);
            else requestAnimationFrame(() => look.port2.postMessage(null));
        };
        look.port2.postMessage(null);
    });
}"""


def run(pairs: int = 25) -> Iterator[Figure]:
    from tempfile import TemporaryDirectory

    from benchmarks._jupyterlab import Lab, chromium

    with TemporaryDirectory(ignore_cleanup_errors=True) as home, chromium() as browser:
        lab = Lab(Path(home))
        try:
            for number, (case, cells) in enumerate(PLAYGROUNDS.items()):
                with browser.new_page(viewport={"width": 1100, "height": 1100}) as page:
                    ours, baseline = _measure(page, lab.write(f"{number}.ipynb", *cells), pairs)
                print(f"{case}: {ours:.0f} ms, interact {baseline:.0f} ms (medians of {pairs})", file=sys.stderr)
                yield Figure(
                    f"key to pixels, {case}", baseline / ours, 10, "ipywidgets interact with a matplotlib redraw"
                )
        finally:
            lab.stop()


def _measure(page, address: str, pairs: int) -> tuple[float, float]:
    """Median milliseconds of the playground and of the baseline, a key for one and then for the other."""
    from benchmarks._jupyterlab import Notebook

    notebook = Notebook(page).open(address).run_all()
    notebook.widget()
    page.locator(TARGETS[1][0]).wait_for()
    before = _screenshots(page)
    for target in TARGETS:  # the first takes longer, and is not counted
        _key_to_pixel(page, *target)
    if any(old == new for old, new in zip(before, _screenshots(page), strict=True)):
        raise RuntimeError("a key would have been counted that leaves its picture as it was")
    rounds = [[_key_to_pixel(page, *target) for target in TARGETS] for _ in range(pairs)]
    return tuple(map(median, zip(*rounds, strict=True)))


def _screenshots(page) -> list[bytes]:
    return [page.locator(picture).first.screenshot() for picture, _ in TARGETS]


def _key_to_pixel(page, picture: str, slider: str) -> float:
    page.locator(slider).focus()
    page.evaluate(WATCH, picture)
    page.keyboard.press("ArrowRight")
    milliseconds = page.evaluate("window.keyToPixel")
    page.wait_for_timeout(150)  # what the kernel still does about this key is not counted with the next
    return milliseconds
