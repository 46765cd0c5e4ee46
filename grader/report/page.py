"""The report as one HTML page that needs nothing but itself: no network, no other file.

All that a student wrote is escaped by the template, and the page's content security policy lets no script run but the
one below, and loads nothing from anywhere.
"""

import base64
import hashlib
import statistics
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import jinja2
from markupsafe import Markup

from grader.records import UNREADABLE, Record
from grader.report import plots
from grader.report.answers import Answer
from grader.report.counting import (
    ASPECT_OUTCOMES,
    HOLDS,
    OUTCOMES,
    count_exercises,
    count_mistakes,
    exercise_names,
    outcome,
)
from grader.report.similarity import Pair, aligned

SLOWEST = 5
PAIRS_SHOWN = 20

# A click on a column's head sorts the table by it, a second click the other way round.
SCRIPT = Markup("""
for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, table = head.closest("table"), body = table.tBodies[0];
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[head.cellIndex].dataset.value;
    const compare = head.dataset.kind === "number"
      ? (one, other) => value(one) - value(other)
      : (one, other) => value(one).localeCompare(value(other), undefined, {numeric: true});
    const rows = [...body.rows].sort((one, other) => down ? compare(other, one) : compare(one, other));
    body.append(...rows);
  });
}
""")
MARKS = {"passed": "✓", "partly": "◐", "failed": "✗", "raised": "!", "not attempted": "–"}


def html_page(
    assignment: str,
    records: Mapping[str, Record],
    ungraded: list[str],
    pairs: tuple[Pair, ...],
    answers: Mapping[str, Mapping[str, Answer]],
) -> bytes:
    """The page on these records; `ungraded` are the students who handed in and have no record yet."""
    everyone = list(records.values())
    readable = [record for record in everyone if record.status != UNREADABLE]
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:.4g}"
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    text = environment.get_template("page.html.j2").render(
        assignment=assignment,
        written=datetime.now(UTC),
        script=SCRIPT,
        script_digest=base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode(),
        records=everyone,
        readable=readable,
        unreadable=[record for record in everyone if record.status == UNREADABLE],
        remarked=[record for record in readable if record.remarks],
        ungraded=ungraded,
        names=exercise_names(everyone),
        outcome=outcome,
        outcomes=OUTCOMES,
        aspect_outcomes=ASPECT_OUTCOMES,
        holds=HOLDS,
        marks=MARKS,
        points=[record.points for record in readable],
        statistics=statistics,
        exercises=count_exercises(readable),
        mistakes=count_mistakes(readable),
        slowest=sorted(everyone, key=lambda record: -record.seconds)[:SLOWEST],
        figures=_figures(readable),
        pairs=pairs[:PAIRS_SHOWN],
        pairs_left_out=len(pairs[PAIRS_SHOWN:]),
        compared=len(answers),
        rows=lambda pair, exercise: aligned(*(answers[student][exercise].lines for student in pair.students)),
    )
    return text.encode(errors="backslashreplace")


def _figures(readable: list[Record]) -> dict[str, Markup]:
    """The plots by name; one with nothing to show in it is empty."""
    exercises, mistakes = count_exercises(readable), count_mistakes(readable)
    figures = dict.fromkeys(("scores", "exercises", "aspects", "mistakes", "times"), Markup())
    if exercises:
        figures |= {"scores": plots.scores(readable), "exercises": plots.exercises(exercises)}
    if any(count.aspects for count in exercises):
        figures["aspects"] = plots.aspects(exercises)
    if mistakes:
        figures["mistakes"] = plots.mistakes(mistakes)
    if readable:
        figures["times"] = plots.times(readable)
    return figures
