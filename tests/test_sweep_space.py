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
    "when of a range": (
        "batch_size = {low = 1, high = 9}\ndropout = {choices = [0.1], when = {batch_size = 4}}",
        "line 4: dropout: when batch_size = '4': batch_size has a range",
    ),
    "both names": ("lr = [0.1, 0.2]\nlearning_rate = [0.3]", "lr and learning_rate are two names"),
    "date": ("batch_size = [1998-11-01]", "line 3: batch_size: '1998-11-01' is no value"),
    "date in when": (
        "optimizer = ['adam']\ndropout = {choices = [0.1], when = {optimizer = 1998-11-01}}",
        "line 4: dropout: '1998-11-01' is no value",
    ),
    "step of fractions": ("batch_size = {low = 1, high = 9, step = 0.5}", "batch_size = 1.5: "),
    "tiny step": ("dropout = {low = 0, high = 0.5, step = 1e-30}", "line 3: dropout: step = 1e-30"),
    "a name that is used above too": ("network = ['lenet5', 'lenet66']", "line 3: network = "),
    "data": ("data = ['mnist', 'sample']", "line 3: data can't be swept"),
    "two paths of one field": (
        '"rows.C1.filters" = [4, 5]\n"rows.2.filters" = [6, 7]',
        "line 3: rows.C1.filters changes nothing",
    ),
    "hidden by another": (
        '"rows.C1.activation" = ["relu", "gelu"]\n"rows.2.activation" = ["tanh", "gelu"]',
        "line 3: rows.C1.activation changes nothing",
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
        ("dropout = 0.5\n", "line 3: dropout is given both above and in [space]"),
        ("rows.C1.filters = 3\n", "line 1: unknown key 'rows.C1.filters': put it into [changes]"),
        ("epochs = 0\n", "line 1: epochs must be a whole number of at least 1, not 0"),
        ("# no test\nvalidation = 2\n", "line 2: validation must be a fraction"),
        ('epochs = 2\nengine = "x"\n', "space.toml, line 2: unknown engine 'x'"),
        ('deterministic = "no"\n', "line 1: deterministic must be true or false, not 'no'"),
        ('recipe = "fsat"\n', "line 1: lenet5 has no recipe 'fsat'"),
        ('[changes]\n"rows.C9.filters" = 4\n', "line 2: no row 'C9'"),
        (
            '[changes]\n"recipe.validation" = "test"\n',
            "line 2: recipe.validation has a key of its own: hold back a fraction",
        ),
    ],
)
def test_an_error_above_the_space(load, text, message):
    with pytest.raises(SpecError) as caught:
        load(text + "[space]\ndropout = [0.1, 0.2]")
    assert message in str(caught.value)


def test_a_fixed_value_by_another_name_is_no_field_too(load):
    text = '[changes]\n"recipe.optimizer.learning_rate" = 0.1\n[space]\n'
    with pytest.raises(SpecError, match="line 4: learning_rate is given both above and in"):
        load(text + "learning_rate = [0.1, 0.2]")


def test_a_network_that_is_none_names_its_line(load):
    with pytest.raises(SpecError, match="line 2: unknown variant 'lenet6': did you mean lenet5"):
        load('epochs = 1\nnetwork = "lenet6"\n[space]\ndropout = [0.1, 0.2]')


def test_a_wrong_option_does_not_blame_the_file(load):
    with pytest.raises(SpecError, match="^unknown objective 'acc': did you mean accuracy"):
        load(START + "dropout = [0.1, 0.2]", objective="acc")


def test_no_toml_and_no_file(load, tmp_path):
    with pytest.raises(SpecError, match=r"is not TOML: .*line 2"):
        load('network = "lenet5"\n[space\n')
    with pytest.raises(SpecError, match="cannot read .*missing.toml: No such file"):
        load_space(tmp_path / "missing.toml")
