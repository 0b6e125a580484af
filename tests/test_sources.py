"""Where data come from: verified originals, the cache, a real download from a local server, the sample, a person's file."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import logging
import shutil
import socket
import threading

import numpy as np
import pytest

from lenet_tf.data import image_order
from lenet_tf.data.sources import load_data
from lenet_tf.data.sources import tfds as tfds_source
from lenet_tf.data.sources.arrays import ARRAY_NAMES
from lenet_tf.errors import DataError, SourceUnreachable

FILES = (
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
)
# TFDS takes half a minute to prepare 70,000 images: a tenth of them goes the same way.
TRAIN, TEST = 6_000, 1_000


def idx(array: np.ndarray) -> bytes:
    """An IDX file, gzipped: magic number, dimensions, bytes."""
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(head + array.tobytes(), 1)


@pytest.fixture(scope="session")
def made_up(tmp_path_factory):
    """Files in the form of MNIST's, each image filled with one gray that its label decides."""
    folder = tmp_path_factory.mktemp("made-up") / "mnist"
    folder.mkdir()
    for part, count in (("t10k", TEST), ("train", TRAIN)):
        labels = (np.arange(count) % 10).astype(np.uint8)
        images = np.broadcast_to((labels * 20)[:, None, None], (count, 28, 28))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(labels))
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(images))
    return folder


@pytest.fixture
def few(monkeypatch):
    """TFDS' builders of MNIST and Fashion-MNIST take the first images only."""
    from tensorflow_datasets.image_classification import mnist

    monkeypatch.setattr(mnist, "_TRAIN_EXAMPLES", TRAIN)
    monkeypatch.setattr(mnist, "_TEST_EXAMPLES", TEST)
    monkeypatch.setattr(tfds_source, "KNOWN_SHA256", {})


