"""Sources of data: verified originals, the cache, a download from a local server, own files."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import logging
import shutil
import socket
import threading
from pathlib import Path

import numpy as np
import pytest
from processes import python

from lenet_tf.data import image_order
from lenet_tf.data.sources import load_data, reachability, tfds_preparation
from lenet_tf.data.sources.arrays import ARRAY_NAMES
from lenet_tf.data.sources.emnist import CLASS_NAMES
from lenet_tf.data.sources.known_sets import KNOWN_SETS, KnownSet, load_known, read_checksums
from lenet_tf.data.sources.originals import get_published_files, load_originals
from lenet_tf.data.sources.tfds_builder import find_builder, get_class_names
from lenet_tf.errors import DataError, SourceUnreachable

FILES = (
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
)
# TFDS takes half a minute to prepare 70,000 images; a tenth of them takes the same path.
TRAIN, TEST = 6_000, 1_000


def gzipped_idx(array: np.ndarray) -> bytes:
    """Return a gzipped IDX file: magic number, dimensions, bytes."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(head + array.tobytes(), 1)


@pytest.fixture(scope="session")
def synthetic_files(tmp_path_factory):
    """Files in MNIST's format; each image is one gray level that depends on its label."""
    folder = tmp_path_factory.mktemp("synthetic") / "mnist"
    folder.mkdir()
    for part, count in (("t10k", TEST), ("train", TRAIN)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.broadcast_to((labels * 20)[:, None, None], (count, 28, 28))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzipped_idx(labels))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzipped_idx(images))
    return folder


@pytest.fixture
def small_mnist(monkeypatch):
    """Let TFDS' builders of MNIST and Fashion-MNIST take only the first images."""
    from tensorflow_datasets.image_classification import mnist

    monkeypatch.setattr(mnist, "_TRAIN_EXAMPLES", TRAIN)
    monkeypatch.setattr(mnist, "_TEST_EXAMPLES", TEST)
    for name in list(KNOWN_SETS):
        monkeypatch.delitem(KNOWN_SETS, name)


@pytest.fixture
def synthetic_mnist(monkeypatch, synthetic_files, small_mnist):
    """Return `publish(url)`, after which TFDS takes the synthetic files for the published ones."""
    import tensorflow_datasets
    from tensorflow_datasets.core.download.checksums import UrlInfo
    from tensorflow_datasets.image_classification import mnist

    def publish(url: str) -> None:
        infos = {}
        for name in FILES:
            content = (synthetic_files / name).read_bytes()
            infos[url + name] = UrlInfo(
                size=tensorflow_datasets.core.utils.Size(len(content)),
                checksum=hashlib.sha256(content).hexdigest(),
                filename=name,
            )
        monkeypatch.setattr(mnist.MNIST, "URL", url)
        monkeypatch.setattr(mnist.MNIST, "url_infos", infos)

    return publish


@pytest.fixture
def synthetic_cache(monkeypatch, tmp_path, synthetic_files, synthetic_mnist):
    """A cache that TFDS prepared from the synthetic files, without this package."""
    import tensorflow_datasets

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    synthetic_mnist("http://127.0.0.1:9/")
    config = tensorflow_datasets.download.DownloadConfig(
        manual_dir=synthetic_files, extract_dir=tmp_path / "extracted", try_download_gcs=False
    )
    tensorflow_datasets.builder("mnist", data_dir=tmp_path / "tfds").download_and_prepare(
        download_config=config
    )


