# screen.py: what the end-to-end tests share: a project of their own, Laurel on a
# screen of its own, and a person's eyes (AT-SPI), hands (xdotool) and, behind
# the program's back, a look into its database.
#
# SPDX-License-Identifier: Apache-2.0
"""Drives the built programs named by $LAUREL and $LAURELCTL; see README.md."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

# A loaded machine is slow, not wrong: only a program that stands still fails.
PATIENCE = float(os.environ.get("LAUREL_E2E_PATIENCE", "30"))
STARTER = Path(__file__).resolve().parents[2] / "data" / "starter"
APPLICATION = "io.github.laurel_rlhf.Laurel"
# GLib never frees the table of its quarks when it makes a longer one, as readers take no lock. No
# suppression can name that: the stack that LeakSanitizer sees ends in g_malloc().
QUARKS = re.compile(r"==\d+==ERROR: LeakSanitizer(?:(?!SUMMARY)[\s\S])*"
                    r"SUMMARY: AddressSanitizer: 16384 byte\(s\) leaked in 1 allocation\(s\)\.")
# Larger than the pages need, so that no card has to be scrolled to.
SIZE = "1300x960"

# Small enough to be made and trained within seconds, large enough to learn words.
CONFIG = {
    "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "vocab_size": 512,
    "n_positions": 96, "n_embd": 32, "n_layer": 1, "n_head": 2,
    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "initializer_range": 0.02,
    "tie_word_embeddings": True, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0,
}


class Failure(Exception):
    """What a person would complain about."""


def check(condition, complaint):
    if not condition:
        raise Failure(complaint)


def check_equal(found, expected, what):
    check(found == expected, f"{what}: found {found!r}, expected {expected!r}")


def wait(look, what, patience=None):
    """Looks until it sees something, and returns that."""
    end = time.monotonic() + (patience or PATIENCE)
    while True:
        try:
            seen = look()
        except GLib.Error:
            seen = None  # What we looked at went away.
        if seen:
            return seen
        if time.monotonic() > end:
            raise Failure(f"waited in vain for {what}")
        time.sleep(0.04)


# --- Projects --------------------------------------------------------------


def ctl(*arguments):
    """Runs laurelctl and returns what it prints, as data."""
    command = [os.environ["LAURELCTL"], *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()}")
    lines = done.stdout.strip()
    try:
        return json.loads(lines)
    except json.JSONDecodeError:
        return [json.loads(line) for line in lines.splitlines()]


def make_project(folder, n_prompts=6, n_completions=4):
    """A project with a little SFT model that has answered @n_prompts prompts."""
    project = folder / "tiny"
    material = folder / "material"
    material.mkdir()
    (material / "config.json").write_text(json.dumps(CONFIG))
    ctl("tokenizer", "train", STARTER / "demonstrations.jsonl", "--algorithm", "bpe",
        "--vocab-size", CONFIG["vocab_size"], "--output", material / "tokenizer")
    ctl("project", "create", project, "--empty")
    ctl("prompt", "import", STARTER / "prompts.jsonl", "--project", project)
    ctl("model", "create", "base-tiny", "--config", material / "config.json",
        "--tokenizer", material / "tokenizer", "--seed", 1, "--project", project)
    ctl("train", "sft", STARTER / "demonstrations.jsonl", "--model", "base-tiny",
        "--output", "sft-tiny", "--set", "max_steps=60", "--set", "learning_rate=0.01",
        "--project", project)
    if n_prompts:
        ctl("sample", "run", "--task", "--model", "sft-tiny", "--prompts", n_prompts,
            "--completions", n_completions, "--max-tokens", 24, "--seed", 3,
            "--project", project)
    return project


class Database:
    """A project's database, to read only."""

    def __init__(self, project):
        self.uri = f"file:{Path(project) / 'project.sqlite'}?mode=ro"

    def rows(self, query, *values):
        connection = sqlite3.connect(self.uri, uri=True, timeout=10)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def value(self, query, *values):
        rows = self.rows(query, *values)
        return next(iter(rows[0].values())) if rows else None

    def rankings(self):
        """All rankings, the oldest first, each with its ranks in the order that was shown."""
        rankings = self.rows("SELECT * FROM rankings ORDER BY id")
        for ranking in rankings:
            ranking["ranks"] = self.rows(
                "SELECT r.completion_id, r.rank, r.quality, r.flags, c.text FROM ranks AS r"
                " JOIN completions AS c ON c.id = r.completion_id"
                " WHERE r.ranking_id = ? ORDER BY r.position", ranking["id"])
        return rankings


