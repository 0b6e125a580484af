"""`.keras` files to start from, and random damage to their bytes and their JSON."""

from __future__ import annotations

import copy
import io
import json
import tempfile
import zipfile
from pathlib import Path
from random import Random

# Values that a config must not hold in the wrong place.
JSON_VALUES = (
    *(None, True, False, "", "os", "builtins", "keras.utils", "get_file", "Lambda", "function"),
    *("__lambda__", "__tensor__", "MultiOptimizer", "evil>X", "lenet_tf>SDLM", "lenet_tf>LeNet"),
    *("/etc/passwd", "../../x", "\x00", "é" * 40, [], {}, [[[]]], {"class_name": "Adam"}),
    *(0, 1, -1, 0.5, -0.0, 1e308, 2**31, 2**63, 10**12, 10**39),
    *("num_thresholds", "same", "valid", [28, 28, 1], [10**9, 10**9, 1]),
)
# Bytes with a meaning in ZIP archives and JSON.
MARKERS = (
    *(b"\0", b"\xff", b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x07"),
    *(b"\xff\xff\xff\xff", b"{", b"[", b'"', b"1e999", b"NaN"),
)


def build_archive(metadata: bytes, config: bytes, weights: bytes) -> bytes:
    """Returns a `.keras` file of these parts with correct checksums."""
    buffer = io.BytesIO()
    parts = {"metadata.json": metadata, "config.json": config, "model.weights.h5": weights}
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def replace_config(file: bytes, config: bytes) -> bytes:
    """Returns the `.keras` file with another config.json."""
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        metadata, weights = archive.read("metadata.json"), archive.read("model.weights.h5")
    return build_archive(metadata, config, weights)


def make_seed_files() -> list[bytes]:
    """Returns small valid files of several networks, optimizers, losses and metrics."""
    import keras

    import lenet_tf

    custom = lenet_tf.LeNet("tiny", seed=0)
    custom.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.CosineDecay(0.1, 10), momentum=0.9),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=[
            "accuracy",
            keras.metrics.AUC(),
            keras.metrics.MeanMetricWrapper(keras.losses.mean_squared_error),
        ],
    )
    models = [
        lenet_tf.LeNet("tiny", seed=0),
        lenet_tf.LeNet("tiny", seed=0, precision="mixed_float16"),
        lenet_tf.LeNet("lenet1", seed=0),
        custom,
    ]
    files = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        for model in models:
            model.optimizer.build(model.trainable_variables)
            model.save(path)
            files.append(path.read_bytes())
    return files


def damage_bytes(data: bytes, random: Random) -> bytes:
    """Returns the bytes with a few changes, mostly where headers are."""
    content = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        if not content:
            break
        # An archive has its headers at both ends, an HDF5 file everywhere.
        distance = random.choice((128, 4_000, len(content)))
        start = random.randrange(min(distance, len(content)))
        start = len(content) - 1 - start if random.random() < 0.5 else start
        mutation = random.randrange(7)
        if mutation == 0:
            content[start] ^= 1 << random.randrange(8)
        elif mutation == 1:
            content[start] = random.randrange(256)
        elif mutation == 2:
            marker = random.choice(MARKERS)
            content[start : start + len(marker)] = marker
        elif mutation == 3:
            size = random.choice((1, 2, 4, 8))
            limit = 1 << 8 * size
            value = random.choice((0, 1, limit - 1, len(content), random.getrandbits(8 * size)))
            content[start : start + size] = (value % limit).to_bytes(size, "little")
        elif mutation == 4:
            source, length = random.randrange(len(content)), random.choice((1, 4, 32, 256))
            content[start : start + length] = content[source : source + length]
        elif mutation == 5:
            del content[start : start + random.choice((1, 4, 64))]
        elif random.random() < 0.2:
            del content[start:]
    return bytes(content)


def damage_json(value: dict, random: Random) -> bytes:
    """Returns JSON with values, keys and branches replaced, sometimes with damaged text."""
    value = copy.deepcopy(value)
    for _ in range(random.choice((1, 1, 2, 5))):
        items, waiting = [], [value]
        while waiting:
            parent = waiting.pop()
            keys = list(parent) if isinstance(parent, dict) else range(len(parent))
            items += [(parent, key) for key in keys]
            waiting += [parent[key] for key in keys if isinstance(parent[key], dict | list)]
        if not items:
            break
        parent, key = random.choice(items)
        mutation = random.randrange(5)
        if mutation == 0:
            del parent[key]
        elif mutation == 1:
            other, other_key = random.choice(items)
            parent[key] = copy.deepcopy(other[other_key])
        elif mutation == 2 and isinstance(parent, dict):
            parent[str(random.choice(JSON_VALUES))[:50]] = parent.pop(key)
        else:
            parent[key] = copy.deepcopy(random.choice(JSON_VALUES))
    text = json.dumps(value).encode()
    return damage_bytes(text, random) if random.random() < 0.1 else text
