"""The neighbours in JupyterLab: chosen by pointer and keyboard, compared with scikit-learn, painted as the images are."""

import numpy as np
import pytest
from playwright.sync_api import Locator, expect
from sklearn.neighbors import NearestNeighbors

from benchmarks._jupyterlab import Notebook, drawn
from labutils import data
from labutils.widgets import Neighbours
from tests.browser.anywhere import shown_anywhere

pytestmark = pytest.mark.browser

SHOW = """
from labutils import data
from labutils.widgets import Neighbours
x, y = (part[:60].numpy() for part in data.digits(images=True).train)
shown = Neighbours(x, {"pixels": x, "squares": x**4}, y)
shown
"""
X, Y = (part[:60].numpy() for part in data.digits(images=True).train)
SPACES = {"pixels": X.reshape(60, -1), "squares": X.reshape(60, -1) ** 4}


def reference(space: str) -> np.ndarray:
    """The numbers of five neighbours of every image."""
    model = NearestNeighbors(n_neighbors=6, metric="cosine").fit(SPACES[space])
    return model.kneighbors(SPACES[space], return_distance=False)[:, 1:]


def button(shown: Locator, image: int) -> Locator:
    return shown.get_by_role("button", name=f"image {image}, labelled {Y[image]}", exact=True)


def choose(shown: Locator, image: int) -> dict:
    button(shown, image).click()
    return drawn(shown)


@pytest.fixture(scope="module")
def opened(lab, chromium):
    """One notebook for the tests that need no fresh one; each sets what it looks at."""
    with chromium.new_page(viewport={"width": 1100, "height": 1000}) as page:
        yield Notebook(page).open(lab.write("neighbours.ipynb", SHOW)).run_all()


@pytest.fixture
def shown(opened):
    yield opened.widget()
    assert not opened.problems


def test_neighbours_are_those_of_scikit_learn_for_every_image(shown):
    expect(shown.get_by_role("button")).to_have_count(60)
    expected = {name: reference(name) for name in SPACES}
    for image in range(60):
        numbers = choose(shown, image)
        assert numbers["chosen"] == image
        for space in numbers["spaces"]:
            found = space["nearest"]
            assert [one["index"] for one in found] == expected[space["name"]][image].tolist()
            assert [one["agrees"] for one in found] == (Y[expected[space["name"]][image]] == Y[image]).tolist()
            rows = SPACES[space["name"]] / np.linalg.norm(SPACES[space["name"]], axis=1, keepdims=True)
            cosines = rows[expected[space["name"]][image]] @ rows[image]
            assert [one["similarity"] for one in found] == pytest.approx(cosines, abs=0.0051)


def test_labels_agreement_and_the_sentence_say_what_is_found(shown):
    choose(shown, 7)
    lists, agreeing = shown.get_by_role("list"), []
    for place, name in enumerate(SPACES):
        neighbours = reference(name)
        items = lists.nth(place).get_by_role("listitem")
        same = Y[neighbours[7]] == Y[7]
        words = [f"{'✓' if right else '✗'} {label}" for right, label in zip(same, Y[neighbours[7]])]
        assert items.locator("b").all_text_contents() == words
        styles = items.evaluate_all("items => items.map(item => getComputedStyle(item).borderTopStyle)")
        assert styles == ["solid" if right else "dashed" for right in same], "never told by colour alone"
        share = round(100 * (Y[neighbours] == Y[:, None]).mean())
        score = lists.nth(place).locator("xpath=preceding-sibling::span")
        expect(score).to_have_text(f"{same.sum()} of 5 with the same label; over all images: {share} %")
        agreeing.append(f"{name} {same.sum()} of 5")
    sentence = f"Image 7 is labelled {Y[7]}. Neighbours with the same label: {', '.join(agreeing)}."
    expect(shown.locator("p").first).to_have_text(sentence)
    expect(shown.get_by_role("status")).to_have_text(sentence)


