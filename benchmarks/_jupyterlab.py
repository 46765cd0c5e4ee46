"""A real JupyterLab and a real Chromium, for widgets that are moved as a reader would move them.

The browser tests and the benchmark of the widgets share it; both need the project's extra `test`.
"""

import ast
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nbformat
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
# JupyterLab asks for these whether or not they exist.
EXPECTED_MISSING = re.compile(r"/api/(workspaces|me|config)|favicon|/lsp/|/lab/api/news|custom\.css")
# anywidget says so when a model takes more than two seconds, and goes on with it.
SLOW_WIDGET = "[anywidget] Failed to initialize model."

PATIENCE = 120  # seconds that a server or a page may take for one thing on a loaded machine

KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


def free_port() -> int:
    """A port for a server that is about to start, which no other program is given before the server takes it.

    A system gives its ports from 32768 up to whoever asks for any. These lie below, and each process begins elsewhere.
    """
    for port in range(11_000 + os.getpid() * 97 % 20_000, 32_768):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("every port is taken")


def answers(address: str) -> bool:
    """Tell whether a Jupyter server answers at this address; it prints the address before it listens there."""
    try:
        with urllib.request.urlopen(f"{address}/api", timeout=PATIENCE):
            return True
    except (urllib.error.URLError, ConnectionError):
        return False


def wait_for_server(process: subprocess.Popen, address: str, log: Path) -> None:
    """Wait until the Jupyter server in `process` answers; RuntimeError with the end of its log when it does not."""
    end = time.monotonic() + PATIENCE
    while not answers(address):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"no server answers at {address}; its log ends:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)


class Lab:
    """A JupyterLab server of its own, with its own settings and an empty folder of notebooks."""

    def __init__(self, home: Path):
        self.home, self.folder = home, home / "notebooks"
        self.folder.mkdir()
        self.token = secrets.token_hex(8)
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._set("apputils-extension/notification", '{"fetchNews": "false", "checkForUpdates": false}')
        self._set("notebook-extension/tracker", '{"windowingMode": "none"}')  # cells stay when they are out of view
        # The debugger asks each kernel for its state, and complains when the kernel is shut down meanwhile.
        page_config = home / "config" / "labconfig" / "page_config.json"
        page_config.parent.mkdir(parents=True)
        page_config.write_text('{"disabledExtensions": {"@jupyterlab/debugger-extension": true}}')
        self.log = home / "jupyterlab.log"
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
                f"--ServerApp.port={port}",
                "--ServerApp.port_retries=0",
                f"--ServerApp.root_dir={self.folder}",
                f"--IdentityProvider.token={self.token}",
                "--ServerApp.ip=127.0.0.1",
            ],
            env=self.environment,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_server(self.process, self.address, self.log)
        except BaseException:  # a Ctrl-C too: no server is left behind
            self.stop()
            raise

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which Jupyter keeps all that it writes in this home."""
        return os.environ | {
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_DATA_DIR": str(self.home / "data"),
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
            "IPYTHONDIR": str(self.home / "ipython"),
        }

    def _set(self, extension: str, settings: str) -> None:
        path = self.home / "settings" / "@jupyterlab" / f"{extension}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(settings)

    def stop(self) -> None:
        """End the server, which ends its kernels first."""
        self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE)
        finally:
            self.process.kill()

    def write(self, name: str, *cells: str) -> str:
        """A notebook of these code cells; returns the address that opens it alone."""
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.folder / name)
        return self.url(name)

    def copy_trusted(self, notebook: Path) -> str:
        """A copy of a notebook whose outputs are trusted, as its author's are; returns the address that opens it."""
        copied = shutil.copy(notebook, self.folder)
        trust = [sys.executable, "-m", "nbformat.sign", copied]
        subprocess.run(trust, env=self.environment, check=True, capture_output=True)
        return self.url(notebook.name)

    def url(self, name: str) -> str:
        return f"{self.address}/doc/tree/{name}?token={self.token}&reset"


