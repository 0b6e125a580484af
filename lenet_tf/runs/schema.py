"""The schema of a run folder's files.

The attacker is someone who sends a run folder. Every number and text of it is bounded here, so
that no reader has to expect others. Fields that this version doesn't know are accepted.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

# The largest float32, the largest 64-bit integer, and characters of a text and of a name.
MAX_NUMBER, MAX_INTEGER, MAX_TEXT, MAX_NAME = 3.4e38, 2**63 - 1, 10_000, 200
MAX_EPOCHS = 1_000_000

Text = Annotated[str, Meta(max_length=MAX_TEXT)]
Name = Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Epochs = Annotated[int, Meta(ge=0, le=MAX_EPOCHS)]
Number = Annotated[float, Meta(ge=-MAX_NUMBER, le=MAX_NUMBER)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
# One device, or several of one run.
_DEVICES = r"^/(CPU|GPU):[0-9]{1,4}(,/(CPU|GPU):[0-9]{1,4}){0,63}$"
# 300 years.
Seconds = Annotated[float, Meta(ge=0, le=1e10)]


class Data(Struct):
    """`data` in config.json: `RawData.identity()`."""

    name: Text | UnsetType = UNSET
    sha256: Text | UnsetType | None = UNSET
    source: Text | UnsetType = UNSET
    version: Text | UnsetType = UNSET
    # 2 or 3 sizes; arrays of another rank are refused before.
    image_shape: Annotated[list[Count], Meta(max_length=8)] | UnsetType = UNSET
    num_classes: Count | UnsetType = UNSET
    class_names: Annotated[list[Text], Meta(max_length=1_000_000)] | UnsetType | None = UNSET
    # How `load_data` read it: its options by name.
    options: Annotated[dict[Text, Text | Count | bool], Meta(max_length=100)] | UnsetType = UNSET


class Settings(Struct):
    """`settings` in config.json."""

    deterministic: bool
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"]
    early_stopping: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)] | None
    engine: Literal["auto", "graph", "keras"]
    # A part of a folder's name.
    label: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{0,60}$")] | UnsetType = UNSET
    split_seed: Annotated[int, Meta(ge=0, le=2**32 - 1)] | UnsetType = UNSET
    test: bool | UnsetType = UNSET
    hparams: Annotated[dict[Name, Text | Number | None], Meta(max_length=100)] | UnsetType = UNSET


class Device(Struct):
    """`device` in config.json."""

    name: Annotated[str, Meta(pattern=_DEVICES)] | UnsetType = UNSET
    label: Text | UnsetType = UNSET
    threads: dict[Text, Text | None] | UnsetType = UNSET
    numerics: dict[Text, Text | bool | None] | UnsetType = UNSET


class Board(Struct):
    """`tensorboard` in config.json."""

    images_every: Epochs | UnsetType | None = UNSET
    histograms: list[Literal["weights", "activations", "gradients"]] | UnsetType = UNSET


class Machine(Struct):
    """`machine` in config.json."""

    system: Text | UnsetType = UNSET
    architecture: Text | UnsetType = UNSET
    processor: Text | UnsetType = UNSET
    features: Annotated[list[Text], Meta(max_length=1_000)] | UnsetType = UNSET
    cores: Count | UnsetType = UNSET


class CompiledOptimizer(Struct):
    """`compiled.optimizer` in config.json; each option is a field of its own."""

    name: Text
    learning_rate: Number
    schedule: Text | UnsetType = UNSET


class Compiled(Struct):
    """`compiled` in config.json: the optimizer and the loss that are not the recipe's."""

    optimizer: CompiledOptimizer | UnsetType = UNSET
    loss: Text | UnsetType = UNSET
    label_smoothing: Number | UnsetType = UNSET


class Config(Struct):
    """config.json, whose network and recipe `Spec.from_dict` checks, and `Board` what it shows."""

    spec: dict[str, Any]
    recipe: dict[str, Any]
    data: Data
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    settings: Settings
    device: Device
    variant: Text | UnsetType = UNSET
    started: Text | UnsetType = UNSET
    versions: dict[Text, Text] | UnsetType = UNSET
    commit: Text | UnsetType | None = UNSET
    machine: Machine | UnsetType = UNSET
    initial_weights: Literal["seed", "given"] | UnsetType = UNSET
    own_methods: Text | UnsetType = UNSET
    compiled: Compiled | UnsetType = UNSET
    tensorboard: Board | UnsetType = UNSET


class Metrics(Struct):
    """metrics.json."""

    epochs: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)]
    seconds: Seconds
    seconds_per_epoch: Seconds
    best_epoch: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)]
    best_val_accuracy: Number
    # A run with the setting `test = false` has none.
    test_accuracy: Fraction | UnsetType = UNSET
    test_loss: Number | UnsetType = UNSET
    parameters: Count | UnsetType = UNSET
    resumed: list[Epochs] | UnsetType = UNSET
    finished: Text | UnsetType = UNSET


class ProgressFile(Struct):
    """The progress in final.keras. JSON has no NaN, which is a text there."""

    epochs: Annotated[
        list[
            Annotated[
                dict[
                    Annotated[str, Meta(min_length=1, max_length=MAX_NAME)],
                    Number | Literal["nan", "inf", "-inf"],
                ],
                Meta(max_length=1_000),
            ]
        ],
        Meta(max_length=MAX_EPOCHS),
    ]
    resumed: Annotated[list[Epochs], Meta(max_length=MAX_EPOCHS)]


class Epoch(Struct):
    """What each epoch of the progress and each line of history.csv has at least."""

    loss: Number
    accuracy: Number
    val_loss: Number
    val_accuracy: Number
    seconds: Seconds