@pytest.fixture
def made_up_mnist(monkeypatch, made_up, few):
    """TFDS' MNIST builder takes the made-up files for the published ones; `publish(url)` says where they are."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download.checksums import UrlInfo
    from tensorflow_datasets.image_classification import mnist

    def publish(url: str) -> None:
        infos = {}
        for name in FILES:
            content = (made_up / name).read_bytes()
            infos[url + name] = UrlInfo(
                size=tfds.core.utils.Size(len(content)),
                checksum=hashlib.sha256(content).hexdigest(),
                filename=name,
            )
        monkeypatch.setattr(mnist.MNIST, "URL", url)
        monkeypatch.setattr(mnist.MNIST, "url_infos", infos)

    return publish


@pytest.fixture
def made_up_cache(monkeypatch, tmp_path, made_up, made_up_mnist):
    """A TFDS cache of the made-up files, prepared by TFDS alone."""
    import tensorflow_datasets as tfds

    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    made_up_mnist("http://127.0.0.1:9/")
    config = tfds.download.DownloadConfig(
        manual_dir=made_up, extract_dir=tmp_path / "extracted", try_download_gcs=False
    )
    tfds.builder("mnist", data_dir=tmp_path / "tfds").download_and_prepare(download_config=config)


def check_made_up(data, source):
    assert data.source == source
    assert data.x_train.shape == (TRAIN, 28, 28, 1)
    assert data.x_test.shape == (TEST, 28, 28, 1)
    assert data.x_train.dtype == np.uint8
    np.testing.assert_array_equal(data.x_train[:, 3, 5, 0], data.y_train * 20)
    assert np.bincount(data.y_test).tolist() == [TEST // 10] * 10


@pytest.fixture
def warned(monkeypatch):
    """What TFDS warns of, as a process sees it that has not been told to listen to errors only."""
    log, texts = logging.getLogger("absl"), []
    monkeypatch.setattr(log, "filters", [lambda record: texts.append(record.getMessage()) or True])
    level = log.level
    log.setLevel(logging.WARNING)
    yield texts
    log.setLevel(level)


def test_download_cache_and_originals_give_the_same_data(
    monkeypatch, tmp_path, made_up, made_up_mnist, warned
):
    """The real download path: TFDS fetches from a server on this machine, verifies checksums, prepares; then the cache needs no server.
    It says nothing of a set that is not there yet."""
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "first"))
    monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=made_up)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made_up_mnist(f"http://127.0.0.1:{server.server_port}/")
        downloaded = load_data("mnist")
        server.shutdown()
    check_made_up(downloaded, "download")
    cached = load_data("mnist")
    check_made_up(cached, "cache")
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "second"))
    originals = load_data("mnist", originals=made_up.parent)
    check_made_up(originals, "originals")
    assert downloaded.sha256 == cached.sha256 == originals.sha256
    assert originals.version == "3.0.1"
    assert warned == []


def test_decoded_arrays_are_kept_and_checked(monkeypatch, tmp_path, made_up, made_up_cache):
    """The second time nothing is decoded; a kept file that is not whole, of another order or not what was kept, is made anew."""
    first = load_data("mnist")
    assert first.sha256 == load_data("mnist", originals=made_up.parent).sha256
    (kept,) = (tmp_path / "tfds").rglob("lenet_tf.npz")
    assert not list(kept.parent.glob(".lenet_tf*")), "nothing temporary is left"
    import tensorflow_datasets as tfds

    content, decode, decoded = kept.read_bytes(), tfds.as_numpy, []
    monkeypatch.setattr(tfds, "as_numpy", lambda dataset: decoded.append(1) or decode(dataset))
    assert load_data("mnist").sha256 == first.sha256
    assert decoded == []
    middle = len(content) // 2
    # As versions before 0.3.0 kept it: in TFDS' order, of which it says nothing.
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
        kept.write_bytes(broken)
        decoded.clear()
        assert load_data("mnist").sha256 == first.sha256
        assert len(decoded) == 2
        assert load_data("mnist").sha256 == first.sha256
        assert len(decoded) == 2, "kept again"
    assert kept.stat().st_mode & 0o777 == (made_up / FILES[0]).stat().st_mode & 0o777, (
        "as readable for others as any file"
    )


def test_altered_truncated_and_missing_originals(offline, tmp_path, made_up, made_up_mnist):
    made_up_mnist("http://127.0.0.1:9/")
    folder = tmp_path / "originals" / "mnist"
    shutil.copytree(made_up, folder)
    images = folder / FILES[2]
    content = images.read_bytes()

    images.write_bytes(content[:-1000])
    with pytest.raises(
        DataError,
        match=rf"{FILES[2]} is not the published file: {len(content) - 1000:,} bytes instead of {len(content):,}",
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
    assert not (tmp_path / "tfds").exists(), (
        "nothing is written before the files are known to be good"
    )


def test_real_originals(monkeypatch, tfds_folder, originals):
    """The published MNIST: counts per class as on its authors' page, pixel mean as everyone quotes it."""
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
@pytest.mark.usefixtures("few")
def test_two_sets_with_files_of_the_same_names_stay_apart(monkeypatch, tmp_path, originals):
    """MNIST and Fashion-MNIST into one cache, either order: TFDS keeps what it unpacks under the bare file name."""
    sums = {}
    for name in ("mnist", "fashion_mnist"):
        with gzip.open(originals / name / FILES[2]) as file:
            sums[name] = np.frombuffer(file.read(16 + TRAIN * 28 * 28), np.uint8, offset=16).sum()
    assert sums["mnist"] != sums["fashion_mnist"]
    for number, names in enumerate((("mnist", "fashion_mnist"), ("fashion_mnist", "mnist"))):
        monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / str(number)))
        for name in names:
            tfds_source.prepare_with_lock(tfds_source.find_builder(name), originals, "originals")
        monkeypatch.delenv("LENET_TF_ORIGINALS", raising=False)
        prepared = [load_data(name) for name in names]
        assert [data.source for data in prepared] == ["cache", "cache"]
        assert {data.name: data.x_train.sum() for data in prepared} == sums
        assert not list((tmp_path / str(number) / "downloads").rglob("*GZIP*")), (
            "nothing unpacked is left behind"
        )


