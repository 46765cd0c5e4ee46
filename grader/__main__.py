"""`python -m grader`: build the book's notebooks, prove its exercises, grade what a class has handed in."""

import argparse
import os
import sys
from pathlib import Path

from grader import build, verify
from grader.texts import Page, TextError, pages

COULD_NOT_RUN = 2


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    return options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    _add_book_commands(commands)
    _add_course_commands(commands)
    return parser


def _add_book_commands(commands: argparse._SubParsersAction) -> None:
    building = commands.add_parser("build", help="bring notebooks, check sheets and nbgrader's source up to date")
    how = building.add_mutually_exclusive_group()
    how.add_argument("--no-run", action="store_true", help="execute nothing; unchanged cells keep their outputs")
    how.add_argument("--check", action="store_true", help="change nothing; exit 1 if anything is out of step")
    writing = commands.add_parser("source", help="write nbgrader's source, grader/course/source, and nothing else")
    proving = commands.add_parser("verify", help="prove every exercise; exit 1 if one falls short")
    for command in (building, writing, proving):
        command.add_argument(
            "pages", nargs="*", metavar="NAME", help="a page, such as start or learning_rate (default: all)"
        )
        command.set_defaults(run=_run_on_pages)


def _add_course_commands(commands: argparse._SubParsersAction) -> None:
    """Those that are run in a course folder."""
    grading = commands.add_parser("autograde", help="grade what a class has handed in, side by side")
    grading.add_argument("--dask", metavar="ADDRESS", help="grade on the workers of this Dask scheduler")
    grading.add_argument("--force", action="store_true", help="grade again what has not changed since it was graded")
    grading.add_argument("--unsafe", action="store_true", help="no sandbox: submissions can then do anything")
    grading.add_argument("--regrade", metavar="EXERCISE", help="grade one exercise again, and show what changes first")
    grading.add_argument("--yes", action="store_true", help="with --regrade: write the new scores without asking")
    grading.set_defaults(run=_autograde)
    telling = commands.add_parser("feedback", help="make the feedback pages of a class, side by side")
    telling.add_argument("--force", action="store_true", help="make pages again that have not changed")
    telling.set_defaults(run=_feedback)
    reporting = commands.add_parser("report", help="write a page and tables on what a class got right and wrong")
    reporting.set_defaults(run=_report)
    for command in (grading, telling, reporting):
        command.add_argument("assignment", metavar="ASSIGNMENT", help="such as 01_learning_rate")
    for command in (grading, telling):
        command.add_argument("--workers", type=_count, default=os.cpu_count() or 1, metavar="N", help="processes")
        command.add_argument("--students", metavar="A,B", help="only these (default: all)")
        command.add_argument(
            "--db-url", metavar="URL", help="the gradebook (default: what the course's configuration says)"
        )


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} workers do nothing; give 1 or more")
    return number


def _autograde(options: argparse.Namespace) -> int:
    from grader import classwide, regrading  # nbgrader takes a second to import, and only these commands need it
    from grader.errors import CourseError

    settings = classwide.Settings(
        assignment=options.assignment,
        students=options.students,
        workers=options.workers,
        dask=options.dask,
        db_url=options.db_url,
        force=options.force,
        unsafe=options.unsafe,
    )
    try:
        if options.regrade:
            return regrading.regrade(settings, options.regrade, agreed=options.yes)
        tally = classwide.autograde(settings)
    except CourseError as error:
        print(error, file=sys.stderr)
        return COULD_NOT_RUN
    print(tally.words())
    return tally.status


def _feedback(options: argparse.Namespace) -> int:
    from grader import feedback

    return feedback.main_for(options)


def _report(options: argparse.Namespace) -> int:
    from grader.report import report

    return report(Path.cwd(), options.assignment)


def _run_on_pages(options: argparse.Namespace) -> int:
    try:
        chosen = pages(tuple(options.pages))
        if options.command == "build":
            checked = [_check(page) if options.check else _build(page, not options.no_run) for page in chosen]
            return 0 if all(checked) else 1
        chapters = [page for page in chosen if page.chapter]
        for page in chosen:
            if options.pages and page.chapter is None:
                print(f"{page.name} has no exercises", flush=True)
        if options.command == "source":
            for page in chapters:
                print(build.write_source(page))
            return 0
        return 0 if verify.report(chapters) else 1
    except TextError as error:
        print(error, file=sys.stderr)
        return 1


def _build(page: Page, execute: bool) -> bool:
    measured, complaint = build.build(page, execute)
    took = f"{measured.seconds:.1f} s, {measured.megabytes:.0f} MB" if measured else "not run"
    limits = " and ".join(f"{limit} {unit}" for unit, limit in page.settings.get("budget", {}).items())
    print(f"{page.name}: {took}" + (f" (budget: {limits})" if limits else ""), flush=True)
    if complaint:
        print(f"{page.text}: {complaint}", file=sys.stderr)
    return complaint is None


def _check(page: Page) -> bool:
    found = build.out_of_step(page)
    print("\n".join(found) if found else f"{page.name}: in step", flush=True)
    return not found


if __name__ == "__main__":
    sys.exit(main())
