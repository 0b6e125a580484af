"""Measure the page of three presets in Chromium, into results/page.json.

How large its parts are, how long it takes to open, to compute an image, to show another image in
all its parts, and to show a stroke while it is drawn. A page that asks the network fails; a loaded
machine is refused. Usage: page.py [--repeats 10].
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import re
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import common
from playwright.sync_api import Browser, Page, sync_playwright

import lenet_tf

RESULT = common.RESULTS / "page.json"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
VIEWPORT = {"width": 1440, "height": 900}
# Notes when the page can be drawn on, in milliseconds since its address was opened.
NOTE_READY = """
new MutationObserver(() => { globalThis.readyAt ??= performance.now(); })
  .observe(document, {attributes: true, subtree: true, attributeFilter: ["data-ready"]});
"""
# A task that follows the next frame's painting.
PAINTED = """
const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
  const {port1, port2} = new MessageChannel();
  port1.onmessage = resolve;
  port2.postMessage(null);
}));
"""
SHOW_IMAGES = f"""
async () => {{
  {PAINTED}
  const {{store, content: {{examples: {{images}}}}}} = await lenetPage;
  const [count, height, width, channels] = images.shape, size = height * width * channels;
  const set = [], shown = [];
  for (let index = 0; index < count; index++) {{
    const pixels = images.values.slice(index * size, (index + 1) * size);
    const start = performance.now();
    store.set({{image: {{height, width, channels, pixels}}}});
    set.push(performance.now() - start);
    await painted();
    shown.push(performance.now() - start);
  }}
  return {{set, shown}};
}}
"""
COMPUTE_IMAGES = """
async () => {
  const [{computeOutputs}, {prepareImage}] = await Promise.all(
    [import("#page/network/forward.js"), import("#page/network/prepare.js")]);
  const {store, content: {examples: {images}}} = await lenetPage;
  const [count, height, width, channels] = images.shape, size = height * width * channels;
  const times = {};
  for (const network of store.networks) {
    times[network.name] = Array.from({length: count}, (_, index) => {
      const pixels = images.values.subarray(index * size, (index + 1) * size);
      const start = performance.now();
      computeOutputs(network, prepareImage(
        {height, width, channels, pixels}, network.preparation), {disabled: []});
      return performance.now() - start;
    });
  }
  return times;
}
"""
NOTE_STROKES = f"""
() => {{
  {PAINTED}
  globalThis.strokeTimes = [];
  document.addEventListener("pointermove", async ({{timeStamp}}) => {{
    await painted();
    strokeTimes.push(performance.now() - timeStamp);
  }}, true);
}}
"""


def measure_sizes(page: Path) -> dict[str, int]:
    """Return the bytes of the page and of its parts."""
    text = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'id="page-data">(.*?)</script>', text, re.DOTALL)
    (scripts,) = re.findall(r'id="page-scripts">(.*?)</script>', text, re.DOTALL)
    (styles,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    content = json.loads(data)
    parts = {network["name"]: network for network in content["networks"]}
    parts |= {"detector": content["detector"], "test images": content["examples"]}
    parts["kernels over epochs"] = content["kernelHistory"]
    sizes = {name: len(json.dumps(part, separators=(",", ":"))) for name, part in parts.items()}
    sizes |= {"scripts": len(scripts), "styles": len(styles.encode())}
    total = page.stat().st_size
    return {"total": total} | sizes | {"rest": total - sum(sizes.values())}


def open_page(browser: Browser, path: Path) -> Page:
    page = browser.new_page(viewport=VIEWPORT)
    page.on("request", lambda request: refuse_request(request.url))
    page.add_init_script(NOTE_READY)
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", state="attached")
    return page


def refuse_request(url: str) -> None:
    if not url.startswith(("file:", "data:", "blob:")):
        raise SystemExit(f"Error: the page asked for {url}")


def draw_strokes(page: Page) -> list[float]:
    """Draw a 3 and return the milliseconds from each movement of the pen to its painted frame."""
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.evaluate(NOTE_STROKES)

    def move(x: float, y: float) -> None:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])

    points = [(0.3, 0.2), (0.6, 0.2), (0.65, 0.35), (0.45, 0.48), (0.7, 0.6), (0.6, 0.8)]
    points += [(0.3, 0.8)]
    move(*points[0])
    page.mouse.down()
    for (x, y), (to_x, to_y) in itertools.pairwise(points):
        for step in range(1, 11):
            move(x + (to_x - x) * step / 10, y + (to_y - y) * step / 10)
    page.mouse.up()
    page.wait_for_timeout(200)
    return page.evaluate("strokeTimes")


def summarize(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
        "max": round(ordered[-1], 2),
    }


def measure_page(browser: Browser, path: Path, repeats: int, max_load: float) -> dict[str, Any]:
    ready, strokes = [], []
    images: dict[str, list[float]] = {"set": [], "shown": []}
    computed: dict[str, list[float]] = {}
    for number in range(repeats + 1):
        common.refuse_load(max_load)
        page = open_page(browser, path)
        if number:  # The first one also starts the browser.
            ready.append(page.evaluate("readyAt"))
            strokes += draw_strokes(page)
            for name, times in page.evaluate(SHOW_IMAGES).items():
                images[name] += times
            for name, times in page.evaluate(COMPUTE_IMAGES).items():
                computed.setdefault(name, []).extend(times)
        page.close()
    return {
        "ready_ms": summarize(ready),
        "pen_to_painted_ms": summarize(strokes),
        "image_set_ms": summarize(images["set"]),
        "image_to_painted_ms": summarize(images["shown"]),
        "network_ms": {name: summarize(times) for name, times in computed.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--max-load", type=float, default=common.MAX_LOAD)
    options = parser.parse_args()
    common.refuse_load(options.max_load)
    result = common.describe_session()
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = lenet_tf.write_page(path=Path(folder, "page.html"), data="sample")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        result["bytes"] = measure_sizes(path)
        result["browser"] = f"Chromium {browser.version}"
        result |= measure_page(browser, path, options.repeats, options.max_load)
        browser.close()
    result["cores"] = os.cpu_count()
    print(json.dumps({name: result[name] for name in result if name != "machine"}, indent=1))
    common.write_result(RESULT, result)


if __name__ == "__main__":
    main()