def test_a_cache_with_another_content_is_refused(monkeypatch, made_up_cache):
    content = load_data("mnist").sha256[:12]
    monkeypatch.setitem(tfds_source.KNOWN_SHA256, "mnist:3.0.1", "0" * 64)
    with pytest.raises(
        DataError,
        match=rf"the prepared copy in .*3.0.1 is not mnist: SHA-256 {content}… instead of 000000000000…",
    ):
        load_data("mnist")


def test_another_process_that_was_quicker_is_no_error(monkeypatch, made_up, made_up_cache):
    builder = tfds_source.find_builder("mnist")
    check_made_up(load_data("mnist"), "cache")
    monkeypatch.setattr(builder, "is_prepared", lambda: False)
    monkeypatch.setattr(
        builder,
        "download_and_prepare",
        lambda **_: (_ for _ in ()).throw(OSError("Destination already exists")),
    )
    tfds_source._prepare(builder, made_up.parent, "originals")


def test_the_sample_is_real_digits_split_evenly(digits):
    data = load_data("sample")
    assert data.x_train.shape == (4_000, 28, 28, 1)
    assert data.x_test.shape == (1_000, 28, 28, 1)
    assert np.bincount(data.y_train).tolist() == [400] * 10
    assert np.bincount(data.y_test).tolist() == [100] * 10
    together = np.concatenate([data.x_train, data.x_test]).reshape(5_000, -1)
    assert len({image.tobytes() for image in together}) == 5_000, "no digit is in both parts"
    assert load_data("sample").sha256 == data.sha256
    assert np.bincount(data.y_train[:100], minlength=10).min() > 0, "not sorted by class"


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
    told = []
    data = load_data(notify=told.append)
    assert data.source == "sample"
    assert len(told) == 1
    assert told[0].startswith("THIS IS NOT MNIST. mnist is not to be had: no originals were given")
    assert all(name in told[0] for name in FILES)


def test_a_named_data_set_is_never_replaced(offline):
    with pytest.raises(
        SourceUnreachable,
        match=r"fashion_mnist is not to be had(.|\n)*Put t10k-images-idx3-ubyte.gz, .* into <folder>/fashion_mnist/",
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
def test_data_sets_that_cannot_be(offline, name, message):
    with pytest.raises(DataError, match=message):
        load_data(name)


@pytest.mark.parametrize("name", ["kmnist", "emnist/letters", "cifar10", "svhn_cropped"])
def test_other_image_sets_are_known_by_name(offline, name):
    with pytest.raises(SourceUnreachable, match=f"{name} is not to be had"):
        load_data(name)


def test_originals_folder_that_does_not_exist(offline, tmp_path):
    with pytest.raises(DataError, match="the originals folder .*nowhere does not exist"):
        load_data(originals=tmp_path / "nowhere")


def test_a_host_that_accepts_and_never_answers_is_given_up_in_time():
    assert tfds_source.REACH_SECONDS <= 5
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not tfds_source.is_reachable(
            f"http://127.0.0.1:{server.getsockname()[1]}/", seconds=0.5
        )


def test_a_name_server_that_never_answers_is_given_up_in_time(monkeypatch):
    """getaddrinfo has no time limit; nothing may wait for it."""
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(60) and [])
    assert not tfds_source.is_reachable("http://no-such-host.invalid/", seconds=0.5)
    assert not released.is_set()
    released.set()


def test_a_download_that_is_not_the_published_file_falls_back(
    offline, made_up, made_up_mnist, monkeypatch
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
        made_up_mnist(f"http://127.0.0.1:{server.server_port}/")
        told = []
        assert load_data(notify=told.append).source == "sample"
        with pytest.raises(SourceUnreachable, match="mnist: the download failed"):
            load_data("mnist")
        server.shutdown()
    assert "the download failed" in told[0]


def test_npz_file(tmp_path, arrays):
    np.savez(tmp_path / "mine.npz", **arrays)
    data = load_data(str(tmp_path / "mine.npz"))
    assert (data.source, data.num_classes, data.x_train.shape) == ("file", 10, (40, 28, 28))
    np.testing.assert_array_equal(data.x_test, arrays["x_test"])


def test_npz_files_that_cannot_be(tmp_path, arrays):
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
    with pytest.raises(DataError, match="not a readable .npz file of plain arrays"):
        load_data(str(path))
