"""The description of the machine."""

from __future__ import annotations

import os

from lenet_tf.runtime import environment


def test_describe_machine():
    here = environment.describe_machine()
    assert here["cores"] == os.cpu_count()
    assert here["processor"]
    assert environment.is_same_type(here, dict(here))
    assert environment.is_same_type(here, here | {"cores": 99})
    assert not environment.is_same_type(here, here | {"features": ["other"]})
    unknown = here | {"features": []}
    assert not environment.is_same_type(unknown, unknown), (
        "a processor without known features may round differently"
    )
