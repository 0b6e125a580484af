"""Training options by their usual names: which network and recipe they make, and how it is said."""

from __future__ import annotations

import dataclasses

import pytest

from lenet_tf.errors import SpecError
from lenet_tf.specs import (
    AUGMENTATIONS,
    VARIANTS,
    Augmentation,
    Initializer,
    Optimizer,
    Preparation,
    Recipe,
    Spec,
    get_spec,
    row_types,
)
from lenet_tf.specs.changes import DEFAULT_RATES, Changes
from lenet_tf.specs.recipes import OPTIMIZERS
from lenet_tf.specs.synonyms import HOMES, find_synonyms
from lenet_tf.specs.toml import parse_assignment
from lenet_tf.training.config import TrainConfig


def create(network: str = "lenet5", **settings) -> TrainConfig:
    return TrainConfig.create(network, **settings)


def describe(config: TrainConfig) -> list[str]:
    return [change.text for change in config.changed]


def get_values(spec: Spec, field: str) -> dict[str, object]:
    return {row.name: getattr(row, field) for row in spec.rows if hasattr(row, field)}


def test_a_learning_rate_changes_nothing_else():
    config = create(lr=0.01)
    spec, base = config.spec, get_spec("lenet5")
    assert spec.recipe.optimizer == Optimizer("adam", 0.01)
    assert dataclasses.replace(spec, recipe=base.recipe, notes=base.notes) == base
    assert spec.notes.startswith("changed: learning_rate 0.01 (0.001); before: tanh, ")
    assert describe(config) == ["learning_rate 0.01 (0.001)"]
    assert config.run_name == "lenet5-lr0.01"
    assert create(learning_rate=0.01) == config
    assert create(lr=0.001) == create(), "what the recipe has already is no change"


def test_learning_rates_of_schedules_and_of_epochs():
    fast = create("lenet5-modern", recipe="fast", lr=0.02).spec.recipe.optimizer
    assert (fast.learning_rate, fast.schedule, fast.weight_decay) == (0.02, "one_cycle", 0.01)
    paper = create("lenet5-1998", lr=[0.001, 0.0005]).spec.recipe.optimizer
    assert (paper.learning_rate, paper.damping) == ((0.001, 0.0005), 0.02)
    assert create("lenet5-1998", lr=0.001).spec.recipe.optimizer.learning_rate == 0.001


def test_another_optimizer_starts_from_keras_defaults():
    assert set(DEFAULT_RATES) == set(OPTIMIZERS)
    config = create("lenet5-modern", recipe="fast", optimizer="sgd", momentum=0.9)
    assert config.spec.recipe.optimizer == Optimizer("sgd", 0.01, momentum=0.9)
    assert "optimizer sgd (adamw)" in describe(config)
    assert "learning_rate 0.01 (0.005)" in describe(config)
    assert "schedule none (one_cycle)" in describe(config)
    assert create(optimizer="adam") == create()
    own = Optimizer("rmsprop", 0.1, momentum=0.5)
    assert create(optimizer=own).spec.recipe.optimizer == own
    decayed = create(optimizer="adamw", weight_decay=0.02).spec.recipe.optimizer
    assert decayed == Optimizer("adamw", 0.001, weight_decay=0.02)


def test_keras_defaults_are_keras_own():
    import keras

    for name in set(DEFAULT_RATES) - {"sdlm"}:
        rate = float(keras.optimizers.get(name).learning_rate)
        assert rate == pytest.approx(DEFAULT_RATES[name]), name


def test_rows_change_with_the_network_s_name_and_texts():
    config = create(activation="relu", pool="max", dropout=0.5, initializer="he_normal")
    spec = config.spec
    assert spec.name == config.run_name == "lenet5-relu-he_normal-max-dropout0.5"
    hidden = dict.fromkeys(("C1", "C3", "C5", "F6"), "relu")
    assert get_values(spec, "activation") == {**hidden, "OUTPUT": "softmax"}
    assert get_values(spec, "pool") == {"S2": "max", "S4": "max"}
    assert get_values(spec, "initializer")["OUTPUT"] == "glorot_uniform"
    assert [row.name for row in spec.rows][-5:] == ["C5", "D5", "F6", "D6", "OUTPUT"]
    assert "activation relu (tanh) in C1, C3, C5, F6" in describe(config)
    assert spec.expected_parameters is None
    assert spec.source.startswith("changed from lenet5: ")
    assert create(activation="relu", pool="max").spec.name == "lenet5-relu-max"
    assert create(activation="relu").spec.rows[1].initializer == "glorot_uniform"
    assert (
        create(activation="relu").spec.adapt_to_data("letters", (28, 28, 1), 26).num_classes == 26
    )


@pytest.mark.parametrize(
    ("network", "names", "rates"),
    [
        ("tiny", "C1 S2 FLATTEN D2 OUTPUT", [0.2]),
        ("keras-convnet", "C1 S2 C3 S4 FLATTEN D5 OUTPUT", [0.2]),
        ("mlp-300-100", "FLATTEN F1 D1 F2 D2 OUTPUT", [0.2, 0.2]),
    ],
)
def test_dropout_goes_where_people_put_it(network, names, rates):
    spec = create(network, dropout=0.2).spec
    assert " ".join(row.name for row in spec.rows[1:]) == names
    assert list(get_values(spec, "rate").values()) == rates
    assert spec.name == f"{network}-dropout0.2"


