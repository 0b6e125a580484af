"""The status line on a real terminal of 80 columns, in processes without TensorFlow."""

from __future__ import annotations

import os
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)

from terminals import Terminal

SCRIPT = """
import os, sys, time
from lenet_tf.runtime.output import print_line
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.runtime.signals import graceful_interrupt
from lenet_tf.training.progress_text import ProgressClock, render_bar

def wait():
    while not os.path.exists("go"): time.sleep(0.005)
    os.remove("go")

def draw(done, **options):
    clock = ProgressClock(10, 1875)
    clock.start_epoch(2, 0.0)
    clock.finish_steps(125, 1.0)
    clock.finish_steps(done, 3.0)
    STATUS.draw(lambda width: render_bar(clock, {}, width, **options))
"""
BAR = "epoch  3/10  "


def start(tmp_path, code: str, **options) -> Terminal:
    (tmp_path / "script.py").write_text(SCRIPT + code, encoding="utf-8")
    return Terminal("script.py", folder=tmp_path, PYTHONPATH=os.getcwd(), **options)


def go_on(tmp_path) -> None:
    """End a `wait` of the script, whose terminal echoes no key for it."""
    (tmp_path / "go").touch()


def test_each_text_replaces_the_one_before(tmp_path):
    code = """
with STATUS.show("starting TensorFlow"):
    wait()
    os.write(2, b"2026-01-01 00:00:00.000000: I tensorflow/core/port.cc:153] messages\\n")
    with STATUS.show("building lenet5"):
        pass
    wait()
    print_line("lenet5  61,706 parameters")
    draw(250)
    with STATUS.make_way():
        print("from a", "callback")
        print("to be", end=" ")
        draw(375)
        print("continued")
        print("a warning", file=sys.stderr)
        draw(500)
        wait()
"""
    terminal = start(tmp_path, code)
    terminal.wait_for(lambda text: text == "starting TensorFlow...")
    go_on(tmp_path)
    message = "2026-01-01 00:00:00.000000: I tensorflow/core/port.cc:153] messages"
    terminal.wait_for(lambda text: text.endswith("building lenet5..."))
    assert terminal.lines == [message, "building lenet5..."]
    go_on(tmp_path)
    terminal.wait_for(lambda text: "500/1,875" in text)
    *lines, bar = terminal.lines
    assert lines[1:] == [
        "lenet5  61,706 parameters",
        "from a callback",
        "to be continued",
        "a warning",
    ]
    assert bar.startswith(BAR + "━")
    assert len(bar) == 79
    go_on(tmp_path)
    assert terminal.finish() == 0
    assert terminal.lines[-1] == "a warning"


def test_a_window_that_changes_its_width_keeps_one_bar(tmp_path):
    code = "draw(250)\nwait()\ndraw(375)\nwait()\ndraw(500)\nwait()\nSTATUS.clear()"
    terminal = start(tmp_path, code)
    for columns, count in ((80, "250/1,875"), (60, "375/1,875"), (100, "500/1,875")):
        terminal.wait_for(lambda text, count=count: count in text)
        (bar,) = terminal.lines
        assert len(bar) == columns - 1, bar
        terminal.resize({80: 60, 60: 100, 100: 100}[columns])
        go_on(tmp_path)
    assert terminal.finish() == 0
    assert terminal.text == ""


def test_ctrl_c_leaves_no_torn_bar(tmp_path):
    code = """
try:
    with graceful_interrupt() as shutdown:
        draw(250)
        while not shutdown.signal: time.sleep(0.01)
        draw(375, is_last=True)
        while True: time.sleep(0.01)
except KeyboardInterrupt:
    print_line("interrupted", error=True)
"""
    terminal = start(tmp_path, code)
    terminal.wait_for(lambda text: "250/1,875" in text)
    terminal.press("\x03")
    terminal.wait_for(lambda text: "375/1,875" in text)
    notice = [
        "Stopping after this epoch. Send the signal again to stop at once; finished epoch",
        "s are saved in either case.",
    ]
    assert terminal.lines[:2] == notice
    assert terminal.lines[2].startswith(BAR)
    assert terminal.lines[2].endswith(" left, then stops")
    assert len(terminal.lines) == 3
    terminal.press("\x03")
    assert terminal.finish() == 0
    assert terminal.lines == [*notice, "interrupted"]


