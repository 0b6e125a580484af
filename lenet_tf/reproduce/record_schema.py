"""The schema of a line in a file of records. Fields that nothing reads are accepted."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType, field

from lenet_tf.runs.schema import Count, Fraction, Number, Seconds, Text

# One number per epoch.
_Epochs = Annotated[list[Number], Meta(min_length=1)]
_Seed = Annotated[int, Meta(ge=0, le=2**32 - 1)]


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


class ClassicalVersions(Struct):
    """`versions` of a record of a classical method."""

    python: Text
    numpy: Text
    scipy: Text
    scikit_learn: Text = field(name="scikit-learn")


class Score(Struct):
    """`test` of a record of a classical method."""

    accuracy: Fraction
    errors: Count


class StoredClassicalRecord(Struct):
    """A record of a classical method."""

    row: Text
    digest: Text
    seed: _Seed
    data: Data
    versions: ClassicalVersions
    machine: Machine
    threads: dict[Text, Text | None]
    seconds: Seconds
    train_seconds: Seconds
    test_seconds: Seconds
    peak_mib: Number
    multiply_adds: Count
    memory_values: Count
    test: Score
    predictions: Text


class StoredRecord(Struct):
    """A record of a network."""

    row: Text
    digest: Text
    seed: _Seed
    data: Data
    versions: Versions
    machine: Machine
    threads: dict[Text, Text | None]
    seconds: Seconds
    seconds_per_epoch: Seconds
    epochs: Epochs
    test: Test
    predictions: Text
