"""Every sentence that a check says, in one place. An edition in another language replaces this module.

A chapter's own words stand in its text, and an exercise's hints with the exercise. Fields in braces are filled in
where the sentence is used.
"""

STATUS = {
    "passed": "passed",
    "failed": "not yet",
    "not attempted": "not attempted yet",
    "raised": "stopped with an error",
}
TITLE = "{exercise}: {status}"
TITLE_WITH_POINTS = "{exercise}: {status} (points: {points:g} of {max_points:g})"
POINTS = "{points:g} of {max_points:g}"
HOLDS, FAILS = "right", "not yet"

NOT_ATTEMPTED = (
    "Write the function in the cell above, in place of `raise NotImplementedError`. Run that cell, then run this one."
)
PASSED = "Every call came out right. Well covered: {aspects}."

# A value's type in words.
KINDS = {
    "nothing": "None",
    "boolean": "True or False",
    "number": "a number",
    "string": "a string",
    "list": "a list",
    "tuple": "a tuple",
    "dict": "a dict",
    "array": "a numpy array of shape {shape}",
    "tensor": "a torch tensor of shape {shape}",
    "network": "a torch network",
    "generator": "a generator",
    "iterator": "an iterator",
    "class": "a class",
    "function": "a function",
    "other": "a value of type {name}",
}
TOO_LARGE = "{description}, too large to be compared"
UNREAD_NETWORK = "a torch network whose weights cannot be read"
NO_KEYS = "none"

# One sentence for each rung of the ladder. {value} names what is wrong: the result, or an entry of it.
RUNGS = {
    "nothing": "{value} is None. Does every path through your function end in a `return` with a value?",
    "type": "{value} should be {expected}, and yours is {got}.",
    "keys": "{value} should have the keys {expected}. Yours has {got}.",
    "length": "{value} should have length {expected}, and yours has {got}.",
    "shape": "{value} should have shape {expected}, and yours has shape {got}.",
    "dtype": "{value} should hold numbers of type {expected}, and yours holds {got}.",
    "not finite": "{value} should be {expected}, and yours is {got}.{count}",
    "changed": "Your function changed its input {got}. Work on a copy: whoever calls it may still need the original.",
    "spelling": "{value} should be {expected}, and yours is {got}. Only capital letters or spaces differ.",
    "values": "{value} should be {expected}, and yours is {got}.{count}",
    "not refused": (
        "This call has no right answer, so your function should refuse it with `raise ValueError(...)` and say why: "
        "“{expected}”. It returned {got}."
    ),
    "unreadable": "{value} should be {expected}, and yours cannot be compared with that ({got}).",
}
THE_RESULT = "The result"
THE_ENTRY = "Entry {place} of the result"
ENTRIES_DIFFER = " {count} entries differ in all."
# What helps when one kind stands in place of another: by the kind expected, if it matters, and the kind returned.
ADVICE = {
    (None, "generator"): "Collect the values and use `return` in place of `yield`.",
    (None, "iterator"): "Collect its values, with `list(...)` or `np.array(list(...))`.",
    (None, "tensor"): "This exercise works in numpy: convert with `.numpy()`, or a single number with `.item()`.",
    ("array", "list"): "Turn it into an array with `np.array(...)`.",
    (None, "single"): "Return the value alone, with no comma behind it.",
    ("dict", "tuple"): "Return the values under their names, as in `{'name': value}`.",
    (None, "function"): "Call the function, with parentheses, in place of returning it.",
    (None, "class"): "Make an object of it, with parentheses, or return a plain value.",
}
PRINTED_ONLY = "Printing shows a value, `return` hands it on."
HIDDEN = "The calls shown to you come out right. One that is not shown fails, in the part “{aspect}”."
IN_CALL = "In this call:"
RAISED = "Your function stopped with {error}:"
STUB_RAISED = (
    "Your code ran as far as the line `raise NotImplementedError`, which only holds the place of an answer. If it "
    "stands in your own function, delete it and return your result; if in another exercise's, write that one first."
)
SHOULD_REFUSE = (
    "This call has no right answer. Find that out before anything else fails, and refuse it with "
    "`raise ValueError(...)`: “{reason}”."
)
RECURSION = "Your function called itself until Python gave up (RecursionError). Which call should be the last one?"
EXITED = "Your function called `exit()` or `quit()`, which end the whole program. Leave a function with `return`."
# What ended Python while it was watched from outside.
DIED = {
    "memory": "Python ran out of memory in this call and was ended. Does something grow with every step?",
    "ended": "Python itself ended in this call. Nothing in this exercise needs what can do that.",
}
TIMED_OUT = "Your function was still running after {seconds:g} s for all calls together and was stopped."
ENDLESS = "Is there a loop that never ends?"
SLOW = (
    "The calls before this one took most of that time. A slow machine may be given more: "
    "check({exercise}, time_limit=60)."
)
NOBODY_TO_ASK = "nobody can answer while a function is checked; what it needs comes in its parameters"
CELL = "your cell"
PRINTED = "What your function printed"
MORE_PRINTED = "\n… and {count:,} characters more"
HINT = "Hint"
MORE_HELP = "For a hint, run hint({exercise})."
STILL_MORE_HELP = "For more help, run hint({exercise})."
ALSO_TIMED_OUT = "Another call was still running after {seconds:g} s in all and was stopped."
SAME_AS_BEFORE = (
    "This is the very function that was checked before. If you have changed its cell since, run that cell first, then "
    "this one."
)

