# close.py: closing the window while a run lives asks once; stopped and closed,
# the run keeps what it did and Laurel ends without a complaint.
#
# SPDX-License-Identifier: Apache-2.0
from launch import launch
from screen import STARTER, Focus, Laurel, check_equal, ctl, main, make_project, press, wait


def scenario(folder):
    project = make_project(folder, n_prompts=12)
    ctl("ranking", "simulate", "--judge", STARTER / "judge.json", "--project", project)
    with Focus() as focus, Laurel(project) as app:
        app.wait_for("label", "All Ranked|Nothing to Rank Yet")
        launch(app, focus, "r", "Train a Reward Model", {"Steps": "1000000"})
        wait(app.run_strip, "the run strip")

        press("ctrl+q")
        app.focus_new_window("the question about the run")
        press("Escape")
        wait(lambda: len(app.windows()) == 1, "the question to go")
        app.focus_window()
        wait(app.run_strip, "the run strip, as nothing was decided")

        press("ctrl+q")
        app.focus_new_window("the question about the run")
        press("alt+s")
        wait(lambda: app.process.poll() is not None, "Laurel to end")
        check_equal(app.process.returncode, 0, "Laurel's exit code")
        run, = app.database.rows("SELECT * FROM runs WHERE output = 'reward-1'")
        check_equal(run["status"], "stopped", "how the run ended")


if __name__ == "__main__":
    main(scenario)