def test_several_lines_are_replaced_as_one(tmp_path):
    code = """
from types import SimpleNamespace as Some
from lenet_tf.reproduce.display import render_tasks

def draw_tasks(*epochs):
    row = Some(epochs=40)
    names = ("lenet5-modern-color-accurate, seed 4", "tiny, seed 0")
    tasks = [Some(name=n, finished_epochs=e, row=row) for n, e in zip(names, epochs)]
    STATUS.draw(lambda width: "\\n".join([*render_tasks(tasks, width), "1 of 9 runs finished"]))

draw_tasks(1, 2)
print_line("lenet5, seed 0: test accuracy 98.5%")
draw_tasks(39, 40)
wait()
draw_tasks(40)
wait()
STATUS.clear()
"""
    terminal = start(tmp_path, code)
    terminal.wait_for(lambda text: "epoch 39/40" in text)
    assert terminal.lines[0] == "lenet5, seed 0: test accuracy 98.5%"
    assert terminal.lines[1].startswith("lenet5-modern-color-accurate, seed 4  epoch 39/40  ━━━━━")
    assert terminal.lines[2].startswith("tiny, seed 0                          epoch 40/40  ━━━━━")
    assert terminal.lines[3:] == ["1 of 9 runs finished"]
    terminal.resize(60)
    go_on(tmp_path)
    terminal.wait_for(lambda text: "39/40" not in text)
    assert len(terminal.lines) == 3
    assert max(map(len, terminal.lines)) < 60
    go_on(tmp_path)
    assert terminal.finish() == 0
    assert terminal.lines == ["lenet5, seed 0: test accuracy 98.5%"]


@pytest.mark.parametrize(
    ("variables", "columns", "bar"),
    [
        ({"LC_ALL": "C"}, 80, "---"),
        ({"NO_COLOR": "1"}, 80, "━━━"),
        ({"TERM": "dumb"}, 80, None),
        ({}, 0, "━━━"),
    ],
    ids=["ascii", "no color", "dumb", "no size"],
)
def test_what_a_terminal_lacks_is_not_used(tmp_path, variables, columns, bar):
    code = """
with STATUS.show("muted", quiet=True), STATUS.show("muted"): draw(125)
with STATUS.show("starting TensorFlow"): pass
draw(1000)
wait()
"""
    terminal = start(tmp_path, code, columns=columns, **variables)
    terminal.wait_for(lambda text: ("1,000/1,875" if bar else "starting") in text)
    (line,) = terminal.lines
    assert b"muted" not in terminal.output
    if bar is None:
        assert (line, b"\x1b" in terminal.output) == ("starting TensorFlow...", False)
    else:
        assert line.startswith(BAR + bar)
        assert len(line) == 79
        assert (b"\x1b[3" in terminal.output) == ("NO_COLOR" not in variables)
        assert line.isascii() == ("LC_ALL" in variables)
    go_on(tmp_path)
    assert terminal.finish() == 0


def test_a_terminal_that_goes_away_stops_nothing(tmp_path):
    code = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
draw(250)
while not os.path.exists("closed"): time.sleep(0.01)
with STATUS.make_way(), STATUS.show("testing"):
    draw(375)
    print_line("lost")
open("finished", "w").close()
"""
    terminal = start(tmp_path, code)
    terminal.wait_for(lambda text: "250/1,875" in text)
    os.close(terminal.controller)
    (tmp_path / "closed").touch()
    os.waitpid(terminal.pid, 0)
    assert (tmp_path / "finished").exists()


def test_a_job_in_the_background_draws_no_bar(tmp_path):
    code = """
draw(250)
if os.fork() == 0:
    os.setpgid(0, 0)
    draw(375)
    with STATUS.show("building"): print_line("a line of the other job")
    os._exit(0)
os.wait()
draw(500)
wait()
"""
    terminal = start(tmp_path, code)
    terminal.wait_for(lambda text: "500/1,875" in text)
    assert b"375/1,875" not in terminal.output
    assert b"building" not in terminal.output
    assert b"a line of the other job" in terminal.output
    go_on(tmp_path)
    assert terminal.finish() == 0


def test_a_command_says_at_once_what_it_does(tmp_path):
    """The text is there although TensorFlow, whose import takes seconds, never gets ready."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("import time\ntime.sleep(600)\n")
    path = os.pathsep.join((str(tmp_path), os.getcwd()))
    terminal = Terminal("-m", "lenet_tf", "train", folder=tmp_path, PYTHONPATH=path)
    terminal.wait_for(lambda text: text.startswith(("starting", "reading")), 10)
    terminal.press("\x03")
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.text