@pytest.mark.parametrize(
    ("network", "changes", "message"),
    [
        ("lenet5", {"weight_decay": 0.1}, "weight_decay goes with adamw, not with adam: choose"),
        ("lenet5", {"weight_decay": 0.1}, "(--optimizer adamw)"),
        ("lenet5", {"momentum": 0.9}, "momentum goes with sgd and rmsprop, not with adam"),
        ("lenet5", {"optimizer": "Adam"}, "unknown optimizer 'Adam': did you mean adam?"),
        ("lenet5", {"activation": "swish"}, "unknown activation 'swish': did you mean silu?"),
        ("lenet5", {"pool": "avg"}, "unknown pool 'avg': did you mean average?"),
        ("lenet5", {"loss": "mse"}, "unknown loss 'mse': did you mean mean_squared_error?"),
        ("lenet5", {"dropout": 50}, "rate must be a number from 0 up to, not including, 1, not 50"),
        ("lenet5", {"lr": 0}, "learning_rate must be a number above 0"),
        ("lenet5", {"lr": 1, "learning_rate": 1}, "two names of one number: give one"),
        ("lenet5", {"changes": [1]}, "changes must be a dictionary such as"),
        ("lenet5-1998", {"pool": "max"}, "S2 and S4 are the trainable subsampling of 1998"),
        ("lenet5-1998", {"dropout": 0.5}, "sdlm has no second derivatives for dropout"),
        ("mlp-300-100", {"pool": "max"}, "it has no pooling row"),
    ],
)
def test_options_that_do_not_fit_are_refused_with_the_reason(network, changes, message):
    with pytest.raises(SpecError) as caught:
        create(network, **changes)
    assert message in str(caught.value)


def test_unknown_arguments_are_suggested():
    for name, meant in (("learnig_rate", "learning_rate"), ("bs", "batch_size"), ("wd", "weight")):
        with pytest.raises(TypeError, match=f"unknown argument '{name}': did you mean {meant}"):
            create(**{name: 1})
    with pytest.raises(TypeError, match="Optimizer has no field 'lr'; did you mean learning_rate?"):
        Optimizer(lr=0.1)
    with pytest.raises(TypeError, match="learning_rate belongs in recipe.optimizer"):
        Recipe(lr=0.1)


def test_any_field_can_be_set():
    config = create(
        optimizer="sgd",
        changes={
            "recipe.optimizer.momentum": 0.9,
            "recipe.optimizer.nesterov": True,
            "recipe.augmentation": "affine",
            "recipe.augmentation.shear": 0.2,
            "rows.C1.filters": 8,
            "rows.4.filters": 12,
            "rows.C3.initializer.name": "random_normal",
            "rows.C3.initializer.stddev": 0.1,
            "preparation.pad_to": 32,
            "data": "fashion_mnist",
        },
    )
    spec = config.spec
    assert spec.recipe.optimizer == Optimizer("sgd", 0.01, momentum=0.9, nesterov=True)
    assert spec.recipe.augmentation == dataclasses.replace(AUGMENTATIONS["affine"], shear=0.2)
    assert get_values(spec, "filters") == {"C1": 8, "C3": 12}
    assert get_values(spec, "initializer")["C3"] == Initializer("random_normal", stddev=0.1)
    assert (spec.input_shape, spec.data) == ((32, 32, 1), "fashion_mnist")
    assert "C1 filters 8 (6)" in describe(config)
    assert create(changes={"rows.C1.filters": 8}).spec.name == "lenet5-C1.filters8"
    augmented = create(changes={"recipe.augmentation": None}, augmentation="affine")
    assert augmented.spec.recipe.augmentation is None


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("lr", "no field 'lr': did you mean recipe.optimizer.learning_rate?"),
        ("optimizer.momentum", "did you mean recipe.optimizer.momentum?"),
        ("C1.filters", "did you mean rows.C1.filters?"),
        ("rows.C9.filters", "no row 'C9': the rows are INPUT, C1, "),
        ("rows.0.filters", "no row '0': "),
        ("rows.C1", "rows.C1 is a row: name a field of it"),
        ("rows.C1.kernel_size", "unknown field 'kernel_size'; did you mean kernel?"),
        ("recipe.lr", "recipe: unknown field 'lr'; learning_rate belongs in recipe.optimizer"),
        ("recipe.epochs.x", "epochs has no fields"),
        ("recipe", "no field 'recipe': a field starts with recipe., preparation. or rows."),
        ("", "no field ''"),
        ("expected_parameters", "no field 'expected_parameters'"),
    ],
)
def test_unknown_fields_are_suggested(path, message):
    with pytest.raises(SpecError) as caught:
        create(changes={path: 1})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.9", 0.9),
        (".9", 0.9),
        ("8", 8),
        ("1e-3", 0.001),
        ("true", True),
        ("[0.1, 0.01]", [0.1, 0.01]),
        ("relu", "relu"),
        ('"two words"', "two words"),
        ("none", None),
    ],
)
def test_values_are_those_of_toml(text, value):
    assert parse_assignment(f"a.b={text}") == ("a.b", value)


