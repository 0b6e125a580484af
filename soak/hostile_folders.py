"""Run folders whose config.json, metrics.json, history.csv, kernels.npz or final.keras lie."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from hostile_arrays import make_npz
from hostile_texts import JSON_ATTACKS, mutate_values
from keras_files import damage_bytes, damage_json
from mutations import mutate_bytes

_PROGRESS = "lenet_tf.json"
_ROWS = (
    *("epoch,accuracy,loss", "0,0.5,0.5", "0,,", "nan,nan,nan", "1e999,-1,9" + "9" * 5_000),
    *("=HYPERLINK(1),0,0", '"', "0,0.5,\x1b[2J", "a" * 200_000, "", "\x00", "0;1;2", "é,é,é"),
)


def damage_run(run: Path, models: Sequence[bytes], random: Random) -> str:
    """Damages one to three files of a run folder. Returns which, and how."""
    damage: dict[str, Callable[[], str]] = {
        "config.json": lambda: _damage_json_file(run / "config.json", random),
        "metrics.json": lambda: _damage_json_file(run / "metrics.json", random),
        "history.csv": lambda: _damage_history(run / "history.csv", random),
        "kernels.npz": lambda: _damage_kernels(run / "kernels.npz", random),
        "final.keras": lambda: _damage_model(run / "final.keras", models, random),
        "progress": lambda: _damage_progress(run / "final.keras", random),
        "best.keras": lambda: _damage_model(run / "best.keras", models, random),
        "missing": lambda: _remove(run, random),
    }
    names = random.sample(list(damage), random.choice((1, 1, 2, 3)))
    return ", ".join(f"{name}: {damage[name]()}" for name in names)


def _damage_json_file(path: Path, random: Random) -> str:
    if not path.exists():
        path.write_text("{}")
        return "made"
    values = json.loads(path.read_text())
    choice = random.random()
    if choice < 0.6:
        # Mostly below the network's rows, which the reader of TOML is attacked with.
        part = random.choice((None, "data", "settings", "device", "versions", "recipe", "machine"))
        if isinstance(values.get(part), dict) and values[part]:
            values[part] = mutate_values(values[part], random)
        else:
            values = mutate_values(values, random)
        path.write_text(json.dumps(values), encoding="utf-8", errors="surrogatepass")
        return f"values of {part}"
    if choice < 0.85:
        path.write_bytes(damage_json(values, random))
        return "keys"
    if choice < 0.95:
        path.write_bytes(mutate_bytes(path.read_bytes(), random))
        return "bytes"
    path.write_text(random.choice(JSON_ATTACKS), encoding="utf-8")
    return "attack"


def _damage_history(path: Path, random: Random) -> str:
    rows = [random.choice(_ROWS) for _ in range(random.choice((0, 1, 3, 30)))]
    path.write_text("\n".join(rows), encoding="utf-8")
    return "rows"


def _damage_kernels(path: Path, random: Random) -> str:
    if not path.exists() or random.random() < 0.5:
        path.write_bytes(make_npz(random))
        return "arrays"
    path.write_bytes(mutate_bytes(path.read_bytes(), random))
    return "bytes"


def _damage_model(path: Path, models: Sequence[bytes], random: Random) -> str:
    content = path.read_bytes() if path.exists() else models[0]
    choice = random.random()
    if choice < 0.4:
        # Another network, precision or optimizer than config.json says, with this run's progress.
        path.write_bytes(random.choice(models))
        if random.random() < 0.7:
            with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(path, "a") as archive:
                if _PROGRESS in old.namelist() and _PROGRESS not in archive.namelist():
                    archive.writestr(_PROGRESS, old.read(_PROGRESS))
        return "another model"
    if choice < 0.7:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        parts["config.json"] = damage_json(json.loads(parts["config.json"]), random)
        _write_archive(path, parts)
        return "config"
    path.write_bytes(damage_bytes(content, random))
    return "bytes"


def _damage_progress(path: Path, random: Random) -> str:
    if not path.exists() or not zipfile.is_zipfile(path):
        return "none"
    try:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        values = json.loads(parts[_PROGRESS])
    except Exception:  # Another damage came first.
        return "unreadable"
    choice = random.random()
    if choice < 0.5:
        parts[_PROGRESS] = json.dumps(mutate_values(values, random)).encode(errors="replace")
    elif choice < 0.7:
        epochs = values["epochs"] * random.choice((0, 2, 50, 20_000))
        parts[_PROGRESS] = json.dumps(values | {"epochs": epochs}).encode()
    else:
        parts[_PROGRESS] = damage_json(values, random)
    _write_archive(path, parts)
    return "progress"


def _write_archive(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _remove(run: Path, random: Random) -> str:
    path = random.choice(sorted(run.iterdir()))
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    return path.name