# --- Hands -----------------------------------------------------------------


def xdotool(*arguments):
    done = subprocess.run(["xdotool", *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    return done.stdout.split() if done.returncode == 0 else []


def press(*keys):
    """Key by key, as xdotool names them: press ("1", "ctrl+Return")."""
    for key in keys:
        xdotool("key", "--clearmodifiers", key)
        time.sleep(0.06)


def write(text):
    xdotool("type", "--delay", 15, text)


def drag(start, end):
    """Presses at @start, moves in steps as a hand does, and lets go at @end."""
    (x, y), (to_x, to_y) = start, end
    xdotool("mousemove", x, y)
    time.sleep(0.1)
    xdotool("mousedown", 1)
    time.sleep(0.1)
    for i in range(1, 11):
        xdotool("mousemove", round(x + (to_x - x) * i / 10), round(y + (to_y - y) * i / 10))
        time.sleep(0.05)
    # A last small move: what is below the pointer may have made room meanwhile.
    xdotool("mousemove", to_x + 1, to_y)
    time.sleep(0.15)
    xdotool("mouseup", 1)
    time.sleep(0.1)


# --- Eyes ------------------------------------------------------------------


class Thing:
    """One accessible: what a screen reader would know of a widget."""

    def __init__(self, accessible):
        self.accessible = accessible
        self.path = accessible.path
        self.role = accessible.get_role_name()
        self.name = accessible.get_name() or ""
        self.states = accessible.get_state_set()
        self.extents = None

    def __repr__(self):
        return f"[{self.role}] “{self.name}”"

    @property
    def description(self):
        return self.accessible.get_description() or ""

    @property
    def text(self):
        text = self.accessible.get_text_iface()
        if text is None:
            return ""
        return Atspi.Text.get_text(text, 0, Atspi.Text.get_character_count(text))

    @property
    def focusable(self):
        return self.states.contains(Atspi.StateType.FOCUSABLE)

    @property
    def focused(self):
        return self.states.contains(Atspi.StateType.FOCUSED)

    @property
    def sensitive(self):
        return self.states.contains(Atspi.StateType.SENSITIVE)

    def children(self):
        for i in range(self.accessible.get_child_count()):
            child = self.accessible.get_child_at_index(i)
            if child is not None:
                try:
                    yield Thing(child)
                except GLib.Error:
                    continue  # It went away while we looked.

    @property
    def visible(self):
        return self.states.contains(Atspi.StateType.VISIBLE)

    @property
    def placed(self):
        """Has room on the screen. GTK 4.8 calls only windows “showing”; what is in a closed
        revealer, or on a page that was never opened, is “visible” but has no room."""
        if not self.visible:
            return False
        if self.accessible.get_component_iface() is None:
            return True  # A stack's page is not a widget itself.
        return self.box()[2] > 0 and self.box()[3] > 0

    def walk(self, depth=0):
        """All of it that has room on the screen, with the depth, top to bottom."""
        yield self, depth
        for child in self.children():
            if child.placed:
                yield from child.walk(depth + 1)

    def box(self):
        """x, y, width and height, in the window, which is at the screen's corner."""
        if self.extents is None:
            extents = Atspi.Component.get_extents(self.accessible.get_component_iface(),
                                                  Atspi.CoordType.WINDOW)
            self.extents = extents.x, extents.y, extents.width, extents.height
        return self.extents

    def middle(self):
        x, y, width, height = self.box()
        return x + width // 2, y + height // 2

    def activate(self):
        """What a click or a screen reader's “activate” does."""
        action = self.accessible.get_action_iface()
        check(action is not None and Atspi.Action.get_n_actions(action) > 0,
              f"{self} has no action")
        Atspi.Action.do_action(action, 0)


class Focus:
    """Hears where the focus goes."""

    def __init__(self):
        self.heard = []
        self.listener = Atspi.EventListener.new(self._on_focused)

    def __enter__(self):
        self.listener.register("object:state-changed:focused")
        return self

    def __exit__(self, kind, value, trace):
        self.listener.deregister("object:state-changed:focused")
        return False

    def _on_focused(self, event):
        # An event's source lives only as long as the event: take what is wanted of it here.
        if event.detail1:
            try:
                self.heard.append(Thing(event.source))
            except GLib.Error:
                pass

    def _listen(self):
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)
        return self.heard

    def press(self, key, patience=2):
        """Presses a key and returns what has the focus then, or None when it stays where it is.
        Of the thing only role, name and path may be used."""
        self._listen()
        self.heard.clear()
        press(key)
        try:
            wait(self._listen, "the focus to move", patience)
        except Failure:
            return None
        return self.heard[-1]


# --- The program -----------------------------------------------------------


class Laurel:
    """Laurel on a project, from start to end; use it in a with statement."""

    def __init__(self, project, *options):
        self.project = project
        self.database = Database(project)
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [os.environ["LAUREL"], "--size", SIZE, *options, str(project)],
            stdout=self.log, stderr=self.log)
        self.window = None
        self.list = None
        # Out of the way, where it raises no tooltip.
        xdotool("mousemove", 1590, 990)
        self.application = wait(self._find_application, "Laurel on the accessibility bus")
        self.focus_window()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.report()
        self.close()
        return False

    def _find_application(self):
        check(self.process.poll() is None,
              f"Laurel ended at its start with {self.process.returncode}: {self.said()}")
        desktop = Atspi.get_desktop(0)
        desktop.clear_cache()
        for i in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(i)
            try:
                if (child is not None and child.get_process_id() == self.process.pid
                        and child.get_child_count() > 0):
                    return child
            except GLib.Error:
                continue
        return None

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def report(self):
        """For whoever reads a failed test's output: what was on the screen."""
        try:
            for thing, depth in Thing(self.application).walk():
                if thing.name:
                    print("  " * depth + repr(thing), file=sys.stderr)
        except (GLib.Error, Failure) as error:
            print(f"the screen cannot be read: {error}", file=sys.stderr)
        print(self.said(), file=sys.stderr)

    # Windows

    def windows(self):
        """Our windows, the oldest first. Tooltips and menus are called like the program."""
        found = xdotool("search", "--onlyvisible", "--pid", self.process.pid, "--name", ".")
        return [window for window in found if xdotool("getwindowname", window) != ["laurel"]]

    def focus_window(self):
        """Gives the newest of our windows the keys; there is no window manager that would."""
        window = wait(self.windows, "a window")[-1]
        self.window = window
        xdotool("windowfocus", "--sync", window)
        time.sleep(0.2)

    def focus_new_window(self, what):
        """The same, once another window than the one with the keys is there."""
        def another():
            windows = self.windows()
            return windows and windows[-1] != self.window
        wait(another, what)
        self.focus_window()

    # Looking

    def things(self, within=None):
        """Everything on the screen, or in a part of it. Pages that were left keep their room, so
        ask for the page when that matters."""
        self.application.clear_cache()
        found = []
        try:
            for thing, _ in (within or Thing(self.application)).walk():
                found.append(thing)
        except GLib.Error:
            pass  # A widget went away while we looked; whoever waits looks again.
        return found

    def find(self, role=None, name=None, within=None):
        """The first thing whose role and name match these patterns wholly, or None."""
        for thing in self.things(within):
            if (role is None or re.fullmatch(role, thing.role)) and (
                    name is None or re.fullmatch(name, thing.name, re.DOTALL)):
                return thing
        return None

    def wait_for(self, role=None, name=None, within=None):
        return wait(lambda: self.find(role, name, within), f"[{role}] “{name}”")

    def _find_part(self, name):
        """A part of the window, shown or not: level by level, because it is not deep."""
        self.application.clear_cache()
        level = [Thing(self.application)]
        while level:
            for thing in level:
                if thing.name == name:
                    return thing
            level = [child for thing in level for child in thing.children()]
        return None

    def page(self, name):
        """A page's widget, which AT-SPI calls by its class as it has no name of its own."""
        def look():
            page = self._find_part(f"Laurel{name}Page")
            return page if page is not None and page.placed else None
        return wait(look, f"the page {name}")

    def front(self):
        """The newest window: the dialog, if one is open."""
        return Thing(self.application.get_child_at_index(self.application.get_child_count() - 1))

    def run_strip(self):
        """What the run strip shows; nothing while no run lives."""
        strip = self._find_part("The run now")
        return [part for part in self.things(strip) if part.path != strip.path] if strip else []

    @property
    def width(self):
        return Thing(self.application.get_child_at_index(0)).box()[2]

    def settle(self):
        """Until what is on the screen stays as it is: revealers have opened, lists are filled."""
        def look():
            seen = [(thing.name, thing.box()) for thing in self.things()
                    if thing.accessible.get_component_iface() is not None]
            is_same = seen == look.last
            look.last = seen
            return is_same
        look.last = None
        wait(look, "the screen to come to rest")

    # The Label page

    def cards(self):
        """The cards by letter."""
        if self.list is None:
            self.list = self.wait_for("list", "Completions, from best to worst")
        self.list.accessible.clear_cache()
        try:
            return {thing.name[len("Completion ")]: thing for thing in self.list.children()
                    if thing.role == "list item"}
        except GLib.Error:
            return {}

    def wait_cards(self, expected):
        """Waits until the cards are called so: {"A": "rank 1", "B": "not ranked"}."""
        def look():
            cards = self.cards()
            found = {letter: card.name.split(", ", 1)[1] for letter, card in cards.items()}
            return cards if found == expected else None
        return wait(look, f"the cards {expected}")

    def wait_task(self, n_cards=4):
        """Waits for an untouched task with its first card focused."""
        fresh = {letter: "not ranked" for letter in "ABCDEFGHI"[:n_cards]}
        cards = self.wait_cards(fresh)
        self.wait_focus("A")
        return cards

    def wait_focus(self, letter):
        def look():
            card = self.cards().get(letter)
            return card is not None and card.focused
        wait(look, f"the focus on completion {letter}")

    # The end

    def kill(self):
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._wait_for_bus()

    def _wait_for_bus(self):
        """Until the bus has noticed the end: the next start must not call on one that is gone."""
        bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        def is_free():
            owned = bus.call_sync("org.freedesktop.DBus", "/", "org.freedesktop.DBus",
                                  "NameHasOwner", GLib.Variant("(s)", (APPLICATION,)), None,
                                  Gio.DBusCallFlags.NONE, -1, None)
            return not owned.unpack()[0]
        wait(is_free, "Laurel's name on the bus to be free")

    def close(self):
        """Ends it if it still runs, and listens to what it complained of."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                raise Failure("Laurel did not end when asked to") from None
            self._wait_for_bus()
        # No notification server, no session manager and no GPU are this screen's, not Laurel's.
        complaints = [line for line in QUARKS.sub("", self.said()).splitlines()
                      if re.search(r"CRITICAL|WARNING|ERROR", line)
                      and not re.search(r"Notifications|SessionManager|GLX|MESA|libEGL|dconf", line)]
        check(not complaints, "Laurel complained: " + "; ".join(complaints))


def main(scenario):
    """Runs @scenario with a folder of its own; exits with 1 and the reason if it fails."""
    folder = Path(tempfile.mkdtemp(prefix="laurel-e2e-"))
    for name in ("data", "config", "cache", "state"):
        (folder / name).mkdir()
        os.environ[f"XDG_{name.upper()}_HOME"] = str(folder / name)
    # Settings in a file, so that a scenario can set them before the start and find them after it.
    os.environ["GSETTINGS_BACKEND"] = "keyfile"
    os.environ["GTK_A11Y"] = "atspi"
    os.environ["GDK_BACKEND"] = "x11"
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("G_DEBUG", None)
    try:
        scenario(folder)
    except Failure as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def set_setting(folder, key, value):
    """Writes a setting as GVariant text, before Laurel starts."""
    path = folder / "config" / "glib-2.0" / "settings" / "keyfile"
    path.parent.mkdir(parents=True, exist_ok=True)
    group = "[io/github/laurel_rlhf/Laurel]"
    lines = path.read_text().splitlines() if path.exists() else []
    if group not in lines:
        lines.append(group)
    lines.insert(lines.index(group) + 1, f"{key}={value}")
    path.write_text("\n".join(lines) + "\n")
