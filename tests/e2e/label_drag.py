# label_drag.py: a ranking made by keys and the same made by dragging are the same
# in the database, and in what laurelctl exports.
#
# SPDX-License-Identifier: Apache-2.0
import json
import shutil

from screen import Database, Laurel, check_equal, ctl, drag, main, make_project, press, wait

# 1: C, 2: A = D, 3: B
RANKS = {"A": 2, "B": 3, "C": 1, "D": 2}


def submit(app):
    app.wait_cards({letter: f"rank {rank}" for letter, rank in RANKS.items()})
    press("ctrl+Return")
    wait(app.database.rankings, "the ranking in the database")


def rank_by_keys(project):
    with Laurel(project) as app:
        app.wait_task()
        for letter, rank in RANKS.items():
            app.wait_focus(letter)
            press(str(rank))
        submit(app)


def handle(app, letter):
    """Where a card is taken: at its letter, beside the dots."""
    return app.find("label", f"Completion {letter}", app.list).middle()


def rank_by_dragging(project):
    with Laurel(project) as app:
        app.wait_task()
        drag(handle(app, "A"), app.find("label", "Press 1 to 4 .*", app.list).middle())
        app.wait_cards({"A": "rank 1", "B": "not ranked", "C": "not ranked", "D": "not ranked"})

        # On a card: beside it.
        drag(handle(app, "D"), app.cards()["A"].middle())
        app.wait_cards({"A": "rank 1", "B": "not ranked", "C": "not ranked", "D": "rank 1"})

        # Above all: a rank of its own.
        x, y, width, _ = app.cards()["A"].box()
        drag(handle(app, "C"), (x + width // 2, y - 6))
        app.wait_cards({"A": "rank 2", "B": "not ranked", "C": "rank 1", "D": "rank 2"})

        # Below all that are ranked.
        x, y, width, height = app.cards()["A"].box()
        drag(handle(app, "B"), (x + width // 2, y + height + 10))
        submit(app)


def read_back(folder, project):
    """The one ranking, without what differs between any two: when, and how long it took."""
    ranking, = Database(project).rankings()
    for key in ("created", "active_ms", "idle_ms"):
        del ranking[key]
    path = folder / "rankings.jsonl"
    ctl("ranking", "export", path, "--project", project)
    exported, = (json.loads(line) for line in path.read_text().splitlines())
    return ranking, exported


def scenario(folder):
    by_keys = make_project(folder)
    by_dragging = folder / "dragged"
    shutil.copytree(by_keys, by_dragging)
    rank_by_keys(by_keys)
    rank_by_dragging(by_dragging)

    ranking, exported = read_back(folder, by_keys)
    dragged, dragged_exported = read_back(folder, by_dragging)
    check_equal(dragged, ranking, "the dragged ranking")
    check_equal(dragged_exported, exported, "the dragged ranking's export")
    check_equal([rank["rank"] for rank in ranking["ranks"]], list(RANKS.values()), "ranks of A to D")
    check_equal(dict(zip(exported["completions"], exported["ranks"])),
                {rank["text"]: rank["rank"] for rank in ranking["ranks"]}, "the exported ranks")


main(scenario)
