"""Opens notebooks in a real JupyterLab, and asks after every test that nothing went wrong in the page."""

import pytest

from benchmarks._jupyterlab import Lab, Notebook


@pytest.fixture(scope="session")
def lab(tmp_path_factory):
    server = Lab(tmp_path_factory.mktemp("jupyterlab"))
    yield server
    server.stop()


@pytest.fixture
def page(chromium):
    with chromium.new_page(viewport={"width": 1100, "height": 900}) as page:
        yield page


@pytest.fixture
def notebook(lab, page, request):
    """Opens a notebook made of the given cells, runs it and, at the end, asks that nothing went wrong in the page."""
    opened = Notebook(page)

    def open_and_run(*cells: str) -> Notebook:
        return opened.open(lab.write(f"{request.node.name}.ipynb", *cells)).run_all()

    yield open_and_run
    assert not opened.problems