def check_synthetic(data, source):
    assert data.source == source
    assert data.x_train.shape == (TRAIN, 28, 28, 1)
    assert data.x_test.shape == (TEST, 28, 28, 1)
    assert data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(data.x_train[:, 3, 5, 0], data.y_train * 20)
    assert np.bincount(data.y_test).tolist() == [TEST // 10] * 10


@pytest.fixture
def tfds_warnings(monkeypatch):
    """TFDS' warnings, in a process that has not silenced them."""
    log, texts = logging.getLogger("absl"), []
    monkeypatch.setattr(log, "filters", [lambda record: texts.append(record.getMessage()) or True])
    level = log.level
    log.setLevel(logging.WARNING)
    yield texts
    log.setLevel(level)


def test_download_cache_and_originals_give_the_same_data(
    monkeypatch, tmp_path, synthetic_files, synthetic_mnist, tfds_warnings
):
    """TFDS downloads from a local server, verifies and prepares; then the cache needs no server.

    TFDS' warning about a data set that is not prepared yet stays silent.
    """
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "first"))
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=synthetic_files)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        synthetic_mnist(f"http://127.0.0.1:{server.server_port}/")
        downloaded = load_data("mnist")
        server.shutdown()
    check_synthetic(downloaded, "download")
    cached = load_data("mnist")
    check_synthetic(cached, "cache")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "second"))
    originals = load_data("mnist", originals=synthetic_files.parent)
    check_synthetic(originals, "originals")
    assert downloaded.sha256 == cached.sha256 == originals.sha256
    assert originals.version == "3.0.1"
    assert tfds_warnings == []


def test_a_damaged_copy_of_tfds_is_named(tmp_path, synthetic_cache):
    """As an interrupted copy leaves it, or a disk that fails."""
    (shard,) = (tmp_path / "tfds").rglob("mnist-test.tfrecord*")
    (info,) = (tmp_path / "tfds").rglob("dataset_info.json")
    content, description = shard.read_bytes(), info.read_text()
    damaged = bytes([*content[:500], content[500] ^ 1, *content[501:]])
    message = "the prepared copy in .* is damaged .*\nDelete that folder. The next run prepares"
    for changed in (content[:1_000], damaged, b"nonsense", b""):
        shard.write_bytes(changed)
        with pytest.raises(DataError, match=message):
            load_data("mnist")
    shard.unlink()
    with pytest.raises(DataError, match=message):
        load_data("mnist")
    shard.write_bytes(content)
    info.write_text(description.replace('"tfrecord"', '"riegeli"'))
    with pytest.raises(DataError, match=message):
        load_data("mnist")
    info.write_text(description)
    check_synthetic(load_data("mnist"), "cache")


def test_decoded_arrays_are_cached_and_verified(
    monkeypatch, tmp_path, synthetic_files, synthetic_cache
):
    """The second load decodes nothing; a damaged or reordered cache file is replaced."""
    first = load_data("mnist")
    assert first.sha256 == load_data("mnist", originals=synthetic_files.parent).sha256
    (stored,) = (tmp_path / "tfds").rglob("lenet_tf.npz")
    assert not list(stored.parent.glob(".lenet_tf*")), "no temporary file remains"
    import tensorflow_datasets

    content, decode, decoded = stored.read_bytes(), tensorflow_datasets.as_numpy, []
    monkeypatch.setattr(
        tensorflow_datasets, "as_numpy", lambda dataset: decoded.append(1) or decode(dataset)
    )
    assert load_data("mnist").sha256 == first.sha256
    assert decoded == []
    middle = len(content) // 2
    # Versions before 0.3.0 stored TFDS' order, without a note of it.
    shuffled = image_order.to_tfds_order(first)
    arrays = {part: getattr(shuffled, part) for part in ARRAY_NAMES} | {
        "num_classes": 10,
        "sha256": shuffled.sha256,
    }
    np.savez(tmp_path / "old.npz", **arrays)
    old = (tmp_path / "old.npz").read_bytes()
    for broken in (
        content[:-500],
        b"",
        content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
        old,
    ):
        stored.write_bytes(broken)
        decoded.clear()
        assert load_data("mnist").sha256 == first.sha256
        assert len(decoded) == 2
        assert load_data("mnist").sha256 == first.sha256
        assert len(decoded) == 2, "stored again"
    assert stored.stat().st_mode & 0o777 == (synthetic_files / FILES[0]).stat().st_mode & 0o777, (
        "other users can read it as they can any file"
    )


