"""The scripts of the page as an import map, which browsers read without any tool chain.

Each module is a `data:` address in the map, so that a page that was opened by double click imports
its modules as one that came over http does. Node finds the same names by scripts/package.json.
"""

from __future__ import annotations

from pathlib import Path

SCRIPTS = Path(__file__).parent / "scripts"
# What an address reads as something else. Browsers encode the rest, such as Korean, themselves.
_ENCODED = str.maketrans({"%": "%25", "#": "%23", "\n": "%0A", "\t": "%09"})


def build_import_map(folder: Path = SCRIPTS) -> dict[str, dict[str, str]]:
    """Build the import map of all scripts.

    Args:
        folder: The folder of the scripts.

    Returns:
        The map: the name of each module, such as `#page/main.js`, and its `data:` address.
    """
    return {
        "imports": {
            f"#page/{path.relative_to(folder).as_posix()}": to_address(path)
            for path in sorted(folder.rglob("*.js"))
        }
    }


def to_address(path: Path) -> str:
    """Return a `data:` address that holds a script."""
    source = path.read_text(encoding="utf-8").translate(_ENCODED)
    return f"data:text/javascript;charset=utf-8,{source}"
