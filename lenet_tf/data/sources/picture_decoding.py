"""Decodes the pictures of a data set in threads, to images of one size."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from lenet_tf.data.picture_images import PictureImage, resize_image, to_image
from lenet_tf.data.sources.class_folders import list_names
from lenet_tf.errors import DataError
from lenet_tf.io.bounded import MAX_ARRAY_BYTES
from lenet_tf.io.file_trees import FileTree, TreeFile
from lenet_tf.io.pictures import MAX_BYTES, hide_decoder_warnings
from lenet_tf.runtime.terminal import STATUS
from lenet_tf.specs import Spec

# Pictures of one size keep it up to this side, in pixels.
MAX_OWN_SIDE = 64
# Pictures that can't be read are left out up to this fraction.
_MAX_UNREADABLE = 0.01
# Pictures that one thread decodes at a call, and bytes of files that wait for it.
_BATCH, _BATCH_BYTES, _MAX_THREADS = 64, 16 << 20, 8


@dataclass(frozen=True)
class PictureSettings:
    """What the pictures of a data set become.

    Attributes:
        size: Height and width; None keeps that of the pictures.
        color: Whether they have three channels (True) or one (False); None: three if one of them
            has color.
        network: The network whose images they become if they can't keep their size.
    """

    size: tuple[int, int] | None = None
    color: bool | None = None
    network: Spec | None = None


@dataclass
class DecodedPictures:
    """Images of pictures by file name.

    Attributes:
        images: uint8 (height, width) or (height, width, 3). `take` removes them.
        shape: Height, width and channels of an image.
        notes: What was guessed, one sentence each.
    """

    images: dict[str, np.ndarray]
    shape: tuple[int, int, int]
    notes: list[str] = field(default_factory=list)

    def take(self, names: Sequence[str]) -> np.ndarray:
        """Move images into one array, uint8 (N, height, width, channels)."""
        images = np.empty((len(names), *self.shape), np.uint8)
        for number, name in enumerate(names):
            pixels = self.images.pop(name)
            images[number] = pixels if pixels.ndim == 3 else pixels[..., None]
        return images


def decode_pictures(
    path: str, tree: FileTree, names: Collection[str], settings: PictureSettings
) -> DecodedPictures:
    """Decode pictures.

    Args:
        path: What messages call the data set.
        tree: The files.
        names: Names of the pictures.
        settings: What they become.

    Raises:
        DataError: More than 1% of them are unreadable, their sizes differ and `settings` has none,
            or they would fill the memory.
    """
    target = _Target.choose(settings)
    images: dict[str, np.ndarray] = {}
    sizes: Counter[tuple[int, int]] = Counter()
    problems: dict[str, str] = {}
    for name, image in _decode(tree, names, target):
        if isinstance(image, str):
            problems[name] = image
            continue
        images[name] = image.pixels
        sizes[image.size] += 1
        if target.keep_up_to and (len(sizes) > 1 or max(image.size) > MAX_OWN_SIDE):
            if settings.network is None:
                raise DataError(f"{path}: {_describe_sizes(sizes)}: pass image_size, such as 28")
            target.keep_up_to = 0
        # Attack: thousands of small files that unpack to large images.
        height, width = image.size if target.keep_up_to else target.size
        if len(names) * height * width * 3 > MAX_ARRAY_BYTES:
            raise DataError(
                f"{path}: {len(names):,} pictures of {width}×{height} take more than"
                f" {MAX_ARRAY_BYTES >> 30} GiB: choose a smaller size (--image-size or image_size=)"
            )
    notes = _describe_problems(path, problems, len(names))
    if not target.keep_up_to:
        _resize_kept(images, target.size)
        if settings.size is None and settings.network is not None:
            notes.append(_describe_resizing(sizes, target.size, settings.network.name))
    gray = sum(pixels.ndim == 2 for pixels in images.values())
    if settings.color is None and 0 < gray < len(images):
        notes.append(
            f"{gray:,} of {len(images):,} pictures are gray; all get 3 channels (all gray:"
            " --gray or color=False)."
        )
    height, width = next(iter(images.values())).shape[:2]
    return DecodedPictures(images, (height, width, 1 if gray == len(images) else 3), notes)


@dataclass
class _Target:
    """What pictures become, until a second size shows that they can't keep theirs."""

    size: tuple[int, int]
    color: bool | None
    keep_up_to: int

    @classmethod
    def choose(cls, settings: PictureSettings) -> _Target:
        if settings.size is not None:
            return cls(settings.size, settings.color, keep_up_to=0)
        # Without a network, only the own size of a large picture matters.
        height, width = (1, 1) if settings.network is None else settings.network.input_shape[:2]
        return cls((height, width), settings.color, keep_up_to=MAX_OWN_SIDE)

    def decode(self, batch: Sequence[TreeFile]) -> list[tuple[str, PictureImage | str]]:
        return [(file.name, self._decode(file)) for file in batch]

    def _decode(self, file: TreeFile) -> PictureImage | str:
        try:
            return to_image(file.read(MAX_BYTES), self.size, self.color, self.keep_up_to)
        except (OSError, ValueError) as error:
            return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _decode(
    tree: FileTree, names: Collection[str], target: _Target
) -> Iterator[tuple[str, PictureImage | str]]:
    """Decode pictures in threads. Yields the name, and the image or why there is none."""
    threads = min(_MAX_THREADS, os.cpu_count() or 1)
    done = 0
    with (
        STATUS.show("reading pictures"),
        ThreadPoolExecutor(threads) as pool,
        hide_decoder_warnings(),
    ):
        for batches in _group(_split(tree.files(names, MAX_BYTES)), threads):
            for results in pool.map(target.decode, batches):
                done += len(results)
                STATUS.count("reading pictures", done, len(names))
                yield from results


