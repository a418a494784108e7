# latency.py: how long a digit pressed on the Label page takes to be painted while
# PPO uses every core. Run by latency.sh; prints the measure, judges nothing.
#
# SPDX-License-Identifier: Apache-2.0
import json
import shutil
import time
from pathlib import Path

from launch import launch
from screen import Focus, Laurel, check, ctl, main, press, wait, xdotool

N_PRESSES = 200
SECONDS_BETWEEN = 0.2


def make_starter(folder):
    """The starter project with tasks, and the reward model that PPO wants."""
    project = folder / "starter"
    ctl("project", "create", project)
    sft, = (row for row in ctl("model", "list", "--project", project) if row["kind"] == "sft")
    ctl("sample", "run", "--task", "--model", sft["name"], "--prompts", 24, "--max-tokens", 48,
        "--project", project)
    judge = next(path for path in project.rglob("judge.json"))
    ctl("ranking", "simulate", "--judge", judge, "--count", 20, "--project", project)
    ctl("train", "reward", "--model", sft["name"], "--output", "reward-latency", "--set",
        "max_steps=2", "--project", project)
    return project


def press_digits():
    """1, 2, 3, 4 on one card after the other, about five a second; J goes on to the next card."""
    for i in range(N_PRESSES):
        start = time.monotonic()
        xdotool("key", str(i % 4 + 1))
        time.sleep(max(0, SECONDS_BETWEEN - (time.monotonic() - start)))


def read_percentiles(path):
    samples = [json.loads(line) for line in Path(path).read_text().splitlines()]
    digits = sorted(sample["milliseconds"] for sample in samples if sample["key"] in "1234")
    check(len(digits) >= N_PRESSES * 0.9, f"only {len(digits)} key presses were measured")
    return len(digits), digits[len(digits) // 2], digits[int(len(digits) * 0.95)], digits[-1]


def measure(project, folder, name, prepare=None):
    path = folder / f"{name}.jsonl"
    with Laurel(project, "--measure-latency", str(path)) as app:
        app.wait_task()
        if prepare:
            prepare(app)
        # The first frames of a page are of another kind.
        time.sleep(2)
        press_digits()
        check(not prepare or app.run_strip(), "the run ended before the measure did")
        # The measure is written when the window closes.
        press("ctrl+q")
        if prepare:
            app.focus_new_window("the question about the run")
            press("alt+s")
        wait(path.exists, "the measure")
        n, median, most, worst = read_percentiles(path)
        print(f"{name:16} {n:4} presses   median {median:6.1f} ms   95 % {most:6.1f} ms   "
              f"worst {worst:6.1f} ms", flush=True)


def scenario(folder):
    project = make_starter(folder)

    def start_ppo(app):
        with Focus() as focus:
            launch(app, focus, "o", "Train with PPO", {"Steps": "1000"})
        wait(app.run_strip, "the run strip")
        # Past its preparations, into rollouts and updates.
        wait(lambda: app.database.value("SELECT max (step) FROM runs WHERE kind = 'ppo'"),
             "PPO's first step", 120)
        press("ctrl+1")
        app.wait_focus("A")

    again = folder / "again"
    shutil.copytree(project, again)
    measure(project, folder, "at rest")
    measure(again, folder, "while PPO runs", start_ppo)


main(scenario)
