"""The graph loop against Keras' own steps: weights, history and state equal up to rounding."""

from __future__ import annotations

import gc
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from quick import fit

import lenet_tf
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, compute_steps_per_execution
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.engine.selection import choose_engine
from lenet_tf.models.curvature import curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import find_one_cycle
from lenet_tf.runs import run_record
from lenet_tf.runtime.device import choose_device
from lenet_tf.specs import (
    Convolution,
    Dense,
    Dropout,
    Flatten,
    Input,
    Optimizer,
    Pooling,
    Recipe,
    Spec,
    get_spec,
)
from lenet_tf.specs.rows_pooling import POOLINGS

pytestmark = pytest.mark.cpu


@pytest.fixture(scope="module")
def images(digits):
    return digits.x_train[:230], one_hot(digits.y_train[:230], 10)


def train(spec, optimizer, step, data, graph_loop, size):
    spec = replace(get_spec(spec) if isinstance(spec, str) else spec)
    spec = replace(spec, recipe=replace(spec.recipe, optimizer=optimizer, batch_size=step))
    model = LeNet(spec, seed=1)
    model.jit_compile = False
    x, y = prepare_images(data[0], spec.preparation), data[1]
    model.optimizer.build(model.trainable_variables)
    if find_one_cycle(model.optimizer):
        find_one_cycle(model.optimizer).steps = 16
    if optimizer.name == "sdlm":
        model.optimizer.set_curvature(curvature(model, x[:50]))
    model.graph_loop = graph_loop
    history = model.fit(x, y, batch_size=size, epochs=2, shuffle=False, verbose=0).history
    return model, history


# Variant, optimizer, batch size, parts. Of 230 images, most leave a smaller last batch.
CASES = [
    ("lenet5", Optimizer("adam"), 32, 2),
    ("lenet5", Optimizer("adam"), 32, 1),
    ("lenet5", Optimizer("adam", (0.002, 0.001)), 15, 2),
    ("lenet5-modern", Optimizer("adamw", 0.001, weight_decay=0.01), 64, 2),
    ("lenet5-modern", Optimizer("rmsprop", 0.001), 32, 2),
    (
        "tiny",
        Optimizer("adamw", 0.005, beta_2=0.99, weight_decay=0.01, schedule="one_cycle"),
        32,
        2,
    ),
    ("lenet5-3x3", Optimizer("adagrad", 0.01), 32, 2),
    ("cnn-38k", Optimizer("sgd", 0.01, momentum=0.9, nesterov=True), 23, 2),
    ("lenet-caffe", Optimizer("sgd", 0.01, momentum=0.9), 64, 2),
    ("keras-convnet", Optimizer("adam"), 32, 1),
    ("mlp-300-100", Optimizer("sgd", 0.1), 10, 2),
    ("lenet5-1998", Optimizer("sdlm", 0.0005, damping=0.02), 1, 1),
    ("lenet5-1998", Optimizer("sdlm", 0.0005, damping=0.02), 7, 1),
    ("lenet5-1998", Optimizer("adam"), 32, 2),
    ("lenet4", Optimizer("adam"), 16, 2),
]


