"""`python -m grader`: build the book's notebooks, prove its exercises, write nbgrader's source."""

import argparse
import sys

from grader import build, verify
from grader.texts import Page, TextError, pages


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m grader", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
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
    options = parser.parse_args(arguments)
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
