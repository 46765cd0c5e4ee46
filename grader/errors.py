"""What a command ends with. Apart from `courses`, since workers need it, and would import nbgrader with that."""


class CourseError(Exception):
    """What keeps a command from running. The message names the value and the way out."""