def test_altered_truncated_and_missing_originals(
    offline, tmp_path, synthetic_files, synthetic_mnist
):
    synthetic_mnist("http://127.0.0.1:9/")
    folder = tmp_path / "originals" / "mnist"
    shutil.copytree(synthetic_files, folder)
    images = folder / FILES[2]
    content = images.read_bytes()

    images.write_bytes(content[:-1000])
    with pytest.raises(
        DataError,
        match=rf"{FILES[2]} is not the published file: "
        rf"{len(content) - 1000:,} bytes instead of {len(content):,}",
    ):
        load_data(originals=folder.parent)

    images.write_bytes(content[:500] + bytes([content[500] ^ 1]) + content[501:])
    with pytest.raises(DataError, match=f"{FILES[2]} was altered: SHA-256"):
        load_data(originals=folder.parent)

    images.unlink()
    with pytest.raises(
        SourceUnreachable,
        match=f"lacks {FILES[2]}, .* holds no prepared copy, 127.0.0.1:9 does not answer",
    ):
        load_data("mnist", originals=folder.parent)
    assert not (tmp_path / "tfds").exists(), "nothing is written before the files are verified"


def test_real_originals(monkeypatch, tfds_folder, originals):
    """The published MNIST has its known counts per class, pixel mean and standard deviation."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    data = load_data("mnist", originals)
    assert (data.source, data.version, data.num_classes) == ("originals", "3.0.1", 10)
    assert data.x_train.shape == (60_000, 28, 28, 1)
    assert np.bincount(data.y_train).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(data.y_test).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    assert data.x_train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert data.x_train.std() / 255 == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.slow
def test_fashion_beside_mnist(monkeypatch, tfds_folder, originals):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    means = {
        name: load_data(name, originals).x_train.mean() / 255 for name in ("mnist", "fashion_mnist")
    }
    assert means["mnist"] == pytest.approx(0.1307, abs=1e-4)
    assert means["fashion_mnist"] == pytest.approx(0.2860, abs=1e-4)


@pytest.mark.slow
@pytest.mark.usefixtures("small_mnist")
def test_two_sets_with_files_of_the_same_names_stay_apart(monkeypatch, tmp_path, originals):
    """MNIST and Fashion-MNIST share a cache; TFDS stores unpacked files under their bare names."""
    sums = {}
    for name in ("mnist", "fashion_mnist"):
        with gzip.open(originals / name / FILES[2]) as file:
            sums[name] = np.frombuffer(file.read(16 + TRAIN * 28 * 28), np.uint8, offset=16).sum()
    assert sums["mnist"] != sums["fashion_mnist"]
    for number, names in enumerate((("mnist", "fashion_mnist"), ("fashion_mnist", "mnist"))):
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / str(number)))
        for name in names:
            tfds_preparation.prepare_with_lock(find_builder(name), originals, "originals")
        monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
        prepared = [load_data(name) for name in names]
        assert [data.source for data in prepared] == ["cache", "cache"]
        assert {data.name: data.x_train.sum() for data in prepared} == sums
        assert not list((tmp_path / str(number) / "downloads").rglob("*GZIP*")), (
            "no unpacked file remains"
        )


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_what_is_known_of_a_set_is_what_tfds_says(name):
    builder, known = find_builder(name), KNOWN_SETS[name]
    assert known.version == str(builder.info.version)
    assert known.class_names == get_class_names(builder)
    registered = {
        filename: (int(info.size), info.checksum)
        for filename, info in get_published_files(builder).items()
    }
    assert read_checksums(name) == registered


@pytest.mark.parametrize("name", KNOWN_SETS)
def test_known_sets_are_those_that_tfds_finds(name, originals):
    expected = load_originals(find_builder(name), originals, name)
    assert load_known(name, originals).identity() == expected.identity()


def test_an_altered_file_is_left_to_tfds(tmp_path, originals):
    shutil.copytree(originals / "mnist", tmp_path / "mnist")
    with (tmp_path / "mnist" / FILES[0]).open("ab") as file:
        file.write(b"\0")
    assert load_known("mnist", tmp_path) is None
    with pytest.raises(DataError, match="is not the published file"):
        load_data("mnist", tmp_path)


def test_mnist_needs_no_import_of_tfds(originals):
    done = python(
        "-c",
        "import sys, lenet_tf\n"
        "print(len(lenet_tf.load_data('mnist', sys.argv[1]).x_train))\n"
        "print({'tensorflow', 'tensorflow_datasets', 'keras'} & set(sys.modules))",
        str(originals),
    )
    assert done.stdout.splitlines() == ["60000", "set()"], done.stderr


def test_a_cache_with_another_content_is_refused(monkeypatch, synthetic_cache):
    content = load_data("mnist").sha256[:12]
    monkeypatch.setitem(KNOWN_SETS, "mnist", KnownSet("3.0.1", "0" * 64))
    with pytest.raises(
        DataError,
        match=r"the prepared copy in .*3.0.1 is not mnist: "
        rf"SHA-256 {content}… instead of 000000000000…",
    ):
        load_data("mnist")


def test_another_process_may_prepare_it_first(synthetic_files, synthetic_cache):
    builder = find_builder("mnist")
    check_synthetic(load_data("mnist"), "cache")
    tfds_preparation.prepare(builder, synthetic_files.parent, "originals")
    names = {path.name for path in Path(builder.data_path).parent.iterdir()}
    assert names == {"3.0.1"}, "nothing unfinished remains"


def test_what_a_killed_process_left_is_removed(
    monkeypatch, tmp_path, synthetic_files, synthetic_mnist
):
    """As `kill -9` while TFDS prepares a data set, which may hold gigabytes by then."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    unfinished = tmp_path / "tfds" / "mnist" / ".lenet_tf-3.0.1.partial"
    for path in (unfinished / "unpacked", unfinished / "mnist" / "3.0.1.incompleteABC"):
        path.mkdir(parents=True)
        (path / "x").write_bytes(b"0" * 1000)
    synthetic_mnist("http://127.0.0.1:9/")
    builder = find_builder("mnist")
    tfds_preparation.prepare_with_lock(builder, synthetic_files.parent, "originals")
    assert {path.name for path in unfinished.parent.iterdir()} == {"3.0.1"}
    assert find_builder("mnist").is_prepared()


