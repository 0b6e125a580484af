"""The schema of a line in a file of records. Fields that nothing reads are accepted."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from lenet_tf.runs.schema import Count, Fraction, Number, Seconds, Text

# One number per epoch.
_Epochs = Annotated[list[Number], Meta(min_length=1)]


class Data(Struct):
    """`data` of a record."""

    name: Text
    version: Text
    sha256: Text


class Versions(Struct):
    """`versions` of a record."""

    python: Text
    tensorflow: Text
    keras: Text
    numpy: Text


class Machine(Struct):
    """`machine` of a record."""

    system: Text
    processor: Text
    cores: Count
    features: list[Text]
    architecture: Text | UnsetType = UNSET


class Epochs(Struct):
    """`epochs` of a record."""

    val_accuracy: _Epochs
    seconds: _Epochs


class Test(Struct):
    """`test` of a record; `shifted` is the accuracy by pixels."""

    accuracy: Fraction
    loss: Number
    shifted: dict[Annotated[str, Meta(pattern="^[0-9]{1,4}$")], Fraction] | UnsetType = UNSET


class StoredRecord(Struct):
    """A record."""

    row: Text
    digest: Text
    seed: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    data: Data
    versions: Versions
    machine: Machine
    threads: dict[Text, Text | None]
    seconds: Seconds
    seconds_per_epoch: Seconds
    epochs: Epochs
    test: Test
    predictions: Text
