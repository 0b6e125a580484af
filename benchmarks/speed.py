"""Measure epochs of LeNet-5 on MNIST in six ways, into results/speed.json.

Every measurement is a fresh process that trains a few epochs without a pause (`candidates.py`),
since a Keras process that has waited is slower. The candidates take turns, round after round. The
first epoch of a process contains tracing and compilation and is reported apart. A loaded machine is
refused. Usage: speed.py [PYTHON_WITH_TORCH_AND_JAX]; `make bench` prepares that interpreter.
--before REVISION also measures an older lenet_tf, which Git checks out to a temporary folder. After
each round, `floor.py` measures the arithmetic of an epoch alone.

A new session replaces the one of the same processor and setting in the result file. The candidates
inherit the environment, so ONEDNN_MAX_CPU_ISA=AVX2 measures a newer processor without its AVX-512.
That variable caps oneDNN only. For AVX2 the caps of PyTorch, XLA and MKL are set as well, but MKL
obeys on Intel processors only, and TensorFlow's Eigen kernels have no cap. TensorFlow also turns
oneDNN on by itself where the processor has AVX512_VNNI, AVX_VNNI or AMX, capped or not. On one
with AVX2 alone, only lenet_tf uses oneDNN, since it asks for it. To measure the tutorial's code as
it runs there, set TF_ENABLE_ONEDNN_OPTS=0 too and pass --candidates tutorial keras-steps-50. That
is a session of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

import common
from before import check_out

from lenet_tf.specs import get_spec

RESULT = common.RESULTS / "speed.json"
METHOD = 2
OTHER_FRAMEWORKS = ("pytorch", "pytorch-channels-last", "jax")
CANDIDATES = ("tutorial", "keras-steps-50", "lenet_tf", *OTHER_FRAMEWORKS)
BEFORE = "lenet_tf-before"
TITLES = {
    "python": "Python",
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "torch": "PyTorch",
    "jax": "JAX",
}
COLUMNS = (
    "batch size",
    "candidate",
    "s per epoch: median (min–max)",
    "training, s",
    "evaluation, s",
    "relative to lenet_tf",
    "first epoch, s",
    "start-up, s",
    "prediction of 10,000 images, s",
    "peak MiB",
)


def pool(processes: list[dict], key: str) -> list[float]:
    """The seconds of all counted epochs of all rounds."""
    return list(chain.from_iterable(process[key] for process in processes))


def tabulate_candidate(size: str, name: str, processes: list[dict], ours: float | None) -> str:
    """One row. `ours` is the median of lenet_tf's epochs, None if it was not measured."""
    epochs = pool(processes, "epoch")
    median = statistics.median(epochs)
    parts = [statistics.median(pool(processes, key)) for key in ("training", "evaluation")]
    keys = ("first_epoch", "start_up", "prediction")
    once = [statistics.median(process[key] for process in processes) for key in keys]
    cells = [
        size,
        name,
        f"{median:.2f} ({min(epochs):.2f}–{max(epochs):.2f})",
        *(f"{seconds:.2f}" for seconds in parts),
        f"{median / ours:.2f}" if ours else "–",
        *(f"{seconds:.2f}" for seconds in once),
        f"{max(process['peak_mib'] for process in processes):,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def describe_floor(size: str, seconds: list[float], candidates: dict) -> str:
    """A sentence with the seconds of the arithmetic alone, and the ratio of lenet_tf's epoch."""
    floor = min(seconds)
    sentence = f"Batch size {size}: the matrix products of an epoch alone take {floor:.2f} s"
    if "lenet_tf" not in candidates:
        return f"{sentence}."
    ratio = statistics.median(pool(candidates["lenet_tf"], "epoch")) / floor
    return f"{sentence}, and an epoch of lenet_tf {ratio:.2f} times as long."


def tabulate_session(session: dict) -> str:
    """A sentence that names the machine and its setting, and a table of medians."""
    machine, versions = session["machine"], session["versions"]
    rounds = f"{session['rounds']} round{'s' if session['rounds'] > 1 else ''}"
    packages = [f"{TITLES[name]} {number}" for name, number in versions.items()]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores ({machine['setting']}), measured on"
        f" {session['when'][:10]} in {rounds} of {session['epochs']} epochs with"
        f" {', '.join(packages)}:",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * len(COLUMNS)}",
    ]
    for size, candidates in session["batch_sizes"].items():
        medians = {name: statistics.median(pool(candidates[name], "epoch")) for name in candidates}
        ours = medians.get("lenet_tf")
        for name in sorted(medians, key=medians.__getitem__):
            lines.append(tabulate_candidate(size, name, candidates[name], ours))
    for size, seconds in session.get("floor", {}).items():
        lines += ["", describe_floor(size, seconds, session["batch_sizes"][size])]
    return "\n".join(lines)


