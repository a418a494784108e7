# names.py: on every page, whatever can have the focus has a name that says what
# it is, and Tab visits it and comes around again.
#
# SPDX-License-Identifier: Apache-2.0
import re

from screen import Focus, Laurel, check, main, make_project, press

PAGES = ["Label", "Data", "Models", "Runs", "Inspect"]
# What a person acts on with a key of its own; lists and tables are walked with the arrows.
CONTROLS = {"push button", "toggle button", "check box", "slider", "spin button", "text", "entry",
            "combo box", "page tab", "image"}
# Reached with the window manager's keys, as in every GTK program.
NOT_IN_TAB_ORDER = {"Minimize", "Maximize", "Close"}
MOST_STOPS = 80


def is_proper(name):
    """A name for people: GTK falls back to the class, and a mnemonic's underscore is not spoken."""
    return bool(name.strip()) and not re.match(r"(Gtk|Adw|Laurel)[A-Z]|.*\b_\w", name)


def go_around(focus):
    """Presses Tab until it comes to where it was before; returns where it stopped."""
    stops = []
    while len(stops) < MOST_STOPS:
        thing = focus.press("Tab")
        check(thing is not None, f"Tab leads nowhere after {stops[-1] if stops else 'the start'}")
        if any(thing.path == stop.path for stop in stops):
            return stops
        stops.append(thing)
    check(False, f"Tab does not come around after {MOST_STOPS} stops: {stops[-5:]}")


def check_page(app, focus, number, name):
    press(f"ctrl+{number}")
    page = app.page(name)
    app.settle()
    stops = go_around(focus)
    nameless = [thing for thing in stops if not is_proper(thing.name)]
    # By role and name, because a list's selection follows Tab and may fill the page anew.
    visited = {(thing.role, thing.name) for thing in stops}
    width = app.width
    for thing in app.things(page):
        if thing.focusable and thing.role in CONTROLS and thing.box()[0] < width:
            if not is_proper(thing.name):
                nameless.append(thing)
            elif thing.sensitive and thing.name not in NOT_IN_TAB_ORDER:
                check((thing.role, thing.name) in visited,
                      f"Tab does not come to {thing} on {name}; it comes to {stops}")
    check(not nameless, f"without a proper name on {name}: {nameless}")


def scenario(folder):
    project = make_project(folder)
    with Focus() as focus, Laurel(project) as app:
        app.wait_task()
        for number, name in enumerate(PAGES, start=1):
            check_page(app, focus, number, name)


main(scenario)
