"""A plugin for the runs of nbgrader's own tests: which version a new gradebook has is asked once, not for each of them.

nbgrader starts the program alembic to learn it, and most of the tests take less time than that.
"""

from functools import cache

from nbgrader import api

api.get_alembic_version = cache(api.get_alembic_version)
