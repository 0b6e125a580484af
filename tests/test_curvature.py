"""Second derivatives against loops and finite differences, and training with SDLM."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.errors import SpecError
from lenet_tf.models.curvature import Curvature, curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import SDLM
from lenet_tf.specs import (
    Convolution,
    Dense,
    EuclideanRBF,
    Flatten,
    GlobalAveragePooling,
    Input,
    Optimizer,
    Pooling,
    Recipe,
    Spec,
    Subsampling,
    TableConvolution,
    get_spec,
)
from lenet_tf.specs.conv_arithmetic import PADDINGS
from lenet_tf.specs.rows_pooling import POOLINGS

TABLE = ((0,), (0, 1), (1,))
SQUASHED = {"activation": "scaled_tanh", "initializer": "lecun1998_uniform"}


def create_network(*rows, loss="lecun1998_mle", shape=(6, 6, 1)) -> LeNet:
    model = LeNet(
        Spec(
            "net",
            (Input(shape=shape), *rows),
            Recipe(Optimizer("sdlm", 0.001), loss=loss, batch_size=1),
        ),
        seed=3,
    )
    model.jit_compile = False
    random = np.random.default_rng(0)
    model.set_weights(
        [weight + random.normal(scale=0.2, size=weight.shape) for weight in model.get_weights()]
    )
    return model


def create_lenet(loss="lecun1998_mle") -> LeNet:
    return create_network(
        Convolution("C1", filters=2, kernel=3, **SQUASHED),
        Subsampling("S2"),
        TableConvolution("C3", table=TABLE, kernel=2, **SQUASHED),
        Flatten(),
        Dense("F6", units=84, **SQUASHED),
        EuclideanRBF("OUTPUT"),
        loss=loss,
    )


def squash(a):
    return 1.7159 * np.tanh(2 / 3 * a)


def slope(a):
    return 1.7159 * 2 / 3 / np.cosh(2 / 3 * a) ** 2


def compute_by_connection(model, image):
    """Appendix C, one connection at a time: a layer is a list of (unit, input, weight)."""
    c1, b1, s2, d2, c3, b3, f6, b6 = (weight.astype(np.float64) for weight in model.get_weights())
    conv1 = [
        ((r, c, m), (r + i, c + j), (i, j, 0, m))
        for r, c, m in np.ndindex(4, 4, 2)
        for i, j in np.ndindex(3, 3)
    ]
    pairs = [(source, target) for target, maps in enumerate(TABLE) for source in maps]
    conv3 = [
        ((t,), (i, j, s), (k, i, j)) for k, (s, t) in enumerate(pairs) for i, j in np.ndindex(2, 2)
    ]
    dense = [((u,), (t,), (t, u)) for t in range(3) for u in range(84)]

    def forward(inputs, links, kernel, bias):
        sums = {unit: bias[unit[-1]] for unit, _, _ in links}
        for unit, source, weight in links:
            sums[unit] += kernel[weight] * inputs[source]
        return sums

    def backward(inputs, links, kernel, bias, second):
        below, weights, biases = (
            dict.fromkeys(inputs, 0.0),
            np.zeros_like(kernel),
            np.zeros_like(bias),
        )
        for unit, source, weight in links:
            below[source] += kernel[weight] ** 2 * second[unit]
            weights[weight] += second[unit] * inputs[source] ** 2
        for unit, value in second.items():
            biases[unit[-1]] += value
        return below, weights, biases

    pixels = {(r, c): float(image[r, c, 0]) for r, c in np.ndindex(6, 6)}
    a1 = forward(pixels, conv1, c1, b1)
    x1 = {unit: squash(value) for unit, value in a1.items()}
    windows = {
        (r, c, m): [(2 * r + i, 2 * c + j, m) for i, j in np.ndindex(2, 2)]
        for r, c, m in np.ndindex(2, 2, 2)
    }
    sums = {unit: sum(x1[source] for source in sources) for unit, sources in windows.items()}
    a2 = {unit: s2[unit[2]] * value + d2[unit[2]] for unit, value in sums.items()}
    x2 = {unit: squash(value) for unit, value in a2.items()}
    a3 = forward(x2, conv3, c3, b3)
    x3 = {unit: squash(value) for unit, value in a3.items()}
    a6 = forward(x3, dense, f6, b6)

    second6 = {unit: 2 * slope(value) ** 2 for unit, value in a6.items()}
    below3, hf6, hb6 = backward(x3, dense, f6, b6, second6)
    second3 = {unit: slope(value) ** 2 * below3[unit] for unit, value in a3.items()}
    below2, hc3, hb3 = backward(x2, conv3, c3, b3, second3)
    second2 = {unit: slope(value) ** 2 * below2[unit] for unit, value in a2.items()}
    hs2, hd2, below1 = np.zeros(2), np.zeros(2), {}
    for unit, value in second2.items():
        hs2[unit[2]] += value * sums[unit] ** 2
        hd2[unit[2]] += value
        below1 |= dict.fromkeys(windows[unit], s2[unit[2]] ** 2 * value)
    second1 = {unit: slope(value) ** 2 * below1[unit] for unit, value in a1.items()}
    _, hc1, hb1 = backward(pixels, conv1, c1, b1, second1)
    return [hc1, hb1, hs2, hd2, hc3, hb3, hf6, hb6]


@pytest.mark.parametrize("loss", ["lecun1998_mle", "lecun1998_map"])
def test_curvature_against_one_connection_at_a_time(loss):
    model = create_lenet(loss)
    images = np.random.default_rng(1).normal(size=(3, 6, 6, 1)).astype("float32")
    ours = curvature(model, images)
    expected = [
        np.mean(parts, axis=0)
        for parts in zip(*(compute_by_connection(model, image) for image in images), strict=True)
    ]
    assert [tuple(part.shape) for part in ours] == [weight.shape for weight in model.get_weights()]
    for part, expected_part in zip(ours, expected, strict=True):
        np.testing.assert_allclose(part, expected_part, rtol=2e-4)
        assert (np.asarray(part) >= 0).all()


FEATURES = {
    "max": Pooling("S1", pool="max"),
    "average": Pooling("S1", pool="average", size=3, stride=3),
    "min": Pooling("S1", pool="min", size=3, stride=1),
    "sum": Pooling("S1", pool="sum"),
}


@pytest.mark.parametrize("name", [*FEATURES, "global", "none"])
@pytest.mark.parametrize("output", ["squares", "softmax"])
def test_one_layer_of_weights_against_finite_differences(name, output):
    """For one dense layer, the Gauss-Newton diagonal is exact: the loss' second differences."""
    before = (
        (GlobalAveragePooling(),)
        if name == "global"
        else (*([FEATURES[name]] if name in FEATURES else []), Flatten())
    )
    activation, loss = (
        ("softmax", "categorical_crossentropy")
        if output == "softmax"
        else ("linear", "mean_squared_error")
    )
    model = create_network(*before, Dense("OUTPUT", units=4, activation=activation), loss=loss)
    images = np.random.default_rng(2).normal(size=(7, 6, 6, 1)).astype("float32")
    labels = np.eye(4)[np.arange(7) % 4]
    ours = [np.asarray(part) for part in curvature(model, images)]
    features = keras.ops.convert_to_numpy(images)
    for layer in model.layers[:-1]:
        features = layer(features)
    features, (kernel, bias) = (
        np.asarray(features, np.float64),
        (weight.astype(np.float64) for weight in model.get_weights()),
    )

    def value(kernel, bias):
        sums = features @ kernel + bias
        if output == "squares":
            return np.mean((sums - labels) ** 2)
        return np.mean(np.log(np.exp(sums).sum(1)) - (sums * labels).sum(1))

    step = 1e-4
    for index in list(np.ndindex(kernel.shape))[:: max(1, kernel.size // 15)]:
        moved = np.zeros_like(kernel)
        moved[index] = step
        difference = (
            value(kernel + moved, bias) - 2 * value(kernel, bias) + value(kernel - moved, bias)
        ) / step**2
        assert ours[0][index] == pytest.approx(difference, rel=1e-3, abs=1e-6)
    for unit in range(4):
        moved = step * np.eye(4)[unit]
        difference = (
            value(kernel, bias + moved) - 2 * value(kernel, bias) + value(kernel, bias - moved)
        ) / step**2
        assert ours[1][unit] == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("name", FEATURES)
def test_pooling_passes_second_derivatives_with_its_coefficients_squared(name):
    """A 1×1 convolution has one weight, so h = Σ over its outputs of input² · ∂²E/∂a²."""
    model = create_network(
        Convolution("C1", filters=1, kernel=1),
        FEATURES[name],
        Flatten(),
        Dense("OUTPUT", units=2),
        loss="mean_squared_error",
    )
    image = np.random.default_rng(4).normal(size=(1, 6, 6, 1)).astype("float32")
    (weight, bias, kernel, _), ours = (
        (w.astype(np.float64) for w in model.get_weights()),
        curvature(model, image),
    )
    sums = image[0, ..., 0] * weight.item() + bias.item()
    size, stride = FEATURES[name].window()
    starts = range(0, 6 - size[0] + 1, stride[0])
    second = np.zeros((6, 6))
    for number, (r, c) in enumerate((r, c) for r in starts for c in starts):
        window = np.s_[r : r + size[0], c : c + size[1]]
        coefficients = {
            "max": sums[window] == sums[window].max(),
            "min": sums[window] == sums[window].min(),
            "average": np.full(size, 1 / np.prod(size)),
            "sum": np.ones(size),
        }[name]
        second[window] += coefficients**2 * (kernel[number] ** 2).sum() * (2 / 2)
    assert np.asarray(ours[0]).item() == pytest.approx(
        (second * image[0, ..., 0] ** 2).sum(), rel=1e-4
    )
    assert np.asarray(ours[1]).item() == pytest.approx(second.sum(), rel=1e-4)


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("pool", POOLINGS)
def test_each_kind_of_pooling_is_refused_or_has_second_derivatives(pool, padding):
    row, last = Pooling("S1", pool=pool, padding=padding), Dense("OUTPUT", units=2)
    try:
        model = create_network(row, Flatten(), last, loss="mean_squared_error")
        refusal = ""
    except SpecError as error:
        refusal = str(error)
    if refusal:
        assert "the optimizer sdlm has no second derivatives for" in refusal
        assert pool in refusal
        return
    try:
        parts = curvature(model, np.ones((2, 6, 6, 1), "float32"))
    except TypeError as error:
        pytest.fail(
            f"{pool}: register it in models/curvature.py or reject it in specs/training_checks.py"
            f" ({error})"
        )
    assert all(np.isfinite(part).all() and (np.asarray(part) >= 0).all() for part in parts)


def test_the_rates_are_eta_over_mu_plus_h():
    weights = keras.Variable(np.array([1.0, 1.0, 1.0], "float32"))
    optimizer = SDLM(learning_rate=0.1, damping=0.5)
    optimizer.build([weights])
    optimizer.apply([np.array([1.0, 1.0, -2.0], "float32")], [weights])
    np.testing.assert_allclose(weights, [0.8, 0.8, 1.4], rtol=1e-6)
    optimizer.set_curvature([np.array([0.0, 0.5, 1.5], "float32")])
    optimizer.apply([np.ones(3, "float32")], [weights])
    np.testing.assert_allclose(weights, [0.8 - 0.2, 0.8 - 0.1, 1.4 - 0.05], rtol=1e-6)
    copy = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert (type(copy), copy.damping, float(copy.learning_rate)) == (
        SDLM,
        0.5,
        pytest.approx(0.1),
    )


@pytest.fixture(scope="module")
def prepared(digits):
    spec = get_spec("lenet5-1998")
    return prepare_images(digits.x_train[:60], spec.preparation), one_hot(digits.y_train[:60], 10)


def test_a_run_with_sdlm(digits, tmp_path):
    """Each epoch has the recipe's rate and new second derivatives; each step has one image."""
    seen = []

    class RecordGains(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append([np.array(gain) for gain in self.model.optimizer.gains])

    spec = get_spec("lenet5-1998")
    few = replace(
        spec.recipe,
        optimizer=replace(
            spec.recipe.optimizer, learning_rate=(0.0005, 0.0002), curvature_images=50
        ),
        epochs=3,
    )
    spec = replace(spec, recipe=few)
    options = {"validation": 0.1, "seed": 4, "device": "cpu", "logs": tmp_path, "quiet": True}
    run = fit(spec, digits, callbacks=[RecordGains()], **options)
    assert run.history["learning_rate"] == pytest.approx([0.0005, 0.0002, 0.0002])
    assert run.history["loss"][2] < run.history["loss"][0] / 2
    assert int(run.model.optimizer.iterations) == 3 * 270
    assert not any(np.array_equal(a, b) for a, b in zip(seen[0], seen[1], strict=True))
    assert all(
        (gain > 0).all() and (gain <= 1 / 0.02 + 1e-3).all() for gains in seen for gain in gains
    )
    assert {path.name for path in run.path.iterdir()} >= {
        "config.json",
        "history.csv",
        "best.keras",
        "final.keras",
        "metrics.json",
        "train",
    }
    loaded = lenet_tf.load_model(run.path)
    assert type(loaded.optimizer) is SDLM
    np.testing.assert_array_equal(loaded.optimizer.gains[0], run.model.optimizer.gains[0])
    same = fit(spec, digits, **options)
    for a, b in zip(run.model.get_weights(), same.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_seed_and_the_epoch_choose_the_images(prepared):
    def compute_gains(seed, epoch):
        model = LeNet("lenet5-1998", seed=1)
        callback = Curvature(prepared[0].__getitem__, 60, count=20, seed=seed)
        callback.set_model(model)
        model.optimizer.build(model.trainable_variables)
        callback.on_epoch_begin(epoch)
        return np.array(model.optimizer.gains[0])

    np.testing.assert_array_equal(compute_gains(0, 3), compute_gains(0, 3))
    assert not np.array_equal(compute_gains(0, 3), compute_gains(0, 4))
    assert not np.array_equal(compute_gains(0, 3), compute_gains(1, 3))


def test_steps_that_diverge_are_named(digits, tmp_path):
    rows = (Input(), Flatten(), Dense("OUTPUT", units=10))
    recipe = Recipe(
        Optimizer("sdlm", 1e30),
        loss="mean_squared_error",
        epochs=1,
        batch_size=1,
        validation="test",
    )
    data = replace(
        digits, x_train=np.tile(digits.x_train, (2, 1, 1, 1)), y_train=np.tile(digits.y_train, 2)
    )
    with pytest.raises(
        lenet_tf.LenetError,
        match=r"NaN or infinite in epoch 1, steps 1 to 500: is the learning rate 1e\+30",
    ):
        fit(Spec("net", rows, recipe), data, logs=tmp_path, quiet=True)


def test_second_derivatives_need_float32(digits, tmp_path):
    with pytest.raises(
        lenet_tf.LenetError,
        match="lenet1: the optimizer sdlm works in float32 only, not in mixed_float16",
    ):
        fit(
            "lenet1",
            digits,
            precision="mixed_float16",
            validation=0.1,
            logs=tmp_path / "none",
            quiet=True,
        )
    assert not (tmp_path / "none").exists()


def test_the_optimizer_of_a_compiled_model_trains_it(digits, tmp_path):
    """A 1998 network compiled with Adam trains with Adam; SDLM refuses frozen layers."""
    options = {"epochs": 1, "batch_size": 30, "validation": 0.1, "device": "cpu", "quiet": True}
    model = LeNet("lenet1", seed=0)
    model.compile("adam", loss="categorical_crossentropy", metrics=["accuracy"])
    run = fit(model, digits, logs=tmp_path / "adam", **options)
    assert int(run.model.optimizer.iterations) == 9
    frozen = LeNet("lenet1", seed=0)
    frozen.layers[0].trainable = False
    with pytest.raises(
        lenet_tf.LenetError,
        match="lenet1: the optimizer sdlm trains all layers, and one of them is frozen",
    ):
        fit(frozen, digits, logs=tmp_path / "frozen", **options)
    assert not (tmp_path / "frozen").exists()


@pytest.mark.slow
def test_a_run_in_several_threads_suggests_one(digits, tmp_path, capfd, monkeypatch):
    for threads, is_suggested in (("1", False), ("2", True)):
        for variable in ("TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
            monkeypatch.setenv(variable, threads)
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
        fit("lenet1", digits, epochs=1, validation=0.5, device="cpu", logs=tmp_path)
        assert (
            "call lenet_tf.use_one_thread() before TensorFlow starts" in capfd.readouterr().out
        ) == is_suggested


@pytest.mark.slow
def test_a_model_can_train_with_the_loop_and_with_keras(digits, tmp_path):
    """The graphs of one engine aren't reused by the other."""
    options = {"device": "cpu", "logs": tmp_path, "quiet": True, "epochs": 1, "validation": 0.1}
    model = fit("lenet1", digits, **options).model
    assert int(model.optimizer.iterations) == 270
    for steps, engine in ((3, "graph"), (6, "keras")):
        fit(model, digits, batch_size=90, engine=engine, **options)
        assert int(model.optimizer.iterations) == 270 + steps
    assert model.graph_loop is None
