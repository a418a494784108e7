# runs_list.py: the list of runs by keys alone: one stop of Tab, arrows from run to
# run, Space lays a run's charts over those of the selected one, Enter opens it.
#
# SPDX-License-Identifier: Apache-2.0
from screen import STARTER, Focus, Laurel, check, check_equal, ctl, main, make_project, press, wait


def find_check(app, run):
    return app.find("check box", f"Overlay the charts of {run}", app.page("Runs"))


def is_overlaid(app, run):
    """As a screen reader hears it: of the check, and of the row, which has the focus."""
    row = app.find("list item", f"{run}, .*", app.page("Runs"))
    return row is not None and row.name.endswith(", in the charts")


def go_to_list(focus, key="Tab"):
    """Returns the row that the focus comes to. Labels that can be copied take it without a word."""
    for _ in range(30):
        thing = focus.press(key)
        if thing is not None and thing.role == "list item":
            return thing
    check(False, f"{key} does not come to the list of runs")


def scenario(folder):
    project = make_project(folder, n_prompts=2)
    ctl("train", "sft", STARTER / "demonstrations.jsonl", "--model", "base-tiny", "--output",
        "sft-second", "--set", "max_steps=5", "--project", project)
    with Focus() as focus, Laurel(project) as app:
        app.wait_task()
        press("ctrl+4")
        app.wait_for("list item", "sft-second, .*", app.page("Runs"))
        row = go_to_list(focus)
        check(row.name.startswith("sft-second, "), f"Tab comes to {row}, not to the selected run")
        check(not find_check(app, "sft-second").focusable, "a check is a stop of its own")

        # Tab leaves the list at once, and Shift with it comes back.
        away = focus.press("Tab", patience=15)
        check(away is not None and away.role != "list item", f"Tab goes on to {away}")
        back = go_to_list(focus, "shift+Tab")
        check_equal(back.name, row.name, "the row that Shift+Tab comes back to")

        # Down to the older run, which is selected by that, and up again.
        older = focus.press("Down", patience=15)
        check(older is not None and older.role == "list item" and older.name != row.name,
              f"Down comes to {older}")
        check_equal(focus.press("Up", patience=15).name, row.name, "the row above")
        focus.press("Down", patience=15)
        run = older.name.split(",")[0]
        check(not is_overlaid(app, run), f"{run} is overlaid before anybody asked for it")
        press("space")
        wait(lambda: is_overlaid(app, run), "Space to overlay the run")
        press("space")
        wait(lambda: not is_overlaid(app, run), "Space to take it away again")
        press("Return")
        wait(lambda: app.find("label", run, app.page("Runs")), "the run to be shown")


main(scenario)
