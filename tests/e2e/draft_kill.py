# draft_kill.py: what was decided survives kill -9.
#
# SPDX-License-Identifier: Apache-2.0
from screen import Laurel, check_equal, main, make_project, press, wait

HALF = {"A": "rank 2", "B": "rank 1, quality 6", "C": "not ranked", "D": "not ranked"}


def scenario(folder):
    project = make_project(folder)
    with Laurel(project) as app:
        app.wait_task()
        press("2")
        app.wait_focus("B")
        press("shift+6", "1")
        texts = [card.description for _, card in sorted(app.wait_cards(HALF).items())]
        task = app.database.value("SELECT task_id FROM drafts")
        app.kill()
        check_equal(app.database.value("SELECT count (*) FROM drafts"), 1, "drafts after the kill")

    with Laurel(project) as app:
        cards = app.wait_cards(HALF)
        found = [card.description for _, card in sorted(cards.items())]
        check_equal(found, texts, "the order after the restart")
        # The first card that is not ranked waits for its digit.
        app.wait_focus("C")
        press("3", "3")
        app.wait_cards({**HALF, "C": "rank 3", "D": "rank 3"})
        press("ctrl+Return")
        wait(app.database.rankings, "the ranking in the database")
        app.wait_task()

        ranking, = app.database.rankings()
        check_equal(ranking["task_id"], task, "the task")
        check_equal([rank["rank"] for rank in ranking["ranks"]], [2, 1, 3, 3], "ranks of A to D")
        check_equal([rank["quality"] for rank in ranking["ranks"]], [0, 6, 0, 0], "quality")
        check_equal(app.database.value("SELECT count (*) FROM drafts"), 0, "drafts left")


main(scenario)