def test_the_sample_is_real_digits_split_evenly(digits):
    data = load_data("sample")
    assert data.x_train.shape == (4_000, 28, 28, 1)
    assert data.x_test.shape == (1_000, 28, 28, 1)
    assert np.bincount(data.y_train).tolist() == [400] * 10
    assert np.bincount(data.y_test).tolist() == [100] * 10
    together = np.concatenate([data.x_train, data.x_test]).reshape(5_000, -1)
    assert len({image.tobytes() for image in together}) == 5_000, "no digit is in both parts"
    assert load_data("sample").sha256 == data.sha256
    assert np.bincount(data.y_train[:100], minlength=10).min() > 0, "the sample is shuffled"


def test_the_sample_comes_from_mnists_training_set(monkeypatch, tfds_folder, originals):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tfds_folder))
    mnist, sample = load_data("mnist", originals), load_data("sample")
    train, test = (
        {image.tobytes() for image in images} for images in (mnist.x_train, mnist.x_test)
    )
    ours = [image.tobytes() for image in np.concatenate([sample.x_train, sample.x_test])]
    assert all(image in train for image in ours)
    assert not any(image in test for image in ours)


def test_without_mnist_the_sample_stands_in_and_says_so(offline):
    messages = []
    data = load_data(notify=messages.append)
    assert data.source == "sample"
    assert len(messages) == 1
    assert messages[0].startswith(
        "THIS IS NOT MNIST. mnist is unavailable: no originals were given"
    )
    assert all(name in messages[0] for name in FILES)