# The mean of red, green and blue of every pixel of a canvas.
SHADES = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] + data[4 * i + 1] + data[4 * i + 2]) / 3);
}"""


def test_images_are_painted_as_they_are(shown):
    choose(shown, 3)
    first = reference("pixels")[3][0]
    for canvas, image in [
        (button(shown, 41).locator("canvas"), 41),
        (shown.get_by_role("listitem").first.locator("canvas"), first),
        (shown.locator("canvas").first, 3),
    ]:
        shades = np.array(canvas.evaluate(SHADES))
        ink = X[image].ravel()
        assert np.corrcoef(shades, ink)[0, 1] > 0.98
        assert shades[ink == 0].max() < shades[ink == 1].min()


def test_keyboard_reaches_every_image_and_the_kernel_hears_of_it(opened, shown):
    choose(shown, 0)
    for image in range(1, 60):
        opened.page.keyboard.press("Tab")
        expect(button(shown, image)).to_be_focused()
    opened.page.keyboard.press("Enter")
    opened.until("shown.chosen == 59")
    opened.page.keyboard.press("Shift+Tab")
    opened.page.keyboard.press("Space")
    opened.until("shown.chosen == 58")
    assert drawn(shown)["chosen"] == 58
    expect(button(shown, 58)).to_be_focused()
    expect(shown.locator('[aria-pressed="true"]')).to_have_count(1)
    expect(button(shown, 58)).to_have_attribute("aria-pressed", "true")
    neighbours = opened.value("{name: shown.neighbours(name).tolist() for name in ('pixels', 'squares')}")
    assert neighbours == {name: reference(name)[58].tolist() for name in SPACES}


def test_kernel_moves_the_picture(opened, shown):
    opened.start("shown.chosen = 33")
    expect(button(shown, 33)).to_have_attribute("aria-pressed", "true")
    assert drawn(shown)["chosen"] == 33


def test_axe_finds_nothing_in_either_theme(opened, shown):
    for theme in ("JupyterLab Dark", "JupyterLab Light"):
        opened.wear(theme)
        assert opened.violations() == ""


def test_narrow_page_needs_no_scrolling_sideways(opened, shown):
    opened.page.set_viewport_size({"width": 390, "height": 1000})
    try:
        opened.page.wait_for_function("() => document.querySelector('.lab').getBoundingClientRect().right <= 390")
        drawn(shown)
        edges = "elements => elements.map(element => element.getBoundingClientRect().right)"
        assert max(shown.locator("canvas, button, p, span, [role=listitem]").evaluate_all(edges)) <= 390
        assert shown.evaluate("root => root.scrollWidth <= root.clientWidth")
        sizes = shown.get_by_role("button").evaluate_all(
            "all => all.map(one => Math.min(one.offsetWidth, one.offsetHeight))"
        )
        assert min(sizes) >= 30, "large enough for a finger"
        above = shown.get_by_role("list").last.bounding_box()
        assert above["y"] + above["height"] <= button(shown, 0).bounding_box()["y"], "what is found stays above"
    finally:
        opened.page.set_viewport_size({"width": 1100, "height": 1000})


def test_it_runs_without_jupyter_with_words_for_labels_and_three_spaces(page):
    images, words = np.eye(6).reshape(6, 2, 3), ["sandal", "sandal", "ankle boot", "shirt", "shirt", "T-shirt or top"]
    spaces = {name: np.random.default_rng(i).normal(size=(6, 3)) for i, name in enumerate(["one", "two", "three"])}
    widget = Neighbours(images, spaces, words, k=2, chosen=5)
    shown = shown_anywhere(page, widget)
    numbers = drawn(shown)
    assert {space["name"]: [one["index"] for one in space["nearest"]] for space in numbers["spaces"]} == {
        name: widget.neighbours(name).tolist() for name in spaces
    }
    shown.get_by_role("button", name="image 2, labelled ankle boot").click()
    sentence = "Image 2 is labelled ankle boot. Neighbours with the same label: one 0 of 2, two 0 of 2, three 0 of 2."
    expect(shown.locator("p").first).to_have_text(sentence)
    assert shown.evaluate("root => root.scrollWidth <= root.clientWidth")


def test_saved_notebook_answers_without_a_kernel(opened, shown):
    choose(shown, 11)
    opened.until("shown.chosen == 11")
    reopened = opened.reopened_without_kernel()
    assert drawn(reopened)["chosen"] == 11
    numbers = choose(reopened, 24)
    assert [one["index"] for one in numbers["spaces"][1]["nearest"]] == reference("squares")[24].tolist()