SIGNATURE = (
    "The check calls {exercise} with its parameters by name, so it has to begin with "
    "def {exercise}({expected}). Yours takes {got}."
)
DEFAULTS = "The first line of this exercise is def {exercise}({expected}). Yours has other defaults: {got}."
CHECK_INSIDE = "check was called from inside the function that is being checked. Move that line out of the function."
NO_EXERCISE = "{name} is no exercise. Run progress() for a list of all exercises."
DID_YOU_MEAN = "{name} is no exercise. Did you mean {nearest}? The exercises of its chapter: {names}."
NO_FUNCTION = "Give the function itself, without parentheses or quotes, as in check({nearest}). This is {got}."
SHEET_TROUBLE = "This check cannot run: {error}."
NO_SHEET = "no check sheet in {folder}; install labutils again to bring them back"
SHEET_DAMAGED = (
    "the check sheet {name} is damaged ({reason}); your notebook is not affected. "
    "Update the book or install labutils again, then restart the kernel"
)
SHEET_FORMAT = "its format is {found!r}, and this labutils reads {known}"
SHEET_ALTERED = "its contents are not what was written"
NOT_A_CHECK = "nothing checked"
BAD_TIME_LIMIT = "time_limit is {got!r}. Give a number of seconds, above 0 and up to {longest}, as in time_limit=30."
NO_JUDGE = (
    "{variable} asks for the instructor's judge, which is not installed here. Install the whole repository, with its "
    "folder `grader`, or take {variable} out of the environment."
)

HINT_TITLE = "{exercise}: hint {number} of {count}"
NO_MORE_HINTS = "That was the last hint. Running hint({exercise}) again starts from the first."
SOLUTION_TITLE = "{exercise}: a solution"
NO_SOLUTION = (
    "The solutions are not part of this edition of the book. Try hint({exercise}); your instructor may show a solution "
    "after the deadline."
)

PROGRESS_TITLE = "Your progress"
PROGRESS_CHAPTER = "{chapter}: {solved} of {count} exercises solved"
PROGRESS_NOT_SAVED = (
    "Your progress could not be saved in {path} ({reason}). "
    "The verdict above stands, and your notebook is not affected."
)
PROGRESS_DAMAGED = "The record of your progress was damaged. It was set aside as {path}, and a new one was begun."
PROGRESS_NOT_KEPT = "Progress is not kept here, so this list knows of no exercise that was solved."
PROGRESS_BUSY = "another notebook is writing it"
PROGRESS_UNREADABLE = "The record of your progress in {path} cannot be read ({reason})."

TABLE_HEADER = ("exercise", "status", "points")
TABLE_TOTAL = "total"
RUNNING = "running {name}"
NO_CHECKS = "{path} has no check cell of an exercise, so there is nothing to count."
CHECK_CELL_RAISED = "stopped with an error: {error}"
CHECK_CELL_MISSING = "its check cell is missing"
CHECK_CELL_NOT_RUN = "its check cell was not run"
CHECK_CELL_TROUBLE = "its check cell says something else; open the notebook and run it"
KERNEL_DIED = (
    "{path}: Python itself ended while a cell ran (exit, or too little memory), so the cells after it were not run. "
    "Run the notebook cell by cell in JupyterLab to see which one it is."
)
KERNEL_STUCK = (
    "{path}: a cell ran longer than {seconds:g} s and could not be interrupted, so the cells after it were not run. "
    "Run the notebook cell by cell in JupyterLab to see which one it is."
)
NO_FILE = "{path} is not there. Is the name right, and the folder you are in?"
NO_NOTEBOOK = "{path} is not a notebook: {reason}. Give a file that JupyterLab opens, with a name that ends in .ipynb."
NOT_READABLE = "{path} cannot be read: {reason}. Close the programs that use it, or copy it to a folder of your own."
NO_KERNEL = (
    "{path} cannot be run: the Jupyter kernel {kernel} does not start here ({reason}). Install it into this Python "
    "with `python -m pip install ipykernel`."
)

AT_WORK_TITLE = "Your {exercise} at work"
AT_WORK_WAITS = "This cell shows your own {exercise}. Write it above, then run this cell again."
AT_WORK_FAILED = "This cell shows your own {exercise}, which stopped with {error}. Check it above first."
AT_WORK_TIMED_OUT = (
    "This cell shows your own {exercise}, which was still running after {seconds:g} s and was stopped. "
    "Check it above first."
)

CLAIM_HOLDS = "Holds: {sentence}"
CLAIM_HOLDS_WITHIN = "Holds: {sentence} ({limits})"
CLAIM_FAILS = "The text says: {sentence!r}. Measured: {measured!r}. It should be {limits}."
ABOUT = "about {about:g}, within {within:g}"
AT_LEAST = "at least {limit:g}"
AT_MOST = "at most {limit:g}"