def _split(files: Iterable[TreeFile]) -> Iterator[list[TreeFile]]:
    """Split files into batches of limited number and size."""
    batch: list[TreeFile] = []
    for file in files:
        batch.append(file)
        if len(batch) == _BATCH or sum(each.held_bytes for each in batch) > _BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch


def _group(batches: Iterable[list[TreeFile]], count: int) -> Iterator[list[list[TreeFile]]]:
    group: list[list[TreeFile]] = []
    for batch in batches:
        group.append(batch)
        if len(group) == count:
            yield group
            group = []
    if group:
        yield group


def _describe_sizes(sizes: Counter[tuple[int, int]]) -> str:
    """Describe sizes as width × height, as programs for pictures do."""
    ordered = sorted(sizes, key=lambda size: size[0] * size[1])
    shown = [f"{width}×{height}" for height, width in (ordered[0], ordered[-1])]
    if len(ordered) == 1:
        return f"pictures of {shown[0]} pixels"
    return f"pictures of {len(ordered):,} sizes, {'…'.join(shown)} pixels"


def _describe_resizing(sizes: Counter[tuple[int, int]], size: tuple[int, int], network: str) -> str:
    text = _describe_sizes(sizes)
    return (
        f"{text[0].upper()}{text[1:]}: cropped to the middle and resized to {size[1]}×{size[0]},"
        f" the size of {network}'s images (another one: --image-size or image_size=)."
    )


def _describe_problems(path: str, problems: dict[str, str], total: int) -> list[str]:
    """Return a sentence about a few unreadable pictures; raise `DataError` for more."""
    if not problems:
        return []
    shown = list_names(f"{name} ({reason})" for name, reason in problems.items())
    counts = f"{len(problems):,} of {total:,} pictures can't be read"
    if len(problems) > _MAX_UNREADABLE * total:
        raise DataError(f"{path}: {counts}: {shown}. Convert or remove them.")
    return [f"{counts} and are left out: {shown}."]


def _resize_kept(images: dict[str, np.ndarray], size: tuple[int, int]) -> None:
    """Resize the images that kept their size because all might have it."""
    for name, pixels in images.items():
        if pixels.shape[:2] != size:
            images[name] = resize_image(pixels, size)