def test_the_sample_never_replaces_a_named_data_set(offline):
    with pytest.raises(
        SourceUnreachable,
        match=r"fashion_mnist is unavailable(.|\n)*"
        r"Put t10k-images-idx3-ubyte.gz, .* into <folder>/fashion_mnist/",
    ):
        load_data("fashion_mnist")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("fashionmnist", "unknown data set 'fashionmnist': did you mean fashion_mnist"),
        ("emnist/leters", "emnist has no configuration 'leters': did you mean letters?"),
        ("coco", "coco is not an image-classification set"),
        ("cats_vs_dogs", "cats_vs_dogs cannot be used: its images vary in size"),
    ],
)
def test_unusable_data_sets(offline, name, message):
    with pytest.raises(DataError, match=message):
        load_data(name)


@pytest.mark.parametrize("name", ["kmnist", "emnist/letters", "cifar10", "svhn_cropped"])
def test_other_image_sets_are_known_by_name(offline, name):
    with pytest.raises(SourceUnreachable, match=f"{name} is unavailable"):
        load_data(name)


def test_originals_folder_that_does_not_exist(offline, tmp_path):
    with pytest.raises(DataError, match="the originals folder .*nowhere does not exist"):
        load_data(originals=tmp_path / "nowhere")


def test_a_silent_host_is_abandoned_in_time():
    assert reachability.REACH_SECONDS <= 5
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not reachability.is_reachable(
            f"http://127.0.0.1:{server.getsockname()[1]}/", timeout=0.5
        )


def test_a_silent_name_server_is_abandoned_in_time(monkeypatch):
    """`getaddrinfo` has no time limit, so nothing may wait for it."""
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(60) and [])
    assert not reachability.is_reachable("http://no-such-host.invalid/", timeout=0.5)
    assert not released.is_set()
    released.set()


def test_a_download_that_is_not_the_published_file_falls_back(
    offline, synthetic_files, synthetic_mnist, monkeypatch
):
    """A captive portal answers every address with its own page."""

    class Portal(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>Please log in</html>")

        def log_message(self, *_):
            pass

    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Portal) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        synthetic_mnist(f"http://127.0.0.1:{server.server_port}/")
        messages = []
        assert load_data(notify=messages.append).source == "sample"
        with pytest.raises(SourceUnreachable, match="mnist: the download failed"):
            load_data("mnist")
        server.shutdown()
    assert "the download failed" in messages[0]


def test_npz_file(tmp_path, arrays):
    np.savez(tmp_path / "mine.npz", **arrays)
    data = load_data(str(tmp_path / "mine.npz"))
    assert (data.source, data.num_classes, data.x_train.shape) == ("file", 10, (40, 28, 28))
    np.testing.assert_array_equal(data.x_test, arrays["x_test"])


@pytest.mark.parametrize("name", ["mine.npz", "Mine.NPZ"])
def test_npz_files_by_any_spelling_of_the_suffix(tmp_path, arrays, name, monkeypatch):
    with (tmp_path / name).open("wb") as file:
        np.savez(file, **arrays)
    monkeypatch.chdir(tmp_path)
    expected = str(tmp_path / name)
    for given in (name, f"./{name}", tmp_path / name, Path(name)):
        assert load_data(given).name == expected


def test_a_mistyped_folder_is_suggested(tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="unknown data set 'photoz': did you mean photos"):
        load_data("photoz")


def test_other_things_than_names_and_paths_are_refused(tmp_path):
    with pytest.raises(DataError, match="named by text or a Path, not by int"):
        load_data(5)
    with pytest.raises(DataError, match="mnist: there is no such file or folder"):
        load_data(tmp_path / "mnist")
    with pytest.raises(DataError, match=r": Your own data can be a folder, \.zip or"):
        load_data(tmp_path)
    with pytest.raises(DataError, match="unknown data set 'aaa"):
        load_data("a" * 300)


def write_idx_files(folder, names, arrays):
    """Write four IDX files; `names` makes the name of a file of its split and kind."""
    folder.mkdir()
    for key, array in arrays.items():
        axis, part = key.split("_")
        kind = {"x": "images", "y": "labels"}[axis]
        name = names(part, kind, 3 if axis == "x" else 1)
        content = gzipped_idx(array.astype(np.uint8))
        (folder / name).write_bytes(content if name.endswith("z") else gzip.decompress(content))


