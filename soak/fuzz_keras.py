"""Ruined and hostile `.keras` files against their reader: `python soak/fuzz_keras.py --runs N --seed S [--child-runs M]`.

Three layers: the whole file ruined, `config.json` ruined in a sound archive (with the right checksums), and the HDF5 file ruined in a sound
archive, which the child process reads. A reader may refuse with `ValueError` or read; anything else is a crash. Prints one line of JSON,
exits with 1 where there was a crash, a hang or too much memory. With `--atheris`, coverage guides the ruin of the first two layers.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import os
import random
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

HANG_SECONDS = 5.0
MEMORY_MIB = 200  # beyond what importing Keras and TensorFlow took
STRANGE = (
    *(
        None,
        True,
        False,
        "",
        "os",
        "builtins",
        "keras.utils",
        "get_file",
        "Lambda",
        "function",
        "__lambda__",
        "__tensor__",
        "MultiOptimizer",
    ),
    *(
        "evil>X",
        "lenet_tf>SDLM",
        "lenet_tf>LeNet",
        "/etc/passwd",
        "../../x",
        "\x00",
        "é" * 40,
        [],
        {},
        [[[]]],
        {"class_name": "Adam"},
    ),
    *(
        0,
        1,
        -1,
        0.5,
        -0.0,
        1e308,
        2**31,
        2**63,
        10**12,
        10**39,
        "num_thresholds",
        "same",
        "valid",
        [28, 28, 1],
        [10**9, 10**9, 1],
    ),
)
INTERESTING = (
    b"\0",
    b"\xff",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"PK\x06\x07",
    b"\xff\xff\xff\xff",
    b"{",
    b"[",
    b'"',
    b"1e999",
    b"NaN",
)


def archive(
    metadata: bytes,
    config: bytes,
    weights: bytes,
    note: bytes | None = None,
    method: int = zipfile.ZIP_STORED,
) -> bytes:
    """A sound `.keras` file of these parts."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in (
            ("metadata.json", metadata),
            ("config.json", config),
            ("model.weights.h5", weights),
            ("lenet_tf.json", note),
        ):
            if content is not None:
                file.writestr(name, content)
    return buffer.getvalue()


def seeds() -> list[bytes]:
    """Real files to begin with: small, of several networks, optimizers, losses and metrics."""
    import keras

    import lenet_tf

    models = [
        lenet_tf.LeNet("tiny", seed=0),
        lenet_tf.LeNet("tiny", seed=0, precision="mixed_float16"),
        lenet_tf.LeNet("lenet1", seed=0),
    ]
    other = lenet_tf.LeNet("tiny", seed=0)
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    metrics = [
        "accuracy",
        keras.metrics.AUC(),
        keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error),
    ]
    other.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics,
    )
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for model in [*models, other]:
            model.optimizer.build(model.trainable_variables)
            model.save(Path(folder) / "model.keras")
            found.append((Path(folder) / "model.keras").read_bytes())
    return found


def one(data: bytes) -> bool:
    """The reader up to the weights' bytes; True where it took the file. Raises whatever the reader should not raise."""
    from lenet_tf.models.saving import read_stream

    try:
        read_stream(io.BytesIO(data), len(data))
    except ValueError:
        return False
    return True


def one_config(data: bytes, whole: bytes) -> bool:
    """The same, with `data` as config.json of the sound file `whole`."""
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        return one(archive(file.read("metadata.json"), data, file.read("model.weights.h5")))


def one_weights(data: bytes) -> bool:
    """The child process on an HDF5 file."""
    from lenet_tf.io.hdf5 import read_arrays

    try:
        arrays = read_arrays(data)
    except ValueError:
        return False
    assert sum(array.nbytes for array in arrays.values()) <= len(data)
    return True


def ruin_bytes(chance: random.Random, data: bytes) -> bytes:
    content = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        if not content:
            break
        # An archive's headers stand at its two ends, an HDF5 file's all over.
        near = chance.choice((128, 4_000, len(content)))
        place = chance.randrange(min(near, len(content)))
        place = len(content) - 1 - place if chance.random() < 0.5 else place
        kind = chance.randrange(7)
        if kind == 0:
            content[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            content[place] = chance.randrange(256)
        elif kind == 2:
            new = chance.choice(INTERESTING)
            content[place : place + len(new)] = new
        elif kind == 3:
            size = chance.choice((1, 2, 4, 8))
            new = chance.choice(
                (0, 1, (1 << 8 * size) - 1, len(content), chance.getrandbits(8 * size))
            ) % (1 << 8 * size)
            content[place : place + size] = new.to_bytes(size, "little")
        elif kind == 4:
            start, length = chance.randrange(len(content)), chance.choice((1, 4, 32, 256))
            content[place : place + length] = content[start : start + length]
        elif kind == 5:
            del content[place : place + chance.choice((1, 4, 64))]
        elif chance.random() < 0.2:
            del content[place:]
    return bytes(content)


def ruin_json(chance: random.Random, value: dict) -> bytes:
    """JSON with values, keys and branches exchanged; now and then its text too."""
    value = copy.deepcopy(value)
    for _ in range(chance.choice((1, 1, 2, 5))):
        places, waiting = [], [value]
        while waiting:
            item = waiting.pop()
            keys = list(item) if isinstance(item, dict) else range(len(item))
            places += [(item, key) for key in keys]
            waiting += [item[key] for key in keys if isinstance(item[key], dict | list)]
        if not places:
            break
        item, key = chance.choice(places)
        kind = chance.randrange(5)
        if kind == 0:
            del item[key]
        elif kind == 1:
            other, part = chance.choice(places)
            item[key] = copy.deepcopy(other[part])
        elif kind == 2 and isinstance(item, dict):
            item[str(chance.choice(STRANGE))[:50]] = item.pop(key)
        else:
            item[key] = copy.deepcopy(chance.choice(STRANGE))
    text = json.dumps(value).encode()
    return ruin_bytes(chance, text) if chance.random() < 0.1 else text


def peak_mib() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << 20 if sys.platform == "darwin" else 1 << 10
    )