@pytest.mark.parametrize(
    ("variant", "optimizer", "step", "parts"),
    [
        pytest.param(*case, marks=[pytest.mark.slow] * (number > 0))
        for number, case in enumerate(CASES)
    ],
    ids=[f"{c[0]}-{c[1].name}-{c[2]}-{c[3]}" for c in CASES],
)
def test_graph_steps_equal_keras_own(images, variant, optimizer, step, parts):
    """Weights are equal after two epochs, bit for bit without halves and im2col.

    With them, the difference is at most 3·10⁻⁴ of how far a weight moved.
    """
    by_keras, history = train(variant, optimizer, step, images, None, step)
    # An execution ends where a step ends, so that both take the same steps.
    by_loop, loop_history = train(
        variant, optimizer, step, images, GraphLoop(step, parts, images=230), 100 // step * step
    )
    assert (
        int(by_keras.optimizer.iterations)
        == int(by_loop.optimizer.iterations)
        == 2 * -(-230 // step)
    )
    bound = 0 if parts == 1 and Im2colModel.from_model(by_keras) is None else 3e-4
    for first, expected, actual in zip(
        LeNet(variant, seed=1).get_weights(),
        by_keras.get_weights(),
        by_loop.get_weights(),
        strict=True,
    ):
        moved = np.abs(expected - first).max()
        assert moved > 0
        np.testing.assert_allclose(actual, expected, rtol=0, atol=bound * moved)
    for expected, actual in zip(
        by_keras.optimizer.variables, by_loop.optimizer.variables, strict=True
    ):
        expected, actual = np.asarray(expected), np.asarray(actual)
        np.testing.assert_allclose(
            actual,
            expected,
            rtol=0,
            atol=bound * np.abs(expected).max(),
            err_msg="the optimizer's state",
        )
    np.testing.assert_allclose(loop_history["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(loop_history["accuracy"], history["accuracy"], atol=1e-6)


# The contract compares the first step of lenet5-1998 in each call of `make test`.
@pytest.mark.slow
@pytest.mark.parametrize("variant", ["lenet4", "lenet5-1998"])
def test_compiled_steps_on_single_images_equal_keras_own(images, variant):
    """XLA compiles the steps of an execution; of 110 images, the last execution has fewer."""
    few, optimizer = (images[0][:110], images[1][:110]), get_spec(variant).recipe.optimizer
    by_keras, history = train(variant, replace(optimizer, learning_rate=0.0005), 1, few, None, 1)
    assert XlaIm2colModel.from_model(by_keras) is not None
    by_loop, loop_history = train(
        variant,
        replace(optimizer, learning_rate=0.0005),
        1,
        few,
        GraphLoop(1, jit_compile=True),
        100,
    )
    assert int(by_keras.optimizer.iterations) == int(by_loop.optimizer.iterations) == 220
    for first, expected, actual in zip(
        LeNet(variant, seed=1).get_weights(),
        by_keras.get_weights(),
        by_loop.get_weights(),
        strict=True,
    ):
        moved = np.abs(expected - first).max()
        assert moved > 0
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4 * moved)
    np.testing.assert_allclose(loop_history["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(loop_history["accuracy"], history["accuracy"], atol=1e-6)


def test_one_step_is_equal_up_to_rounding(images):
    """Each weight changes by the same amount to 10⁻⁴."""
    few = (images[0][:32], images[1][:32])
    results = []
    for engine in (None, GraphLoop(32, 2)):
        model = LeNet(
            replace(get_spec("lenet5"), recipe=Recipe(Optimizer("sgd", 1.0), batch_size=32)), seed=1
        )
        model.jit_compile, model.graph_loop = False, engine
        start = model.get_weights()
        model.fit(prepare_images(few[0], model.spec.preparation), few[1], batch_size=32, verbose=0)
        results.append(
            [after - before for after, before in zip(model.get_weights(), start, strict=True)]
        )
    for expected, actual in zip(*results, strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


def test_a_last_batch_of_one_image(images):
    """33 images in batches of 32: the last image can't be halved."""
    few = (images[0][:33], images[1][:33])
    by_keras, _ = train("lenet5", Optimizer("adam"), 32, few, None, 32)
    by_loop, history = train("lenet5", Optimizer("adam"), 32, few, GraphLoop(32, 2), 64)
    assert np.isfinite(history["loss"]).all()
    for expected, actual in zip(by_keras.get_weights(), by_loop.get_weights(), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_fewer_images_than_a_batch(digits, tmp_path):
    """270 images in batches of 512 make one smaller step, as with Keras."""
    options = {"batch_size": 512, "epochs": 2, "device": "cpu", "logs": tmp_path, "quiet": True}
    by_loop, by_keras = (
        fit("lenet5", digits, engine=engine, **options | {"validation": 0.1})
        for engine in ("graph", "keras")
    )
    assert int(by_loop.model.optimizer.iterations) == 2
    for expected, actual in zip(
        by_keras.model.get_weights(), by_loop.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(actual, expected, atol=1e-6)


def test_networks_that_need_the_whole_batch_are_not_halved(digits, tmp_path, capfd):
    rows = (
        Input(),
        Convolution("C1", filters=4, kernel=5, activation="relu"),
        Pooling("S2"),
        Flatten(),
    )
    last = Dense("OUTPUT", units=10, activation="softmax")
    options = {"device": "cpu", "logs": tmp_path, "epochs": 1}
    for extra, description in (
        ((), "graph, 125 steps per execution, each batch in two halves"),
        ((Dropout("D3", rate=0.5),), "graph, 125 steps per execution"),
    ):
        fit(Spec("own", (*rows, *extra, last)), digits, **options)
        assert f"engine  {description}\n" in capfd.readouterr().out


@pytest.mark.parametrize("pool", POOLINGS)
def test_batches_stay_whole_for_pooling_that_draws(pool):
    rows = (Input(), Pooling("S1", pool=pool), Flatten(), Dense("OUTPUT", 10, "softmax"))
    model = LeNet(Spec("own", rows))
    loop, _ = choose_engine("graph", model.spec, model, choose_device("cpu"))
    parts = 1 if hasattr(model.layers[0], "seed_generator") else 2
    assert loop.parts == parts, "see _can_halve_batches in engine/selection.py"


def test_the_engine_can_be_chosen(digits, tmp_path, capfd):
    options = {"device": "cpu", "logs": tmp_path, "epochs": 2, "seed": 3}
    by_loop = fit("tiny", digits, **options)
    by_keras = fit("tiny", digits, engine="keras", **options)
    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("engine")]
    assert lines == [
        "engine  graph, 80 steps per execution, each batch in two halves",
        "engine  keras",
    ]
    assert run_record.read_config(by_keras.path)["settings"]["engine"] == "keras"
    assert set(by_loop.history) == set(by_keras.history)
    for expected, actual in zip(
        by_keras.model.get_weights(), by_loop.model.get_weights(), strict=True
    ):
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    np.testing.assert_allclose(by_loop.history["val_loss"], by_keras.history["val_loss"], rtol=1e-5)
    with pytest.raises(lenet_tf.LenetError, match="unknown engine 'grap': did you mean graph"):
        fit("tiny", digits, engine="grap", **options | {"logs": tmp_path / "none"})
    with pytest.raises(
        lenet_tf.LenetError,
        match="the engine graph can't train .*, since the precision is mixed_bfloat16",
    ):
        fit(
            "tiny",
            digits,
            engine="graph",
            precision="mixed_bfloat16",
            **options | {"logs": tmp_path / "none"},
        )
    assert not (tmp_path / "none").exists()


def test_the_trained_model_is_an_ordinary_keras_model(digits, tmp_path):
    """After the run, the model's own `fit` takes prepared images and Keras' steps."""
    run = fit("lenet5", digits, epochs=1, device="cpu", logs=tmp_path, quiet=True)
    before = int(run.model.optimizer.iterations)
    run.model.fit(
        digits.x_train[:64] / np.float32(255),
        one_hot(digits.y_train[:64], 10),
        batch_size=32,
        verbose=0,
    )
    assert int(run.model.optimizer.iterations) == before + 2


def test_steps_per_execution():
    assert [compute_steps_per_execution(size, 784) for size in (1, 8, 32, 128, 4_000, 60_000)] == [
        500,
        500,
        125,
        31,
        1,
        1,
    ]
    assert compute_steps_per_execution(32, 96 * 96 * 3) == 13, (
        "large images take fewer steps, so that an execution stays near 50 MB"
    )


def test_callbacks_see_every_epoch(digits, tmp_path):
    seen = []

    class RecordLogs(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((batch, set(logs)))

    run = fit(
        "tiny",
        digits,
        epochs=2,
        batch_size=1,
        device="cpu",
        logs=tmp_path,
        quiet=True,
        callbacks=[RecordLogs()],
    )
    assert seen == [(0, {"loss", "accuracy"})] * 2, "270 images in one execution"
    assert len(run.history["val_accuracy"]) == 2
    assert int(run.model.optimizer.iterations) == 540


def test_a_batch_larger_than_the_data_is_all_of_them(digits, tmp_path):
    """TensorFlow computes the shapes of full batches in 32 bits, also of those that never come."""
    options = {"epochs": 1, "seed": 1, "device": "cpu", "engine": "graph", "quiet": True}
    one, other = (
        fit("tiny", digits, batch_size=size, logs=tmp_path, **options).model.get_weights()
        for size in (2**31 - 1, len(digits.x_train) + 10)
    )
    for ours, theirs in zip(one, other, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["graph", "keras"])
def test_the_graphs_of_a_run_do_not_stay(digits, tmp_path, engine):
    """A registry of TensorFlow kept each graph in which a gradient was replaced."""

    def count_graphs():
        fit("tiny", digits, epochs=1, engine=engine, logs=tmp_path)
        keras.utils.clear_session()
        gc.collect()
        return sum(isinstance(each, tf.Graph) for each in gc.get_objects())

    assert count_graphs() == count_graphs() == count_graphs()