@pytest.mark.parametrize("text", ["a", "=1", "a=", "a=1\n[b]", "a=two words", "a=[1", "a=../b"])
def test_other_values_are_refused(text):
    with pytest.raises(SpecError):
        parse_assignment(text)


def test_the_file_in_place_of_a_variant(tmp_path, monkeypatch):
    from lenet_tf.specs.toml import load_spec

    monkeypatch.chdir(tmp_path)
    text = '[[rows]]\nkind = "input"\n[[rows]]\nkind = "flatten"\n[[rows]]\nkind = "dense"\n'
    text += 'activation = "softmax"\n'
    file = tmp_path / "my-net.toml"
    file.write_text(text, encoding="utf-8")
    spec = load_spec(file)
    for name in ("my-net.toml", "./my-net.toml", file, str(file)):
        assert get_spec(name) == create(name).spec == spec
    assert create("my-net.toml", lr=0.1).run_name == "my-net-lr0.1"
    with pytest.raises(SpecError, match="unknown variant 'my-net': did you mean the file my-net.t"):
        create("my-net")
    with pytest.raises(SpecError, match="cannot read other.toml: No such file or directory"):
        create("other.toml")


def test_rows_of_the_results_table_have_names():
    from lenet_tf.reproduce.plan import ROWS
    from lenet_tf.specs import EXPERIMENTS

    assert not set(EXPERIMENTS) & set(VARIANTS)
    for row in ROWS:
        assert get_spec(row.name) == row.spec, "lenet-tf train trains what the table reports"
        assert (row.spec.name, row.spec.data) == (row.name, row.data)
    assert set(EXPERIMENTS) <= {row.name for row in ROWS}
    with pytest.raises(SpecError, match="unknown variant 'lenet5-mx': did you mean lenet5-max"):
        get_spec("lenet5-mx")


def test_what_a_label_may_be_in_a_folder_s_name():
    """A run folder from elsewhere must not name another folder."""
    import msgspec

    from lenet_tf.runs.schema import Settings

    values = {"deterministic": False, "precision": "float32", "early_stopping": None}
    values |= {"engine": "auto"}
    label = create(lr=[0.1, 0.01], optimizer="sgd").label
    assert label == "-sgd-lr0.1_0.01"
    assert msgspec.convert(values | {"label": label}, Settings).label == label
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values | {"label": "/../../elsewhere"}, Settings)
    many = create(
        optimizer="rmsprop", lr=0.123, momentum=0.456, loss="mean_squared_error", label="-lr0.2"
    )
    assert many.label == "-lr0.2-changed"


def test_words_of_other_libraries_are_suggested():
    kinds = list(row_types.ROW_TYPES)
    for word, kind in {
        "conv2d": "convolution",
        "Conv2D": "convolution",
        "MaxPooling2D": 'pooling with pool = "max"',
        "avgpool": 'pooling with pool = "average"',
        "linear": "dense",
        "fc": "dense",
        "fully_connected": "dense",
        "batchnorm": "batch_normalization",
    }.items():
        assert find_synonyms(word, kinds) == [kind]
    parts = {"recipe": Recipe, "recipe.optimizer": Optimizer, "preparation": Preparation}
    for field, home in HOMES.items():
        assert field in {each.name for each in dataclasses.fields(parts[home])}, field
    with pytest.raises(SpecError, match="row 2: unknown kind 'conv2d'; did you mean convolution?"):
        Spec.from_dict({"name": "a", "rows": [{"kind": "input"}, {"kind": "conv2d"}]})
    with pytest.raises(SpecError, match="row 1: kind must be given: rename 'type'"):
        Spec.from_dict({"name": "a", "rows": [{"type": "input"}]})


def test_every_suggested_word_exists():
    """A word of the table that no field, kind or value has would never be shown."""
    from lenet_tf.specs import initializers, recipes, rows, rows_pooling, synonyms

    known = {*row_types.ROW_TYPES, *rows.ACTIVATIONS, *rows_pooling.POOLINGS, *recipes.LOSSES}
    known |= {*initializers.INITIALIZERS, *OPTIMIZERS, *recipes.SCHEDULES, "kind"}
    for part in (*row_types.ROW_TYPES.values(), Augmentation, Optimizer, Preparation, Recipe, Spec):
        known |= {field.name for field in dataclasses.fields(part)}
    assert [word for word in synonyms._WORDS if word.split()[0] not in known] == []
    taken = {word for words in synonyms._WORDS.values() for word in words.split()}
    assert all(word == word.lower() and word.isalnum() for word in taken)


def test_the_variants_themselves_are_unchanged():
    assert all(Changes().apply(spec) is spec for spec in VARIANTS.values())
