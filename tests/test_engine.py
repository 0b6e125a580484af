"""The graph engine against Keras' own steps: the same weights, history and optimizer state but for rounding."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from quick import fit

import lenet_tf
from lenet_tf.data.preprocessing import one_hot, prepare_images
from lenet_tf.engine.graph_loop import GraphLoop, compute_steps_per_execution
from lenet_tf.engine.im2col import Im2colModel
from lenet_tf.engine.im2col_xla import XlaIm2colModel
from lenet_tf.models.curvature import curvature
from lenet_tf.models.lenet import LeNet
from lenet_tf.models.optimizers import find_one_cycle
from lenet_tf.runs import run_record
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

pytestmark = pytest.mark.cpu


@pytest.fixture(scope="module")
def images(digits):
    return digits.x_train[:230], one_hot(digits.y_train[:230], 10)


def trained(spec, optimizer, step, data, engine, size):
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
    model.graph_loop = engine
    history = model.fit(x, y, batch_size=size, epochs=2, shuffle=False, verbose=0).history
    return model, history


# Variant, optimizer, images a step, halves; 230 images leave a smaller step at the end of most.
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
def test_steps_in_the_graph_equal_keras_own(images, variant, optimizer, step, parts):
    """Two passes from the same weights: bit for bit where batches stay whole and no convolution is lowered; else each weight to 3·10⁻⁴ of
    the way it has gone."""
    plain, history = trained(variant, optimizer, step, images, None, step)
    # A call's images end where a step ends, so that both ways take the same steps.
    ours, our_history = trained(
        variant, optimizer, step, images, GraphLoop(step, parts), 100 // step * step
    )
    assert int(plain.optimizer.iterations) == int(ours.optimizer.iterations) == 2 * -(-230 // step)
    bound = 0 if parts == 1 and Im2colModel.from_model(plain) is None else 3e-4
    for first, expected, got in zip(
        LeNet(variant, seed=1).get_weights(), plain.get_weights(), ours.get_weights(), strict=True
    ):
        moved = np.abs(expected - first).max()
        assert moved > 0
        np.testing.assert_allclose(got, expected, rtol=0, atol=bound * moved)
    for expected, got in zip(plain.optimizer.variables, ours.optimizer.variables, strict=True):
        expected, got = np.asarray(expected), np.asarray(got)
        np.testing.assert_allclose(
            got,
            expected,
            rtol=0,
            atol=bound * np.abs(expected).max(),
            err_msg="the optimizer's state",
        )
    np.testing.assert_allclose(our_history["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(our_history["accuracy"], history["accuracy"], atol=1e-6)


@pytest.mark.parametrize("variant", [pytest.param("lenet4", marks=pytest.mark.slow), "lenet5-1998"])
def test_compiled_steps_on_single_images_equal_keras_own(images, variant):
    """As above, with a call's steps in one program of XLA's; 110 images leave a shorter call at the end."""
    few, optimizer = (images[0][:110], images[1][:110]), get_spec(variant).recipe.optimizer
    plain, history = trained(variant, replace(optimizer, learning_rate=0.0005), 1, few, None, 1)
    assert XlaIm2colModel.from_model(plain) is not None
    ours, our_history = trained(
        variant,
        replace(optimizer, learning_rate=0.0005),
        1,
        few,
        GraphLoop(1, jit_compile=True),
        100,
    )
    assert int(plain.optimizer.iterations) == int(ours.optimizer.iterations) == 220
    for first, expected, got in zip(
        LeNet(variant, seed=1).get_weights(), plain.get_weights(), ours.get_weights(), strict=True
    ):
        moved = np.abs(expected - first).max()
        assert moved > 0
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4 * moved)
    np.testing.assert_allclose(our_history["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(our_history["accuracy"], history["accuracy"], atol=1e-6)


def test_a_single_step_is_equal_to_rounding(images):
    """One step of 32 images from the same weights: every weight's change to one part in ten thousand."""
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
    for expected, got in zip(*results, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4 * np.abs(expected).max())