def render_markdown(result: dict) -> str:
    """Returns the README's tables, one for each session."""
    return "\n\n".join(tabulate_session(session) for session in result["runs"])


def identify(session: dict) -> tuple[str, str]:
    return session["machine"]["processor"], session["machine"]["setting"]


def add_session(result: dict, session: dict) -> dict:
    """The result with this session instead of an earlier one of the same machine and setting."""
    others = [other for other in result["runs"] if identify(other) != identify(session)]
    return {"method": METHOD, "runs": [*others, session]}


def read_result() -> dict:
    """The sessions measured so far. Those of an older method don't compare and are dropped."""
    if RESULT.exists():
        result = json.loads(RESULT.read_text(encoding="utf-8"))
        if result.get("method") == METHOD:
            return result
    return {"method": METHOD, "runs": []}


def ask_versions(python: str) -> dict[str, str]:
    script = "from importlib.metadata import version; print(version('torch'), version('jax'))"
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    return dict(zip(("torch", "jax"), done.stdout.split(), strict=True))


def measure_floor(batch_size: int) -> float:
    """The seconds of the arithmetic of an epoch alone, in a fresh process."""
    command = [sys.executable, str(common.HERE / "floor.py"), str(batch_size)]
    options = {"env": common.child_environment(), "stdout": subprocess.PIPE, "text": True}
    done = subprocess.run(command, check=True, stderr=subprocess.DEVNULL, **options)
    return json.loads(done.stdout.splitlines()[-1])


def measure_round(options: argparse.Namespace, data: Path, session: dict, before: dict) -> None:
    """One fresh process for each batch size and candidate, added to `session`."""
    names = [*options.candidates, *([BEFORE] if before else [])]
    for size in options.batch_sizes:
        batch_sizes = session["batch_sizes"]
        for name in names:
            python = options.python if name in OTHER_FRAMEWORKS else sys.executable
            common.refuse_load(options.max_load)
            candidate, variables = ("lenet_tf", before) if name == BEFORE else (name, {})
            settings = (python, candidate, size, options.epochs, data, variables)
            measured = common.run_candidate(*settings)
            batch_sizes.setdefault(str(size), {}).setdefault(name, []).append(measured)
            seconds = " ".join(f"{epoch:.2f}" for epoch in measured["epoch"])
            print(f"batch size {size}: {name} {seconds}", flush=True)
        session["floor"].setdefault(str(size), []).append(measure_floor(size))


def parse_options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("python", nargs="?", help="an interpreter that has torch and jax")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="of each process, at least 2")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128])
    parser.add_argument("--candidates", nargs="+", choices=CANDIDATES, default=CANDIDATES)
    parser.add_argument("--before", metavar="REVISION", help="also measure this older lenet_tf")
    parser.add_argument(
        "--max-load",
        type=float,
        default=common.MAX_LOAD,
        help="the share of the machine that other work may take (%(default)s)",
    )
    options = parser.parse_args()
    if options.epochs < 2 or options.rounds < 1:
        parser.error("--epochs must be at least 2 and --rounds at least 1")
    if options.python is None and set(options.candidates) & set(OTHER_FRAMEWORKS):
        parser.error("PyTorch and JAX need PYTHON; leave them out with --candidates")
    return options


def main() -> None:
    options = parse_options()
    common.refuse_load(options.max_load)
    session = common.describe_session()
    if options.python is not None:
        session["versions"] |= ask_versions(options.python)
    # A step is the forward pass and twice as much for the gradients; a multiply-add counts as two.
    session["gflop_an_epoch"] = 60_000 * get_spec("lenet5").multiply_adds * 2 * 3 / 1e9
    session |= {"rounds": 0, "epochs": options.epochs, "batch_sizes": {}}
    session |= {"floor": {}, "before": options.before}
    with tempfile.TemporaryDirectory() as folder, check_out(options.before) as before:
        data = Path(folder) / "mnist.npz"
        common.save_mnist(data)
        for number in range(1, options.rounds + 1):
            measure_round(options, data, session, before)
            session["rounds"] = number
            # A later round may be refused, and this one is worth keeping.
            common.write_result(RESULT, add_session(read_result(), session))
    print(render_markdown(read_result()))


if __name__ == "__main__":
    main()
