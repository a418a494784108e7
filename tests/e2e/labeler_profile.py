# labeler_profile.py: a labeler sees the Label page alone, and no model's name
# anywhere, not even by ear.
#
# SPDX-License-Identifier: Apache-2.0
from screen import Laurel, Thing, check, check_equal, main, make_project, press, set_setting

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


def check_blind(app, models):
    said = read_everything(app)
    check(any("Completion A" in text for text in said), "the cards cannot be read")
    for model in models:
        leaks = sorted({text for text in said if model in text})
        check(not leaks, f"the model “{model}” is named: {leaks}")


def scenario(folder):
    project = make_project(folder)
    set_setting(folder, "profile", "'labeler'")
    with Laurel(project) as app:
        models = [row["name"] for row in app.database.rows("SELECT name FROM models")]
        check_equal(sorted(models), ["base-tiny", "sft-tiny"], "models in the project")
        app.wait_task()
        check_blind(app, models)
        for role, name in [("page tab", name) for name in PAGES] + [("push button", "Train")]:
            check(app.find(role, name) is None, f"[{role}] “{name}” is on a labeler's screen")
        for number in range(2, 6):
            press(f"ctrl+{number}")
        for name in PAGES:
            check(app.find(name=f"Laurel{name}Page") is None, f"Ctrl and a digit show {name}")
        app.wait_focus("A")

        press("1", "2", "3", "4", "ctrl+Return")
        app.wait_task()
        check_blind(app, models)


main(scenario)
