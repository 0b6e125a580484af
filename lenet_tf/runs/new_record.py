"""What config.json says of a run that starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from lenet_tf.runs.run_record import FORMAT
from lenet_tf.runs.validation import check_recordable
from lenet_tf.runtime import environment
from lenet_tf.specs import Spec


def build_config(
    spec: Spec, data: Mapping[str, Any], device: Mapping[str, Any], **settings: Any
) -> dict[str, Any]:
    """Return the content of config.json for a run that starts now.

    Args:
        spec: The network with its recipe.
        data: `RawData.identity()`.
        device: The device's name and label, and the thread settings.
        **settings: Further entries, such as `seed` and `settings`.

    Raises:
        TrainingError: It could not be read again.
    """
    table = spec.to_dict()
    config = {
        "format": FORMAT,
        "variant": spec.name,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "recipe": table.pop("recipe"),
        "spec": table,
        "data": data,
        "device": device,
        "versions": environment.package_versions(),
        "commit": environment.git_commit(),
        "machine": environment.describe_machine(),
    } | settings
    check_recordable(config)
    return config
