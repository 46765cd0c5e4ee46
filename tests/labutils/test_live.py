"""The live figure: what its frames hold, how small they are kept, and errors that help."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labutils.widgets import Bars, Line, LiveFigure, Panel, Points, Rule
from labutils.widgets.live import LARGEST_DATA

PANEL = Panel("Values", x_label="x (m)", y_label="y (s)", x=(-1, 1), y=(0, 10))
DECADES = Panel("Decades", x_label="x (m)", y_label="y (s)", x=(0, 3), y=(-2, 1), log_y=True)


def figure(frame, **options):
    given = {"controls": {"n": [1, 2]}, "panels": {"values": PANEL}, "describe": "Sliders: n from 1 to 2"}
    return LiveFigure(frame, **given | options)


def frames_of(figure):
    """What the browser makes of the packed frames: sentences, and by panel the marks with levels as numbers."""
    header, _, body = zlib.decompress(figure._frames).partition(b"\n")
    lengths, frames = json.loads(header)
    differences = np.frombuffer(body, np.uint8).reshape(2, -1)
    levels = np.cumsum(differences[0] + 256 * differences[1].astype(np.uint32)) % 65536
    arrays = np.split(levels, np.cumsum(lengths)[:-1])

    def numbers(place, limits):
        shares = 3 * arrays[place] / 65534 - 1
        return np.where(arrays[place] == 65535, np.nan, limits[0] + shares * (limits[1] - limits[0]))

    return [
        (
            sentence,
            [
                [
                    (kind, panel["legend"][label], numbers(x, panel["x"]), numbers(y, panel["y"]))
                    for kind, label, x, y in marks
                ]
                for panel, marks in zip(figure._panels, drawn)
            ],
        )
        for sentence, drawn in frames
    ]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_every_frame_arrives_to_less_than_a_pixel(seed, count):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1, 1, (2, count)), rng.uniform(0, 10, (2, count))
    made = figure(lambda n: ({"values": {"line": Line(x[n - 1], y[n - 1])}}, f"n is {n}"))
    for n, (sentence, [[(kind, label, got_x, got_y)]]) in enumerate(frames_of(made)):
        assert (sentence, kind, label) == (f"n is {n + 1}", "line", "line")
        np.testing.assert_allclose(got_x, x[n], atol=2 / 20_000)
        np.testing.assert_allclose(got_y, y[n], atol=10 / 20_000)


def test_gaps_and_what_lies_outside():
    made = figure(lambda n: ({"values": {"line": Line([-9, 0, 1], [5, np.nan, np.inf])}}, "three points"))
    _, [[(_, _, x, y)]] = frames_of(made)[0]
    np.testing.assert_allclose(x, [-3, 0, 1], atol=1e-4)  # one width to the left of the axis
    np.testing.assert_allclose(y, [5, np.nan, 20], atol=1e-3)


def test_a_logarithmic_axis_holds_exponents():
    marks = {"bars": Bars([0, 1, 2], [0.1, 0]), "line": Line([0, 1], [10, -1]), "here": Rule(2)}
    made = figure(lambda n: ({"decades": marks}, "a frame"), panels={"decades": DECADES})
    (_, _, edges, heights), (_, _, _, line), (kind, _, place, nothing) = frames_of(made)[0][1][0]
    np.testing.assert_allclose(edges, [0, 1, 2], atol=1e-3)
    np.testing.assert_allclose(heights, [-1, -5], atol=1e-3)  # below the picture
    np.testing.assert_allclose(line, [1, np.nan], atol=1e-3)
    assert kind == "rule" and len(nothing) == 0
    np.testing.assert_allclose(place, 2, atol=1e-3)


def test_a_label_keeps_its_place_in_the_legend_and_an_array_is_kept_once():
    shared = np.linspace(0, 1, 200)

    def frame(n):
        marks = {"all": Line(shared, shared)} | ({"second": Points([0.5], [n])} if n == 2 else {})
        return {"values": dict(reversed(marks.items()))}, "a frame"

    made = figure(frame, controls={"n": range(1, 40)})
    assert made._panels[0]["legend"] == ["all", "second"]
    lengths, _ = json.loads(zlib.decompress(made._frames).partition(b"\n")[0])
    assert sum(lengths) < 500


def test_it_begins_where_it_is_told_and_follows_what_is_moved():
    controls = {"n": [1, 2, 3], "kind": ["flat", "steep"]}
    calls = []

    def frame(n, kind):
        calls.append((n, kind))
        return {"values": {kind: Line([0, 1], [0, n])}}, f"{kind} {n}"

    made = figure(frame, controls=controls, start={"kind": "steep", "n": 2})
    assert calls == [(n, kind) for n in (1, 2, 3) for kind in ("flat", "steep")]
    assert made.chosen == {"n": 2, "kind": "steep"}
    assert made.still().get_suptitle() == "steep 2"
    assert [name for name, *_ in figure(one_line, controls={"batch_size": [1, 2]})._controls] == ["batch size"]
    made._places = [2, 0]
    assert made.chosen == {"n": 3, "kind": "flat"}
    assert made.still().get_suptitle() == "flat 3"


def test_picture_and_text_for_a_viewer_without_a_kernel():
    marks = {"bars": Bars([0, 1], [3]), "points": Points([0], [1]), "line": Line([0, 1], [1, 2]), "rule": Rule(0.5)}
    data, _ = figure(lambda n: ({"values": marks}, "all marks"))._repr_mimebundle_()
    picture = re.fullmatch(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]+)".*>', data["text/html"])
    assert base64.b64decode(picture[1]).startswith(b"\x89PNG")
    assert picture[2] == data["text/plain"] == "Sliders: n from 1 to 2"


def one_line(**_):
    return {"values": {"line": Line([0, 1], [0, 1])}}, "a line"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: figure(one_line, controls={}), "needs panels and controls with values"),
        (lambda: figure(one_line, controls={"n": []}), "needs panels and controls with values"),
        (lambda: figure(one_line, start={"n": 7}), "start has n=7, which is none of its values: 1, 2"),
        (lambda: figure(one_line, start={"m": 7}), "start names m; the controls are n"),
        (lambda: figure(one_line, panels={"other": PANEL}), "a frame draws on values; the panels are other"),
        (
            lambda: figure(lambda n: ({"values": {"bars": Bars([0, 1], [1, 2])}}, "")),
            r"Bars 'bars' has arrays of shape \(2,\) and \(2,\)",
        ),
        (
            lambda: figure(lambda n: ({"values": {"line": Line([0, 1], [1])}}, "")),
            r"Line 'line' has arrays of shape \(2,\) and \(1,\)",
        ),
    ],
)
def test_what_does_not_fit_together_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_frames_that_would_fill_the_notebook_are_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=f"of at most {LARGEST_DATA}: take fewer values"):
        figure(lambda n: ({"values": {"noise": Line(rng.uniform(size=9000), rng.uniform(size=9000))}}, ""))
