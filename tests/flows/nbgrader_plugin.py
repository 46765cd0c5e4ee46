"""A plugin of pytest for the runs of nbgrader's own tests."""

import os
from functools import cache

import pytest
from nbgrader import api
from traitlets.config import Config, PyFileConfigLoader

# nbgrader starts the program alembic to learn which version a new gradebook has, and most of its tests are shorter.
api.get_alembic_version = cache(api.get_alembic_version)


def configuration() -> Config:
    """What stands in the configuration file, which nbgrader's programs read by themselves."""
    return PyFileConfigLoader("nbgrader_config.py", path=os.environ["JUPYTER_CONFIG_DIR"]).load_config()


@pytest.fixture(autouse=True)
def configured_api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the tests of nbgrader's API begin with the configuration, as formgrader does, and not with an empty one."""
    if request.module.__name__ == "nbgrader.tests.apps.test_api":
        monkeypatch.setattr(request.module, "Config", configuration)
