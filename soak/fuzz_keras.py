"""Feed damaged `.keras` files to their reader: `python soak/fuzz_keras.py --runs N --seed S`.

Three layers: the whole file damaged; `config.json` damaged in an intact archive; and the HDF5 file
damaged in an intact archive, which a child process reads (`--child-runs`). A reader may read the
file or refuse it with a `ValueError`; anything else is a crash. Prints one line of JSON and exits
with 1 after a crash, a hang or too much memory. With `--atheris`, coverage guides the damage of the
first two layers.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import sys
import tempfile
import time
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from keras_files import damage_bytes, damage_json, make_seed_files, replace_config
from memory import measure_peak_mib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HANG_SECONDS = 5.0
# Beyond the memory after importing Keras and TensorFlow.
MAX_MIB = 200


def read_file(data: bytes) -> bool:
    """Reads a `.keras` file up to its weights. Returns False if the reader refuses it."""
    from lenet_tf.models.saving import read_stream

    try:
        read_stream(io.BytesIO(data))
    except ValueError:
        return False
    return True


def read_config(data: bytes, file: bytes) -> bool:
    """Reads a valid file with another config.json. Returns False if the reader refuses it."""
    return read_file(replace_config(file, data))


def read_weights(data: bytes) -> bool:
    """Reads an HDF5 file in the child process. Returns False if the child refuses it."""
    from lenet_tf.io.hdf5 import read_arrays

    try:
        arrays = read_arrays(data)
    except ValueError:
        return False
    assert sum(array.nbytes for array in arrays.values()) <= len(data)
    return True


class Fuzzer:
    """Damages valid files at random and counts the outcomes by layer."""

    def __init__(self, seed: int) -> None:
        self.random, self.files = Random(seed), make_seed_files()
        archives = [zipfile.ZipFile(io.BytesIO(file)) for file in self.files]
        self.configs = [json.loads(archive.read("config.json")) for archive in archives]
        self.weights = [archive.read("model.weights.h5") for archive in archives]
        for file, weights in zip(self.files, self.weights, strict=True):
            assert read_file(file) and read_weights(weights)
        self.result: dict[str, Any] = {"seed": seed, "crashes": [], "hangs": [], "layers": {}}

    def damage(self, layer: str) -> tuple[bytes, Callable[[bytes], bool]]:
        """Returns damaged data of a layer and the function that reads it."""
        index = self.random.randrange(len(self.files))
        if layer == "file":
            return damage_bytes(self.files[index], self.random), read_file
        if layer == "config":
            read = functools.partial(read_config, file=self.files[index])
            return damage_json(self.configs[index], self.random), read
        return damage_bytes(self.weights[index], self.random), read_weights

    def fuzz(self, layer: str, inputs: int) -> None:
        """Feeds inputs to the reader of a layer and records the outcomes."""
        start, accepted, slowest = time.monotonic(), 0, 0.0
        for number in range(inputs):
            data, read = self.damage(layer)
            input_start = time.monotonic()
            try:
                accepted += read(data)
            except BaseException:
                trace = traceback.format_exc(limit=-2)[-500:]
                self.result["crashes"].append(f"{layer} {number}: {trace}")
            seconds = time.monotonic() - input_start
            slowest = max(slowest, seconds)
            if seconds > HANG_SECONDS:
                self.result["hangs"].append(f"{layer} {number}: {seconds:.1f} s")
        self.result["layers"][layer] = {
            "inputs": inputs,
            "read": accepted,
            "seconds": round(time.monotonic() - start, 1),
            "slowest": round(slowest, 2),
        }


def fuzz_all_layers(runs: int, child_runs: int, seed: int) -> dict[str, Any]:
    """Returns the outcomes of all layers. `runs` is shared by the first two."""
    fuzzer, base_mib = Fuzzer(seed), measure_peak_mib()
    inputs = {"file": (runs + 1) // 2, "config": runs // 2, "weights": child_runs}
    for layer, count in inputs.items():
        fuzzer.fuzz(layer, count)
    return fuzzer.result | {
        "inputs": sum(inputs.values()),
        "memory_mib": round(measure_peak_mib() - base_mib, 1),
        "memory_bound_mib": MAX_MIB,
    }


def fuzz_guided(runs: int, seed: int) -> None:
    """Feeds inputs guided by coverage until `runs` inputs or a crash, which end the process.

    The first byte of an input selects the layer that the rest is for.
    """
    import atheris

    names = ("models.saving", "models.config_allowlist", "models.compile_check")
    modules = [*(f"lenet_tf.{name}" for name in names), "lenet_tf.pretrained", "lenet_tf.specs"]
    with atheris.instrument_imports(include=[*modules, "zipfile", "json"]):
        import lenet_tf.models.config_allowlist
        import lenet_tf.models.saving  # noqa: F401
    files = make_seed_files()

    def read(data: bytes) -> None:
        if data[:1] < b"\x80":
            read_file(data[1:])
        else:
            read_config(data[1:], files[0])

    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(files):
            (Path(folder) / f"file{number}").write_bytes(b"\0" + content)
            config = zipfile.ZipFile(io.BytesIO(content)).read("config.json")
            (Path(folder) / f"config{number}").write_bytes(b"\xff" + config)
        flags = [
            f"-runs={runs}",
            f"-seed={seed}",
            "-timeout=5",
            "-rss_limit_mb=3000",
            "-max_len=40000",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *flags, folder], read)
        atheris.Fuzz()


def parse_options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument(
        "--runs", type=int, default=20_000, help="inputs for the archive and config.json"
    )
    parser.add_argument(
        "--child-runs",
        type=int,
        help="HDF5 inputs, each read by a new process (default: a hundredth of --runs)",
    )
    parser.add_argument("--seed", type=int, default=0)
    results = Path(__file__).parent.parent / "results"
    parser.add_argument("--result", type=Path, default=results / "fuzz_keras.json")
    parser.add_argument(
        "--atheris", action="store_true", help="guide by coverage; needs the package atheris"
    )
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    if options.atheris:
        fuzz_guided(options.runs, options.seed)
    child_runs = options.runs // 100 if options.child_runs is None else options.child_runs
    result = fuzz_all_layers(options.runs, child_runs, options.seed)
    print(json.dumps(result))
    options.result.write_text(json.dumps(result, indent=2) + "\n")
    return int(bool(result["crashes"] or result["hangs"] or result["memory_mib"] > MAX_MIB))


if __name__ == "__main__":
    sys.exit(main())
