# launch.py: a reward model and then PPO, started from the Train menu by keys
# alone, followed in the run strip, and found again in Runs and Inspect.
#
# SPDX-License-Identifier: Apache-2.0
import re

from screen import (STARTER, Focus, Laurel, check, check_equal, ctl, main, make_project, press,
                    wait, write)


def change(focus, row, value):
    """Goes to a setting by Tab and types over it."""
    for _ in range(30):
        thing = focus.press("Tab", patience=0.5)
        # The name of a new model takes the focus without a word; one stop further all is well.
        if thing is not None and thing.role == "text" and thing.name.startswith(row):
            press("ctrl+a")
            write(value)
            return
    check(False, f"Tab does not come to “{row}”")


def launch(app, focus, mnemonic, title, settings):
    """Opens the Train menu, chooses by its letter, changes settings and starts with Enter."""
    press("alt+t")
    app.wait_for("menu item", "PPO…")
    press(mnemonic)
    app.focus_new_window(f"the dialog “{title}”")
    wait(lambda: app.front().name == title, f"the dialog “{title}”")
    for row, value in settings.items():
        change(focus, row, value)
    # The estimate follows what is typed, before Start.
    app.wait_for("label", r"About .* of memory.*", app.front())
    press("Return")
    wait(lambda: len(app.windows()) == 1, "the dialog to close")
    app.focus_window()


def follow(app):
    """The strip is there while the run lives, says how far it is, and goes with its end."""
    def shows(pattern):
        return any(re.match(pattern, part.name) for part in app.run_strip())
    wait(lambda: shows("Stop the run$") and shows(r"step \d+/\d+"), "the run strip")
    wait(lambda: not app.run_strip(), "the run strip to go", 60)


def wait_done(app, output):
    def look():
        return app.database.rows("SELECT * FROM runs WHERE output = ? AND status = 'done'", output)
    run, = wait(look, f"the run of “{output}” to be done", 60)
    check_equal(run["step"], run["n_steps"], "the step at which the run ended")
    return run


def check_reward_model(app, run):
    check_equal(app.database.value("SELECT kind FROM models WHERE name = 'reward-1'"), "reward",
                "the model that was made")
    check(app.database.value("SELECT count (*) FROM metrics WHERE run_id = ?", run["id"]) > 0,
          "the run has no metrics")
    app.wait_for("list item", "reward-1, Reward model · Done .*", app.page("Runs"))


def check_rollouts(app, run):
    rollouts = app.database.rows("SELECT prompt, completion FROM rollouts WHERE run_id = ?",
                                 run["id"])
    check_equal(len(rollouts), 16, "rollouts of two steps of eight")
    press("ctrl+5")
    page = app.page("Inspect")
    first = wait(lambda: next((thing for thing in app.things(page) if thing.role == "label"
                               and any(thing.name and thing.name in row["prompt"]
                                       for row in rollouts)), None), "a rollout's prompt")
    check(first.name, "the rollout has no prompt")
    app.wait_for("label", r".*Σ reward.*✓.*", page)


def scenario(folder):
    project = make_project(folder, n_prompts=12)
    ctl("ranking", "simulate", "--judge", STARTER / "judge.json", "--project", project)
    with Focus() as focus, Laurel(project) as app:
        app.wait_for("label", "All Ranked|Nothing to Rank Yet")
        launch(app, focus, "r", "Train a Reward Model", {"Steps": "1000"})
        follow(app)
        check_reward_model(app, wait_done(app, "reward-1"))

        launch(app, focus, "o", "Train with PPO",
               {"Batch Size": "8", "Steps": "2", "Response Length": "16"})
        run = wait_done(app, "policy-1")
        app.wait_for("list item", "policy-1, PPO · Done .*", app.page("Runs"))
        check_rollouts(app, run)


if __name__ == "__main__":
    main(scenario)
