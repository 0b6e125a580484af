"""Spaces of sweeps: what a file may say, and what is refused with its line and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from lenet_tf.errors import SpecError
from lenet_tf.sweep.space_file import load_space

EXAMPLE = Path(__file__).parent.parent / "examples" / "sweep.toml"
START = 'network = "lenet5"\n[space]\n'


@pytest.fixture
def load(tmp_path):
    def load(text: str, **options):
        path = tmp_path / "space.toml"
        path.write_text(text, encoding="utf-8")
        return load_space(path, **options)

    return load


def test_the_example(load):
    space = load_space(EXAMPLE)
    assert (space.network, space.data, space.trials) == ("lenet5-modern", "mnist", 40)
    names = [each.name for each in space.fields]
    assert names[:2] == ["learning_rate", "batch_size"]
    config = space.build_config({"learning_rate": 0.002, "rows.C1.activation": "gelu"}, seed=3)
    assert config.spec.recipe.optimizer.learning_rate == 0.002
    assert config.spec.rows[1].activation == "gelu"
    assert config.spec.recipe.epochs == 2
    assert (config.seed, config.split_seed, config.test) == (3, 0, False)


def test_fields_know_whether_they_take_fractions(load):
    space = load(
        START + "rows.C1.filters = {low = 4, high = 8, step = 2}\n"
        "dropout = {low = 0, high = 0.5}\n"
        '"recipe.augmentation.translation" = {low = 0, high = 2}\n'
        "epochs = {low = 1, high = 3}\n"
    )
    assert [each.is_integer for each in space.fields] == [True, False, False, True]


def test_options_replace_the_file(load):
    text = 'objective = "loss"\ntrials = 5\n' + START + "pool = ['max', 'average']"
    space = load(text, trials=7, pruner="hyperband", data="sample", seeds=None)
    assert (space.objective, space.trials, space.pruner, space.data) == (
        *("loss", 7, "hyperband", "sample"),
    )
    assert space.seeds == 5


def test_choices_may_be_lists_and_tables(load):
    space = load(START + 'learning_rate = [0.1, [0.1, 0.01]]\naugmentation = ["affine", "none"]')
    rates, augmentations = space.fields
    assert rates.decode("[0.1, 0.01]") == [0.1, 0.01]
    values = space.decode({"learning_rate": "[0.1, 0.01]", "augmentation": "none"})
    recipe = space.build_config(values, seed=0).spec.recipe
    assert recipe.optimizer.learning_rate == (0.1, 0.01)
    assert recipe.augmentation is None
    assert augmentations.labels == ["affine", "none"]


def test_a_recipe_that_validates_on_the_test_images_holds_back_a_tenth(load):
    space = load('network = "lenet5-divided-twice"\n[space]\nepochs = [1, 2]')
    assert space.describe_base().recipe.validation == "test"
    assert space.build_config({"epochs": 1}, seed=0).spec.recipe.validation == 0.1


REFUSED = {
    "unknown field": ("learing_rate = [0.1]", "line 3: unknown field", "learning_rate?"),
    "unknown row": ('"rows.C9.filters" = [4, 5]', "line 3: rows.C9.filters = 4: no row 'C9'", "C1"),
    "unknown key": ("dropout = {low = 0.1, hgih = 0.5}", "line 3", "'hgih': did you mean high?"),
    "no high": (
        "dropout = {low = 0.1}",
        "line 3: dropout has no high",
    ),
    "low above high": ("dropout = {low = 0.5, high = 0.1}", "line 3", "0.5 is not below 0.1"),
    "log of zero": ("learning_rate = {low = 0, high = 1, log = true}", "line 3", "above 0 for log"),
    "log and step": ("epochs = {low = 1, high = 9, log = true, step = 2}", "line 3", "exclude"),
    "step": ("epochs = {low = 1, high = 3, step = 5}", "line 3", "step must be above 0"),
    "end of a range": ("dropout = {low = 0, high = 1}", "line 3: dropout = 1", "not including, 1"),
    "choice": ('optimizer = ["adam", "sdg"]', 'line 3: optimizer = "sdg"', "did you mean sgd"),
    "twice": ("batch_size = [16, 16]", "line 3", "'16' twice"),
    "no choice": ("batch_size = []", "line 3", "must be a list of values"),
    "no field": ("", "line 2: [space] has no field"),
    "fixed value": ("learning_rate = 0.1", "line 3", "a value that stays the same belongs above"),
    "needs another": ("momentum = {low = 0.1, high = 0.9}", "line 3", "momentum goes with sgd"),
    "validation": ("validation = [0.1, 0.2]", "line 3: validation can't be swept"),
    "seed": ("seed = [1, 2]", "line 3: seed can't be swept", "seeds = 5"),
    "two names": ("lr = [0.1, 0.2]\nlearning_rate = [0.3]", "line 4", "two names of one field"),
    "when": (
        'momentum = {low = 0.1, high = 0.9, when = {optimizer = "sgd"}}',
        "line 3",
        "no field",
    ),
    "when choice": (
        'optimizer = ["adam", "sgd"]\nmomentum = {low = 0.1, high = 0.9, when = {optimizer = "x"}}',
        "line 4",
        "the choices of optimizer are adam, sgd",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_error_names_the_line_and_the_key(load, name):
    text, *messages = REFUSED[name]
    with pytest.raises(SpecError) as caught:
        load(START + text)
    assert str(caught.value).count("\n") == 0
    assert "space.toml" in str(caught.value)
    for message in messages:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("epoch = 3\n", "line 1: unknown key 'epoch': did you mean epochs?"),
        ('"rows.C1.filters" = 3\n', "line 1: unknown key 'rows.C1.filters': put it into [changes]"),
        ('validation = "test"\n', "line 1: a sweep never reads the test images"),
        ("trials = 0\n", "line 1: trials must be a whole number from 1, not 0"),
        ('objective = "acuracy"\n', "line 1: unknown objective 'acuracy': did you mean accuracy?"),
        ('sampler = "grid"\n', "line 1: unknown sampler 'grid': known are tpe, random"),
        ("dropout = 0.5\n", "dropout is given both above and in [space]"),
    ],
)
def test_an_error_above_the_space(load, text, message):
    with pytest.raises(SpecError) as caught:
        load(text + START + "dropout = [0.1, 0.2]")
    assert message in str(caught.value)


def test_no_toml_and_no_file(load, tmp_path):
    with pytest.raises(SpecError, match=r"is not TOML: .*line 2"):
        load('network = "lenet5"\n[space\n')
    with pytest.raises(SpecError, match="cannot read .*missing.toml: No such file"):
        load_space(tmp_path / "missing.toml")
