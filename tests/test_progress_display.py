"""What a person sees of a training: a bar, a line for each epoch, or Keras' lines."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest
import quick
from processes import NO_NETWORK

import lenet_tf
from lenet_tf.runtime.signals import ShutdownRequest
from lenet_tf.training import progress_display
from lenet_tf.training.progress_display import EpochBar, NotebookBar, create_progress_display
from lenet_tf.training.progress_text import ProgressClock, format_epoch, render_bar

LOGS = {
    "loss": 0.35118,
    "accuracy": 0.89614,
    "val_loss": 0.1634,
    "val_accuracy": 0.9512,
    "seconds": 4.13,
}
needs_terminal = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")


def test_the_line_of_an_epoch_fits_and_is_aligned():
    line = "epoch  1/10     4.1 s  loss 0.3512  val 0.1634  accuracy 89.61%  val 95.12%"
    assert format_epoch(0, 10, LOGS, 79) == line
    assert len(format_epoch(9, 10, LOGS | {"accuracy": 1.0, "seconds": 12345.6}, 79)) == len(line)
    for width, text in (
        (69, "epoch  1/10     4.1 s  loss 0.3512  accuracy 89.61%  val 95.12%"),
        (59, "epoch  1/10     4.1 s  accuracy 89.61%  val 95.12%"),
        (39, "epoch  1/10     4.1 s  val 95.12%"),
    ):
        assert format_epoch(0, 10, LOGS, width) == text
    assert format_epoch(0, 10, {"loss": float("nan")}, 79).endswith("loss nan")


@pytest.mark.parametrize("width", [1, 10, 39, 59, 79, 119])
def test_the_bar_has_the_width_of_the_terminal(width):
    clock = ProgressClock(epochs=10, steps=1875)
    clock.start_epoch(2, 0.0)
    texts = [render_bar(clock, {}, width, color=False)]
    for call in range(1, 16):
        clock.finish_steps(125 * call, 0.3 * call)
        texts.append(render_bar(clock, LOGS, width, color=False))
    assert all(len(text) <= width for text in texts)
    # From the second call on, which gives a rate.
    assert len({len(text) for text in texts[2:]}) == 1
    assert ("1,875/1,875" in texts[-1]) == (width >= 59)
    assert ("steps" in texts[-1]) == (width >= 79)
    assert ("loss 0.3512  accuracy 89.61%" in texts[-1]) == (width >= 119)


def test_the_time_left_leaves_out_what_is_compiled_once():
    clock = ProgressClock(epochs=3, steps=100)
    clock.start_epoch(0, 0.0)
    assert clock.is_compiling
    clock.finish_steps(50, 60.0)
    assert (clock.rate, clock.seconds_left) == (None, None)
    clock.finish_steps(75, 65.0)
    assert clock.rate == pytest.approx(5)
    assert clock.seconds_left == pytest.approx((5, 45))
    clock.finish_steps(100, 70.0)
    # Validation and files take 8 s after each epoch.
    clock.start_epoch(1, 78.0)
    assert clock.seconds_left == pytest.approx((20, 56))


@pytest.mark.parametrize("steps_per_execution", [1, 125, 400])
def test_the_bar_counts_the_steps_of_the_recipe(monkeypatch, steps_per_execution):
    drawn = []
    monkeypatch.setattr(progress_display.STATUS, "draw", lambda render: drawn.append(render(79)))
    bar = EpochBar(1875, steps_per_execution, lambda: False, prints_lines=False)
    bar.set_params({"epochs": 10, "steps": -(-1875 // steps_per_execution)})
    bar.on_train_begin()
    bar.on_epoch_begin(0)
    assert drawn == ["epoch  1/10  compiling the first step..."]
    for batch in range(-(-1875 // steps_per_execution)):
        bar.on_train_batch_end(batch, {"loss": 1.0})
    assert "1,875/1,875 steps" in drawn[-1]
    bar.on_test_begin()
    assert "validating, run 0:0" in drawn[-1]
    assert len(drawn) < 20, "at most ten drawings a second"


@pytest.fixture
def terminal(monkeypatch):
    """Return this process' streams as a terminal of 80 columns, and a function for its screen."""
    pyte = pytest.importorskip("pyte")
    from terminals import set_size

    controller, terminal = os.openpty()
    set_size(terminal, 80)
    output, screen = bytearray(), pyte.Screen(80, 50)

    def read() -> None:
        # The end is an error on Linux.
        with contextlib.suppress(OSError):
            while data := os.read(controller, 65536):
                output.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    stream = open(terminal, "w", encoding="utf-8")  # noqa: SIM115 - closed to end the reader

    def start() -> None:
        # Not earlier: pytest puts its own streams there before each test.
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)

    def finish() -> list[str]:
        monkeypatch.undo()
        stream.close()
        reader.join()
        os.close(controller)
        pyte.ByteStream(screen).feed(bytes(output))
        return "\n".join(line.rstrip() for line in screen.display).rstrip().split("\n")

    return SimpleNamespace(output=output, start=start, finish=finish)