T10K = {"train": "train", "test": "t10k"}


@pytest.mark.parametrize(
    "names",
    [
        lambda part, kind, axes: f"{T10K[part]}-{kind}-idx{axes}-ubyte",
        lambda part, kind, axes: f"{T10K[part]}-{kind}.idx{axes}-ubyte",
        lambda part, kind, axes: f"{T10K[part]}-{kind}.idx{axes}-ubyte.gz",
        lambda part, kind, axes: f"{part}-{kind}-idx{axes}-ubyte.gz",
        lambda part, kind, axes: f"{T10K[part].upper()}-{kind.upper()}-IDX{axes}-UBYTE",
    ],
)
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_idx_files_by_any_spelling_of_their_names(
    tmp_path, arrays, names, separator, monkeypatch, offline
):
    """With and without a slash, also where the system's separator is another one."""
    write_idx_files(tmp_path / "mine", names, arrays)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.sep", separator)
    for given in ("mine", "./mine", "mine/", Path("mine"), str(tmp_path / "mine")):
        data = load_data(given)
        np.testing.assert_array_equal(data.x_train[..., 0], arrays["x_train"])
        np.testing.assert_array_equal(data.y_test, arrays["y_test"])
        assert (data.source, data.class_names) == ("file", ())
    np.save("mine/x_train.npy", arrays["x_train"])
    with pytest.raises(DataError, match=r"has no y_train\.npy"):
        load_data("mine")


def test_a_slash_tells_a_folder_from_a_data_set_of_its_name(tmp_path, arrays, monkeypatch, offline):
    write_idx_files(tmp_path / "mnist", lambda *names: "{}-{}-idx{}-ubyte".format(*names), arrays)
    monkeypatch.chdir(tmp_path)
    assert load_data("./mnist").source == load_data(Path("mnist")).source == "file"
    with pytest.raises(SourceUnreachable, match="mnist is unavailable"):
        load_data("mnist")