def soak(runs: int, child_runs: int, seed: int) -> dict:
    chance, files = random.Random(seed), seeds()
    parts = [zipfile.ZipFile(io.BytesIO(data)) for data in files]
    configs, weights = (
        [json.loads(part.read("config.json")) for part in parts],
        [part.read("model.weights.h5") for part in parts],
    )
    for data, part in zip(files, weights, strict=True):
        assert one(data) and one_weights(part)
    layers = {"file": (runs + 1) // 2, "config": runs // 2, "weights": child_runs}
    before, result = peak_mib(), {"seed": seed, "crashes": [], "hangs": [], "layers": {}}
    for layer, count in layers.items():
        start, taken, slowest = time.monotonic(), 0, 0.0
        for number in range(count):
            which = chance.randrange(len(files))
            if layer == "file":
                data = ruin_bytes(chance, files[which])
            else:
                data = (
                    ruin_json(chance, configs[which])
                    if layer == "config"
                    else ruin_bytes(chance, weights[which])
                )
            begin = time.monotonic()
            try:
                ends = {
                    "file": one,
                    "config": lambda data, which=which: one_config(data, files[which]),
                    "weights": one_weights,
                }
                taken += ends[layer](data)
            except BaseException:
                result["crashes"].append(
                    f"{layer} {number}: {traceback.format_exc(limit=-2)[-500:]}"
                )
            seconds = time.monotonic() - begin
            slowest = max(slowest, seconds)
            if seconds > HANG_SECONDS:
                result["hangs"].append(f"{layer} {number}: {seconds:.1f} s")
        seconds = round(time.monotonic() - start, 1)
        result["layers"][layer] = {
            "inputs": count,
            "read": taken,
            "seconds": seconds,
            "slowest": round(slowest, 2),
        }
    result |= {
        "inputs": sum(layers.values()),
        "memory_mib": round(peak_mib() - before, 1),
        "memory_bound_mib": MEMORY_MIB,
    }
    return result


def guided(runs: int, seed: int) -> None:
    """Coverage-guided, until `runs` inputs or a crash: the first byte says which layer the rest is for."""
    import atheris

    with atheris.instrument_imports(
        include=[
            "lenet_tf.models.saving",
            "lenet_tf.models.config_allowlist",
            "lenet_tf.specs",
            "zipfile",
            "json",
        ]
    ):
        import lenet_tf.models.config_allowlist
        import lenet_tf.models.saving  # noqa: F401
    files = seeds()

    def target(data: bytes) -> None:
        if data[:1] < b"\x80":
            one(data[1:])
        else:
            one_config(data[1:], files[0])

    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(files):
            (Path(folder) / f"file{number}").write_bytes(b"\0" + content)
            config = zipfile.ZipFile(io.BytesIO(content)).read("config.json")
            (Path(folder) / f"config{number}").write_bytes(b"\xff" + config)
        options = [
            f"-runs={runs}",
            f"-seed={seed}",
            "-timeout=5",
            "-rss_limit_mb=3000",
            "-max_len=40000",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, folder], target)
        atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--runs", type=int, default=20_000, help="inputs for the archive and config.json"
    )
    parser.add_argument(
        "--child-runs",
        type=int,
        help="HDF5 inputs, each a process; a hundredth of --runs unless given",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--result", type=Path, default=Path(__file__).parent.parent / "results" / "fuzz_keras.json"
    )
    parser.add_argument(
        "--atheris", action="store_true", help="guided by coverage; needs the package atheris"
    )
    asked = parser.parse_args()
    if asked.atheris:
        guided(asked.runs, asked.seed)
    result = soak(
        asked.runs, asked.runs // 100 if asked.child_runs is None else asked.child_runs, asked.seed
    )
    print(json.dumps(result))
    asked.result.write_text(json.dumps(result, indent=2) + "\n")
    return int(bool(result["crashes"] or result["hangs"] or result["memory_mib"] > MEMORY_MIB))


if __name__ == "__main__":
    sys.exit(main())