@needs_terminal
def test_a_training_leaves_a_line_per_epoch_on_the_terminal(digits, tmp_path, terminal):
    terminal.start()
    run = quick.fit("tiny", digits, epochs=3, batch_size=32, logs=tmp_path)
    *head, first, second, last = terminal.finish()
    assert head[0].startswith("tiny  782 parameters")
    for number, line in enumerate((first, second, last), start=1):
        metrics = {name: values[number - 1] for name, values in run.history.items()}
        assert line == format_epoch(number - 1, 3, metrics)
    text = terminal.output.decode()
    # 270 of the 300 images are trained on, the last 14 in a smaller batch.
    assert "9/9 steps" in text
    for phase in ("building tiny...", "compiling the first step...", "testing on 100 images..."):
        assert phase in text


def test_a_notebook_shows_one_text_that_changes_in_place(monkeypatch):
    shown = []
    handle = SimpleNamespace(update=lambda content, raw: shown.append(content["text/plain"]))

    def display(content, raw, display_id):
        shown.append(content["text/plain"])
        return handle

    for name, content in (
        ("IPython.display", {"display": display}),
        ("IPython", {"get_ipython": lambda: SimpleNamespace(config={"IPKernelApp": {}})}),
    ):
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    config = SimpleNamespace(quiet=False, spec=lenet_tf.specs.get_spec("tiny"))
    # 10 batches of 50, which the graph loop runs in three calls.
    split = SimpleNamespace(train_indices=range(500))
    (bar,) = create_progress_display(config, split, 4, ShutdownRequest())
    assert isinstance(bar, NotebookBar)
    bar.set_params({"epochs": 2})
    bar.on_train_begin()
    for epoch in range(2):
        bar.on_epoch_begin(epoch)
        for batch in range(3):
            bar.on_train_batch_end(batch, {})
        bar.on_test_begin()
        bar.on_epoch_end(epoch, LOGS)
    assert shown[0] == "epoch 1/2  compiling the first step..."
    assert "10/10 steps" in shown[3]
    assert shown[-1] == "\n".join(format_epoch(epoch, 2, LOGS, 90) for epoch in range(2))


@pytest.mark.slow
def test_a_notebook_shows_progress(tmp_path):
    reason = "`make notebooks` installs what runs a notebook"
    nbclient = pytest.importorskip("nbclient", reason=reason)
    import nbformat

    code = (
        "import lenet_tf\n"
        "lenet_tf.fit('tiny', lenet_tf.load_data('sample'), epochs=2, logs='logs');"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=120, resources=resources).execute()
    texts = [output.get("data", {}).get("text/plain", "") for output in notebook.cells[0].outputs]
    (text,) = [text for text in texts if text.startswith("epoch ")]
    assert re.fullmatch(r"(epoch \d/2 .* val \d\d\.\d\d%\n?){2}", text)
    assert "Epoch 1/2" not in str(notebook.cells[0].outputs)


@pytest.mark.slow
@needs_terminal
def test_a_command_on_a_terminal(tmp_path):
    """A training with everything, whose Ctrl-C finishes its epoch and names what resumes it."""
    from terminals import Terminal

    arguments = ("train", "tiny", "--data", "sample", "--epochs", "9999", *quick.ARGUMENTS)
    variables = NO_NETWORK | {"PYTHONPATH": os.getcwd()}
    terminal = Terminal("-m", "lenet_tf", *arguments, folder=tmp_path, **variables)
    for phase in ("starting...", "starting TensorFlow...", "building tiny..."):
        terminal.wait_for(lambda text, phase=phase: phase in text)
    terminal.wait_for(lambda text: "epoch    5/9999" in text)
    terminal.resize(60)
    terminal.wait_for(lambda text: "epoch   50/9999" in text)
    terminal.press("\x03")
    assert terminal.finish() == 130
    lines = [line for line in terminal.lines if line]
    assert "train --resume logs/fit/tiny-" in "".join(lines[-3:])
    (notice,) = [i for i, line in enumerate(lines) if line.startswith("Stopping after this epoch")]
    assert all(line.startswith("epoch ") and " s  " in line for line in lines[notice - 20 : notice])
    (end,) = [i for i, line in enumerate(lines) if line.startswith("interrupted after ")]
    assert lines[end - 1].startswith("epoch ")
    assert "━" not in terminal.text


@pytest.mark.slow
def test_redirected_output_reads_like_that_of_keras(tmp_path):
    arguments = ["train", "tiny", "--data", "sample", "--epochs", "2", *quick.ARGUMENTS]
    command = [sys.executable, "-m", "lenet_tf", *arguments]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"\nEpoch 1/2\n(\d+)/\1 - \d+s - .*accuracy: 0\.\d+ - loss: \d\..*val_accuracy: 0\.\d+",
        done.stdout,
    )
    assert "\x1b" not in done.stdout + done.stderr
    assert "starting" not in done.stderr
