"""Memory and work of a network, known before it is built."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lenet_tf.errors import SpecError
from lenet_tf.specs import VARIANTS, cost, get_spec


def test_every_variant_is_evaluated_a_thousand_images_at_a_time():
    """Recorded results depend on it in their last digits."""
    for spec in VARIANTS.values():
        cost.check_cost(spec)
        assert cost.compute_evaluation_batch(spec.input_shape, spec.layers) == 1000, spec.name


def test_large_images_and_layers_make_small_batches():
    assert cost.compute_evaluation_batch((4096, 4096, 1)) == 1
    assert cost.compute_evaluation_batch((224, 224, 3)) == 20
    wide = get_spec("lenet5").adapt((64, 64, 1))
    rows = tuple(row.replace(filters=200) if row.name == "C1" else row for row in wide.rows)
    wide = replace(wide, rows=rows)
    values = cost.count_image_values(wide.layers)
    size = cost.compute_evaluation_batch(wide.input_shape, wide.layers)
    assert 1 < size < 1000 and size * values <= 96 << 20


def test_values_of_a_layer_are_its_input_patches_and_output():
    layers = get_spec("lenet5").layers
    # C1 reads 28×28 windows of 5×5, C3 10×10 windows of 5×5×6.
    assert cost.count_image_values(layers[:2]) == 784 + 28 * 28 * 25 + 28 * 28 * 6
    assert cost.count_image_values(layers[3:4]) == 14 * 14 * 6 + 100 * 150 + 1600


def test_a_network_that_costs_too_much_for_one_image_is_refused():
    spec = get_spec("lenet5")
    with pytest.raises(SpecError, match="C1 needs .* MiB of memory for one image, more than 256.0"):
        cost.check_cost(spec.adapt((4096, 4096, 1)))
    rows = tuple(
        row.replace(filters=2000, kernel=9, padding="same") if row.name in ("C1", "C3") else row
        for row in spec.adapt((64, 64, 1)).rows
    )
    with pytest.raises(SpecError, match="multiply-adds for one image are more than 10,000,000,000"):
        cost.check_cost(replace(spec, rows=rows, expected_parameters=None))


def test_training_that_does_not_fit_into_memory_is_refused():
    spec = get_spec("lenet5")
    cost.check_training_cost(spec, 32, 1 << 30)
    cost.check_training_cost(spec, 2**31, None)
    with pytest.raises(SpecError, match=r"2,147,483,648 images needs about [\d,.]+ TiB") as caught:
        cost.check_training_cost(spec, 2**31, 16 << 30)
    assert "this machine has 16.0 GiB: choose a smaller batch size" in str(caught.value)
    with pytest.raises(SpecError, match="this machine has 512.0 KiB$"):
        cost.check_training_cost(spec, 1, 1 << 19)


def test_bytes_are_formatted_in_their_unit():
    assert [cost.format_bytes(n) for n in (12, 1536, 3 << 30)] == ["12 bytes", "1.5 KiB", "3.0 GiB"]
