"""common.py: what the experiments share: running laurelctl, cells that are kept, intervals.

SPDX-License-Identifier: Apache-2.0
"""

import argparse
import contextlib
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
STARTER = os.path.join(SOURCE, "data", "starter")


def make_parser(description, seeds):
    """The options that every experiment has."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("program", nargs="?", help="laurelctl (build/release/app/laurelctl)",
                        default=os.environ.get(
                            "LAURELCTL", os.path.join(SOURCE, "build/release/app/laurelctl")))
    parser.add_argument("--seeds", type=int, default=seeds, metavar="N",
                        help=f"how many, counted from 1 ({seeds})")
    parser.add_argument("--json", metavar="FILE", help="where the result goes as JSON")
    return parser


def add_work_options(parser, name, unit="cell"):
    """Those of an experiment that keeps its cells in a folder."""
    parser.add_argument("--work", help=f"where all is kept ({name})")
    parser.add_argument("--minutes", type=float, default=math.inf,
                        help=f"begin no new {unit} after so many")
    parser.add_argument("--smoke", action="store_true", help="the smallest that shows it works")


def open_work(arguments):
    """The folder that an experiment keeps its cells in; the short form's is gone afterwards."""
    if arguments.smoke and not arguments.work:
        return tempfile.TemporaryDirectory(prefix="laurel-experiment-")
    folder = arguments.work or os.path.splitext(os.path.basename(sys.argv[0]))[0]
    os.makedirs(folder, exist_ok=True)
    return contextlib.nullcontext(folder)


def say(text=""):
    print(text, flush=True)


def fail(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def save_json(path, value):
    """Whole or not at all, so that a killed experiment leaves no half a cell."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True)
        file.write("\n")
    os.replace(path + ".new", path)


def load_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


class Project:
    """A project's folder, worked on through laurelctl."""

    def __init__(self, program, path):
        self.program = program
        self.path = path

    def command(self, *words):
        return [self.program, "--project", self.path, *map(str, words)]

    def run(self, *words):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            fail(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
        return done.stdout

    def json(self, *words):
        return json.loads(self.run("--json", *words))

    def create(self, empty=False):
        words = [self.program, "project", "create", self.path] + (["--empty"] if empty else [])
        subprocess.run(words, check=True, capture_output=True)
        return self

    def train(self, stage, model, output, settings, *words):
        """The number of the run that it was."""
        self.run("train", stage, "--model", model, "--output", output, *words,
                 *[w for key, value in settings.items() for w in ("--set", f"{key}={value}")])
        return self.query("SELECT max (id) FROM runs WHERE output = ?", output)[0][0]

    def query(self, sql, *values):
        database = sqlite3.connect(os.path.join(self.path, "project.sqlite"), timeout=60)
        try:
            with database:
                return database.execute(sql, values).fetchall()
        finally:
            database.close()

    def model(self, name):
        return os.path.join(self.path, "models", name)

    def copy(self, path):
        if os.path.exists(path):
            shutil.rmtree(path)
        shutil.copytree(self.path, path)
        return Project(self.program, path)


class Cells:
    """Results that are kept one by one in a folder, so that a stopped experiment goes on there."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)

    def path(self, name):
        return os.path.join(self.folder, name + ".json")

    def has(self, name):
        return os.path.exists(self.path(name))

    def get(self, name, make):
        if not self.has(name):
            save_json(self.path(name), make())
        return load_json(self.path(name))


def mean(values):
    return sum(values) / len(values)


def deviation(values):
    """Of a sample; 0 for a single value."""
    if len(values) < 2:
        return 0.0
    m = mean(values)
    return math.sqrt(sum((v - m) ** 2 for v in values) / (len(values) - 1))


# The 97.5th percentile of Student's t by degrees of freedom; beyond the table the normal's.
STUDENT = [math.nan, 12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16,
           2.14, 2.13, 2.12, 2.11, 2.10, 2.09]


def half_width(values):
    """Of the 95 % interval of the mean of a few seeds; not a number for one."""
    n = len(values)
    if n < 2:
        return math.nan
    return (STUDENT[n - 1] if n <= len(STUDENT) else 1.96) * deviation(values) / math.sqrt(n)


def wilson(n_yes, n):
    """Share and its 95 % interval."""
    z = 1.959963984540054
    p = n_yes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return p, max(centre - half, 0), min(centre + half, 1)


def print_table(head, rows):
    """Columns as wide as what is in them; the first is to the left, numbers are to the right."""
    cells = [list(map(str, row)) for row in [head, *rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        first = row[0].ljust(widths[0])
        say("  ".join([first] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]).rstrip())
