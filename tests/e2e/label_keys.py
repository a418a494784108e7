# label_keys.py: four cards ranked by keys alone, as the database has them afterwards.
#
# SPDX-License-Identifier: Apache-2.0
from screen import Laurel, check, check_equal, main, make_project, press, wait

HARMFUL = 1 << 1  # LAUREL_FLAG_HARMFUL


def refuse_untouched(app):
    """Ctrl+Enter on what nobody ranked says why not, and stores nothing."""
    app.wait_task()
    press("ctrl+Return")
    app.wait_for("label", "Nothing is ranked yet: press 1 to 4 .*")
    press("1")
    app.wait_cards({"A": "rank 1", "B": "not ranked", "C": "not ranked", "D": "not ranked"})
    press("ctrl+Return")
    app.wait_for("label", "Not ranked yet: B, C, D.*")
    check_equal(app.database.value("SELECT count (*) FROM rankings"), 0, "rankings stored")
    press("ctrl+z", "k")
    app.wait_task()


def rank(app):
    """1: B, 2: A = D, 3: C; A of quality 5, C harmful. Digits lead on to the next card."""
    press("2")
    app.wait_focus("B")
    press("1")
    app.wait_focus("C")
    press("3")
    app.wait_focus("D")
    press("2")
    app.wait_cards({"A": "rank 2", "B": "rank 1", "C": "rank 3", "D": "rank 2"})

    # All ranked: they are listed from best to worst, so B, A, D, C, and J and K walk them.
    check_equal(list(app.cards()), ["B", "A", "D", "C"], "cards from best to worst")
    press("k")
    app.wait_focus("A")
    press("shift+5")
    app.wait_cards({"A": "rank 2, quality 5", "B": "rank 1", "C": "rank 3", "D": "rank 2"})
    press("j", "j")
    app.wait_focus("C")
    press("f")
    app.wait_for("label", "Flag completion C: .*")
    press("h")
    return app.wait_cards({"A": "rank 2, quality 5", "B": "rank 1", "C": "rank 3, Harmful",
                           "D": "rank 2"})


def scenario(folder):
    project = make_project(folder)
    with Laurel(project) as app:
        refuse_untouched(app)
        task = app.database.value("SELECT task_id FROM leases")
        texts = [card.description for _, card in sorted(rank(app).items())]
        press("ctrl+Return")
        wait(app.database.rankings, "the ranking in the database")
        app.wait_task()

        rankings = app.database.rankings()
        check_equal(len(rankings), 1, "rankings")
        ranking = rankings[0]
        ranks = ranking["ranks"]
        check_equal(ranking["task_id"], task, "the task")
        check_equal([row["rank"] for row in ranks], [2, 1, 3, 2], "ranks of A to D")
        check_equal([row["quality"] for row in ranks], [5, 0, 0, 0], "quality of A to D")
        check_equal([row["flags"] for row in ranks], [0, 0, HARMFUL, 0], "flags of A to D")
        check_equal([row["text"].strip() for row in ranks], texts, "the order shown")
        check(ranking["order_seed"] != 0, "the order's seed is not stored")
        check(ranking["active_ms"] > 0, "no time was counted")
        check_equal((ranking["skip_reason"], ranking["supersedes"], ranking["all_bad"]),
                    (None, None, 0), "a plain ranking")
        check_equal(app.database.value("SELECT count (*) FROM drafts"), 0, "drafts left")
        stored = app.database.value("SELECT count (*) FROM comparisons")
        check_equal(stored, 5, "strict pairs of four cards with one tie")


main(scenario)