def test_one_image_left_over(images):
    """33 images in steps of 32: the last step's one image cannot be halved."""
    few = (images[0][:33], images[1][:33])
    plain, _ = trained("lenet5", Optimizer("adam"), 32, few, None, 32)
    ours, history = trained("lenet5", Optimizer("adam"), 32, few, GraphLoop(32, 2), 64)
    assert np.isfinite(history["loss"]).all()
    for expected, got in zip(plain.get_weights(), ours.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


def test_fewer_images_than_a_step(digits, tmp_path):
    """270 images in steps of 512: one step with what there is, as Keras takes it."""
    options = {"batch_size": 512, "epochs": 2, "device": "cpu", "logs": tmp_path, "quiet": True}
    ours, plain = (
        fit("lenet5", digits, engine=engine, **options | {"validation": 0.1})
        for engine in ("graph", "keras")
    )
    assert int(ours.model.optimizer.iterations) == 2
    for expected, got in zip(plain.model.get_weights(), ours.model.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_what_depends_on_the_whole_batch_is_not_halved(digits, tmp_path, capfd):
    rows = (
        Input(),
        Convolution("C1", filters=4, kernel=5, activation="relu"),
        Pooling("S2"),
        Flatten(),
    )
    last = Dense("OUTPUT", units=10, activation="softmax")
    options = {"device": "cpu", "logs": tmp_path, "epochs": 1}
    for extra, said in (
        ((), ", each batch in two halves\n"),
        ((Dropout("D3", rate=0.5),), "graph, 125 steps per execution\n"),
    ):
        fit(Spec("own", (*rows, *extra, last)), digits, **options)
        out = capfd.readouterr().out
        assert (
            f"engine  graph, 125 steps per execution{said if said.startswith(',') else ''}" in out
        )
        assert said in out


def test_the_engine_can_be_chosen_and_says_why_it_is_not_used(digits, tmp_path, capfd):
    options = {"device": "cpu", "logs": tmp_path, "epochs": 2, "seed": 3}
    ours = fit("tiny", digits, **options)
    plain = fit("tiny", digits, engine="keras", **options)
    said = [line for line in capfd.readouterr().out.splitlines() if line.startswith("engine")]
    assert said == [
        "engine  graph, 80 steps per execution, each batch in two halves",
        "engine  keras",
    ]
    assert run_record.read_config(plain.path)["settings"]["engine"] == "keras"
    assert set(ours.history) == set(plain.history)
    for expected, got in zip(plain.model.get_weights(), ours.model.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(ours.history["val_loss"], plain.history["val_loss"], rtol=1e-5)
    with pytest.raises(lenet_tf.LenetError, match="unknown engine 'grap': did you mean graph"):
        fit("tiny", digits, engine="grap", **options | {"logs": tmp_path / "none"})
    with pytest.raises(
        lenet_tf.LenetError,
        match="the engine graph works on a CPU in float32, but the precision is mixed_bfloat16",
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
    """Its own `fit` takes prepared images and Keras' steps, whatever the run took."""
    run = fit("lenet5", digits, epochs=1, device="cpu", logs=tmp_path, quiet=True)
    before = int(run.model.optimizer.iterations)
    run.model.fit(
        digits.x_train[:64] / np.float32(255),
        one_hot(digits.y_train[:64], 10),
        batch_size=32,
        verbose=0,
    )
    assert int(run.model.optimizer.iterations) == before + 2


def test_steps_a_call():
    assert [compute_steps_per_execution(size, 784) for size in (1, 8, 32, 128, 4_000, 60_000)] == [
        500,
        500,
        125,
        31,
        1,
        1,
    ]
    assert compute_steps_per_execution(32, 96 * 96 * 3) == 13, (
        "large images take fewer, so that a call stays some 50 MB"
    )


def test_validation_and_callbacks_see_every_epoch(digits, tmp_path):
    seen = []

    class Watch(keras.callbacks.Callback):
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
        callbacks=[Watch()],
    )
    assert seen == [(0, {"loss", "accuracy"})] * 2, "270 images, one call"
    assert len(run.history["val_accuracy"]) == 2
    assert int(run.model.optimizer.iterations) == 540