def draw_letters(count, subset):
    """Return upright images and published labels: one bright row or column for each class."""
    first = int(subset == "letters")
    labels = np.arange(count) % len(CLASS_NAMES[subset]) + first
    images = np.zeros((count, 28, 28), np.uint8)
    for number, label in enumerate(labels):
        images[number, label % 28, : 5 + label // 28] = 255
    return images, labels


def emnist_arrays(subset, train, test):
    parts = {"train": draw_letters(train, subset), "test": draw_letters(test, subset)}
    published = {f"x_{part}": images.swapaxes(1, 2) for part, (images, _) in parts.items()}
    return published | {f"y_{part}": labels for part, (_, labels) in parts.items()}


def check_emnist(data, subset):
    names = CLASS_NAMES[subset]
    assert (data.num_classes, data.class_names) == (len(names), names)
    assert data.identity()["class_names"] == list(names)
    first = int(subset == "letters")
    for images, labels in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert images.flags.c_contiguous
        assert set(labels.tolist()) == set(range(len(names)))
        for image, label in zip(images[..., 0], labels + first, strict=True):
            assert image[label % 28, : 5 + label // 28].all(), "turned upright"


@pytest.mark.parametrize("subset", list(CLASS_NAMES))
def test_published_files_of_emnist_are_turned_upright(tmp_path, subset):
    def name(part, kind, axes):
        return f"emnist-{subset}-{part}-{kind}-idx{axes}-ubyte.gz"

    write_idx_files(tmp_path / "gzip", name, emnist_arrays(subset, 130, 70))
    check_emnist(load_data(tmp_path / "gzip"), subset)
    (tmp_path / "gzip" / name("test", "labels", 1)).unlink()
    with pytest.raises(DataError, match=rf"has no emnist-{subset}-test-labels-idx1-ubyte \("):
        load_data(tmp_path / "gzip")


def test_a_folder_of_several_sets_is_refused(tmp_path, arrays):
    write_idx_files(tmp_path / "gzip", lambda *names: "{}-{}-idx{}-ubyte".format(*names), arrays)
    (tmp_path / "gzip" / "emnist-letters-train-labels-idx1-ubyte.gz").write_bytes(b"")
    with pytest.raises(DataError, match=r"several data sets \(MNIST, EMNIST's letters\): move"):
        load_data(tmp_path / "gzip")


def test_labels_that_are_not_emnists_are_refused(tmp_path):
    published = emnist_arrays("letters", 60, 30)
    published["y_test"] -= 1
    write_idx_files(
        tmp_path / "gzip",
        lambda *names: "emnist-letters-{}-{}-idx{}-ubyte".format(*names),
        published,
    )
    with pytest.raises(DataError, match=r"EMNIST's letters are 1…26, but y_test has 0…25"):
        load_data(tmp_path / "gzip")


def test_tfds_emnist_is_turned_upright_and_names_its_letters(monkeypatch, tmp_path, offline):
    """From the published archive, from TFDS' cache, and from the arrays stored beside it."""
    import tensorflow_datasets
    from tensorflow_datasets.core.download.checksums import UrlInfo
    from tensorflow_datasets.image_classification import mnist

    config = mnist.EMNIST.builder_configs["letters"]
    monkeypatch.setattr(config, "train_examples", 130)
    monkeypatch.setattr(config, "test_examples", 70)
    folder = tmp_path / "originals" / "emnist"
    write_idx_files(
        tmp_path / "gzip",
        lambda *names: "emnist-letters-{}-{}-idx{}-ubyte.gz".format(*names),
        emnist_arrays("letters", 130, 70),
    )
    folder.mkdir(parents=True)
    archive = shutil.make_archive(str(folder / "gzip"), "zip", tmp_path, "gzip")
    content = Path(archive).read_bytes()
    info = UrlInfo(
        size=tensorflow_datasets.core.utils.Size(len(content)),
        checksum=hashlib.sha256(content).hexdigest(),
        filename="gzip.zip",
    )
    monkeypatch.setattr(mnist.EMNIST, "url_infos", {mnist.EMNIST.URL: info})
    first = load_data("emnist/letters", originals=folder.parent)
    check_emnist(first, "letters")
    (stored,) = (tmp_path / "tfds").rglob("lenet_tf.npz")
    again = load_data("emnist/letters")
    check_emnist(again, "letters")
    assert (first.source, again.source) == ("originals", "cache")
    # Versions before this one stored the images as published.
    with np.load(stored) as file:
        arrays = dict(file) | {"order": "tfds", "num_classes": 37}
    arrays["x_train"] = arrays["x_train"].swapaxes(1, 2)
    np.savez(stored, **arrays)
    check_emnist(load_data("emnist/letters"), "letters")
    assert first.sha256 == again.sha256


def test_class_names_come_from_tfds(offline):
    assert get_class_names(find_builder("fashion_mnist"))[:2] == ("T-shirt/top", "Trouser")
    assert get_class_names(find_builder("mnist")) == ()


def test_unusable_npz_files(tmp_path, arrays):
    path = tmp_path / "mine.npz"
    with pytest.raises(DataError, match="there is no such file"):
        load_data(str(path))
    path.write_text("not an archive")
    with pytest.raises(DataError, match="not a readable .npz file"):
        load_data(str(path))
    np.savez(path, x_train=arrays["x_train"])
    with pytest.raises(DataError, match="no array named y_train, x_test, y_test; it holds x_train"):
        load_data(str(path))
    with path.open("wb") as file:
        np.save(file, arrays["x_train"])
    with pytest.raises(DataError, match="holds one array without a name"):
        load_data(str(path))
    np.savez(path, **arrays | {"y_test": np.array([{}] * 20, dtype=object)})
    with pytest.raises(DataError, match="not a readable .npz file of numbers"):
        load_data(str(path))
