# label_menu.py: ranking through a card's menu as a screen reader does, undo and
# redo, and a change of mind after submitting.
#
# SPDX-License-Identifier: Apache-2.0
from screen import Laurel, check, check_equal, main, make_project, press, wait


def choose(app, letter, item):
    """Opens a card's menu and chooses from it, without mouse or keys."""
    menu = app.find("push button", f"Menu of completion {letter}", app.list)
    next(menu.children()).activate()
    app.wait_for("menu item", item, app.list).activate()


def rank_from_menus(app):
    """An unranked card moved up comes below the ranked ones; one moved again passes a neighbour."""
    app.wait_task()
    choose(app, "A", "Move Up")
    app.wait_cards({"A": "rank 1", "B": "not ranked", "C": "not ranked", "D": "not ranked"})
    choose(app, "B", "Move Up")
    choose(app, "C", "Move Up")
    choose(app, "D", "Move Up")
    app.wait_cards({"A": "rank 1", "B": "rank 2", "C": "rank 3", "D": "rank 4"})
    choose(app, "A", "Move Down")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 4"})
    choose(app, "D", "Tie With the One Above")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 3"})


def undo_and_redo(app):
    press("ctrl+z")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 4"})
    press("ctrl+z")
    app.wait_cards({"A": "rank 1", "B": "rank 2", "C": "rank 3", "D": "rank 4"})
    press("ctrl+shift+z", "ctrl+shift+z")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 3"})


def change_of_mind(app):
    """Ctrl+Backspace brings the submitted task back, and what is submitted then takes its place."""
    press("ctrl+BackSpace")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 3"})
    app.wait_for("label", "You submitted this task before.*")
    choose(app, "C", "Move Up")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 4"})
    press("ctrl+Return")
    wait(lambda: len(app.database.rankings()) == 2, "the second ranking in the database")


def scenario(folder):
    project = make_project(folder)
    with Laurel(project) as app:
        rank_from_menus(app)
        undo_and_redo(app)
        press("ctrl+Return")
        wait(app.database.rankings, "the ranking in the database")
        app.wait_task()
        change_of_mind(app)

        first, second = app.database.rankings()
        check_equal([rank["rank"] for rank in first["ranks"]], [2, 1, 3, 3], "the first ranks")
        check_equal([rank["rank"] for rank in second["ranks"]], [2, 1, 3, 4], "the second ranks")
        check_equal(second["supersedes"], first["id"], "what the second one supersedes")
        check_equal([second[key] for key in ("task_id", "labeler_id", "order_seed")],
                    [first[key] for key in ("task_id", "labeler_id", "order_seed")],
                    "task, labeler and order of the second one")
        check(second["active_ms"] > 0, "no time was counted")
        in_force = app.database.rows("SELECT id FROM rankings_in_force")
        check_equal([row["id"] for row in in_force], [second["id"]], "the rankings in force")
        check_equal(app.database.value("SELECT count (*) FROM comparisons"), 6, "strict pairs")


main(scenario)
