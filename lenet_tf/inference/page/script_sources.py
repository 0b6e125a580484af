"""The scripts of the page as an import map, which browsers read without any tool chain.

Each module is a `data:` address in the map, so that a page that was opened by double click imports
its modules as one that came over http does. Node finds the same names by scripts/package.json.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

SCRIPTS = Path(__file__).parent / "scripts"
ENTRY = "#page/main.js"
# What may stand in a data: address inside of JSON inside of a script element.
_SAFE = " !$&'()*+,-./:;=?@[]^_`{|}~"


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
    source = quote(path.read_text(encoding="utf-8"), safe=_SAFE)
    return f"data:text/javascript;charset=utf-8,{source}"
