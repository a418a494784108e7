# labeler_profile.py: a labeler sees the Label page alone, and no model's name
# anywhere, not even by ear.
#
# SPDX-License-Identifier: Apache-2.0
from screen import (STARTER, Laurel, Thing, check, check_equal, ctl, main, make_project, press,
                    set_setting)

PAGES = ["Data", "Models", "Runs", "Inspect"]


def read_everything(app):
    """All that is said of anything that is not hidden, whether it has room now or not."""
    app.application.clear_cache()
    said = []
    things = [Thing(app.application)]
    while things:
        thing = things.pop()
        said += [thing.name, thing.description, thing.text]
        things += [child for child in thing.children() if child.visible]
    return said


def order_queue(project):
    """Lets a reward model choose what is ranked next."""
    ctl("ranking", "simulate", "--judge", STARTER / "judge.json", "--count", 4,
        "--project", project)
    ctl("train", "reward", "--model", "sft-tiny", "--output", "reward-tiny",
        "--set", "max_steps=1", "--set", "normalize_rewards=false", "--project", project)
    ctl("ranking", "queue", "--strategy", "near-tie", "--reward-model", "reward-tiny",
        "--project", project)


def check_blind(app, secrets):
    said = read_everything(app)
    check(any("Completion A" in text for text in said), "the cards cannot be read")
    for secret in secrets:
        leaks = sorted({text for text in said if secret in text})
        check(not leaks, f"“{secret}” is on a labeler's screen: {leaks}")


def scenario(folder):
    project = make_project(folder)
    order_queue(project)
    set_setting(folder, "profile", "'labeler'")
    with Laurel(project) as app:
        models = [row["name"] for row in app.database.rows("SELECT name FROM models")]
        check_equal(sorted(models), ["base-tiny", "reward-tiny", "sft-tiny"],
                    "models in the project")
        samplers = app.database.rows("SELECT DISTINCT sampler FROM tasks")
        secrets = models + [row["sampler"] for row in samplers] + ["riority"]
        check("near-tie" in secrets, "nothing chose the tasks")
        app.wait_task()
        check_blind(app, secrets)
        for role, name in [("page tab", name) for name in PAGES] + [("push button", "Train")]:
            check(app.find(role, name) is None, f"[{role}] “{name}” is on a labeler's screen")
        for number in range(2, 6):
            press(f"ctrl+{number}")
        for name in PAGES:
            check(app.find(name=f"Laurel{name}Page") is None, f"Ctrl and a digit show {name}")
        app.wait_focus("A")

        press("1", "2", "3", "4", "ctrl+Return")
        app.wait_task()
        check_blind(app, secrets)


main(scenario)