class Notebook:
    """A notebook open in a page: run it, find its widgets, and see what went wrong on the way."""

    def __init__(self, page: Page):
        self.page = page
        page.set_default_timeout(1000 * PATIENCE)
        self.problems: list[str] = []
        self._no_kernel = False
        page.on("console", self._note_console)
        page.on("pageerror", self._note_error)
        page.on("requestfailed", self._note_request)

    def open(self, url: str) -> "Notebook":
        """Waits for a kernel that answers: before, JupyterLab moves the focus, and cells lose their widgets."""
        self.page.goto(url)
        expect(self.page.locator(".jp-Notebook")).to_be_visible()
        self.page.wait_for_function("() => window.jupyterapp?.shell.currentWidget?.sessionContext")
        self.page.evaluate(
            """async () => {
                const { context, sessionContext } = window.jupyterapp.shell.currentWidget;
                await Promise.all([context.ready, sessionContext.ready]);
                await sessionContext.session.kernel.info;
            }"""
        )
        return self

    def run_all(self) -> "Notebook":
        self.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        return self

    def start(self, code: str) -> None:
        """Run `code` in the kernel, beside the notebook's cells; returns as soon as the kernel has begun with it.

        The kernel's status does not tell when: widgets speak to the kernel in a thread beside, which says "idle" too.
        """
        self.page.evaluate(
            f"""code => new Promise(begun => {{
                {KERNEL}.requestExecute({{ code }}).onIOPub = message => {{
                    if (message.header.msg_type === "execute_input") begun();
                }};
            }})""",
            code,
        )

    def value(self, expression: str):
        """What a Python expression is worth in the kernel just now: numbers, text, lists and dicts."""
        reply = self.page.evaluate(
            f"""async text => {{
                const asked = {{ code: "", user_expressions: {{ value: text }} }};
                return (await {KERNEL}.requestExecute(asked).done).content.user_expressions.value;
            }}""",
            expression,
        )
        if reply["status"] != "ok":
            raise ValueError(f"{expression}: {reply['ename']}: {reply['evalue']}")
        return ast.literal_eval(reply["data"]["text/plain"])

    def until(self, condition: str) -> None:
        """Wait until a Python expression is true in the kernel, which hears of moves a little later."""
        end = time.monotonic() + PATIENCE
        while not self.value(f"bool({condition})"):
            if time.monotonic() > end:
                raise TimeoutError(f"not true after {PATIENCE} s: {condition}")
            self.page.wait_for_timeout(50)

    def widget(self) -> Locator:
        """The notebook's widget, drawn once."""
        widget = self.page.locator(".lab")
        expect(widget.locator("[role=status]")).not_to_be_empty()
        return widget

    def reopened_without_kernel(self) -> Locator:
        """The notebook's widget as it is after saving, opening again and shutting the kernel down."""
        self.page.evaluate(
            """async () => {
                const { commands, shell } = window.jupyterapp;
                await commands.execute("@jupyter-widgets/jupyterlab-manager:saveWidgetState");
                await shell.currentWidget.context.save();
            }"""
        )
        self.open(self.page.url)
        widget = self.widget()
        self.page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        self.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.sessionContext.session")
        self._no_kernel = True
        return widget

    def wear(self, theme: str) -> None:
        """Change to a theme of JupyterLab, by its name, and wait until its colours are there."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        self.page.wait_for_function("() => getComputedStyle(document.body).getPropertyValue('--jp-layout-color1')")

    def violations(self) -> str:
        """What axe finds against the widget, as a report; empty when nothing."""
        results = Axe().run(self.page, context=".lab")
        return results.generate_report() if results.violations_count else ""

    def _note_console(self, message) -> None:
        if self._no_kernel and "Could not send widget sync message" in message.text:
            return  # ipywidgets says for every move that no kernel hears it
        if message.type == "error" and not EXPECTED_MISSING.search(message.location.get("url", "")):
            self.problems.append(f"console: {message.text} ({message.location.get('url')})")

    def _note_error(self, error) -> None:
        if str(error) != SLOW_WIDGET:
            self.problems.append(f"page error: {error}")

    def _note_request(self, request) -> None:
        if request.failure != "net::ERR_ABORTED":  # which is what a page that is left does to its own requests
            self.problems.append(f"failed request: {request.url} ({request.failure})")


def drawn(widget: Locator) -> dict:
    """The numbers that a widget draws once its picture has caught up with its controls: two frames later."""
    return widget.evaluate(
        "root => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(root.numbers))))"
    )


@contextmanager
def chromium() -> Iterator[Browser]:
    """Headless Chromium, until the block ends; RuntimeError where there is none."""
    if CHROMIUM is None:
        raise RuntimeError("no Chromium on this machine: install the package chromium, or Google Chrome")
    with sync_playwright() as playwright:
        expect.set_options(timeout=1000 * PATIENCE)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET.split(), timeout=1000 * PATIENCE)
        yield browser
        browser.close()
