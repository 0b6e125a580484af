"""A folder or an archive of class folders of pictures as a data set."""

from __future__ import annotations

import base64
import io
import os
import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet_tf import RawData, get_spec, load_data
from lenet_tf.data.sources import picture_decoding
from lenet_tf.data.sources.class_folders import find_class_folders, natural_key
from lenet_tf.errors import DataError, SourceUnreachable
from lenet_tf.evaluation.page_images import build_gallery
from lenet_tf.io import bounded

CIFAR = Path(os.environ.get("LENET_TF_ORIGINALS", "")) / "cifar10_jpeg"


def draw(path: Path, color: tuple[int, ...] | int, size: tuple[int, int] = (12, 10), **options):
    """Write a picture of one color; `size` is its height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "L" if isinstance(color, int) else "RGB"
    Image.new(mode, size[::-1], color).save(path, **options)


@pytest.fixture
def photos(tmp_path) -> Path:
    """Ten gray pictures of each of the classes 2, 9 and 10, whose level tells class and number."""
    for label in ("2", "9", "10"):
        for number in range(10):
            draw(tmp_path / "photos" / label / f"{number}.png", int(label) * 20 + number)
    return tmp_path / "photos"


@pytest.fixture
def messages() -> list[str]:
    return []


def load(path, messages=None, **options):
    return load_data(path, notify=(messages if messages is not None else []).append, **options)


def test_classes_and_pictures_are_in_natural_order(photos, messages):
    data = load(photos, messages)
    assert data.class_names == ("2", "9", "10") and data.num_classes == 3
    assert data.source == "pictures" and data.name == str(photos)
    assert data.x_train.shape == (24, 12, 10, 1) and data.x_train.dtype == np.uint8
    # The level says the class, and the first images have all classes.
    levels = np.array([40, 180, 200])
    assert (data.x_train[:, 0, 0, 0] // 10 * 10 == levels[data.y_train]).all()
    assert data.y_train[:3].tolist() == [0, 1, 2]
    assert len(set(data.x_train[:, 0, 0, 0]) | set(data.x_test[:, 0, 0, 0])) == 30
    (message,) = messages
    assert "30 pictures of 3 classes (2, 9, 10)" in message
    assert "No test folder: 20% of each class, 6 pictures, are the test images." in message


def test_in_python_the_guesses_are_a_warning_at_the_callers_line(photos):
    with pytest.warns(UserWarning, match="No test folder: 20% of each class") as caught:
        load_data(photos)
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]


def test_the_test_split_is_always_the_same_and_stratified(photos):
    data, again = load(photos), load(str(photos))
    assert np.bincount(data.y_test).tolist() == [2, 2, 2]
    assert data.sha256 == again.sha256


def test_a_class_of_one_picture_is_refused_by_name(photos):
    draw(photos / "few" / "1.png", 7)
    with pytest.raises(DataError, match="few has 1 picture, and a class needs at least 2"):
        load(photos)


@pytest.mark.parametrize(
    ("train", "test"), [("train", "test"), ("Training", "Testing"), ("train", "valid")]
)
def test_folders_of_splits(train, test, tmp_path, messages):
    for split, level in ((train, 210), (test, 200)):
        for label in ("cat", "dog"):
            draw(tmp_path / split / label / "1.png", level)
    data = load(tmp_path, messages)
    assert data.class_names == ("cat", "dog")
    assert (data.x_train == 210).all() and (data.x_test == 200).all()
    assert ("The pictures in valid are the test images." in "".join(messages)) == (test == "valid")


def test_three_splits(tmp_path, messages):
    for split, level in (("train", 210), ("val", 220), ("test", 200)):
        for label in ("cat", "dog"):
            draw(tmp_path / split / label / "1.png", level)
    data = load(tmp_path, messages)
    assert sorted(data.x_train[:, 0, 0, 0]) == [210, 210, 220, 220] and (data.x_test == 200).all()
    assert "val join the training images, of which --validation holds out a part" in messages[0]


@pytest.mark.parametrize(
    ("files", "error"),
    [
        (["train/cat/1.png", "train/dog/1.png", "test/cat/1.png"], "test has no pictures of dog"),
        (["train/cat/1.png", "test/cat/1.png", "test/dog/1.png"], "train has no pictures of dog"),
        (["test/cat/1.png", "test/dog/1.png"], "a folder test with classes, but no folder train"),
        (["cat/1.png", "cat/2.png"], "one class folder only, cat"),
        (["1.png", "2.png"], "no class folders. Sort pictures into a folder for each class"),
        (["cat/old/1.png", "cat/2.png", "dog/1.png"], "cat/old/1.png lies too deep"),
        (["train/a/1.png", "Train/b/1.png"], "several train folders"),
        (["notes.txt"], "holds no pictures"),
    ],
)
def test_layouts_that_are_refused(files, error):
    with pytest.raises(DataError, match=error):
        find_class_folders("photos", files)


def test_what_is_no_picture_of_a_class_is_left_out_and_said():
    folders = find_class_folders(
        "photos", ["a/1.png", "b/1.png", "loose.png", "a/labels.csv", "b/notes.txt", "README"]
    )
    assert folders.train == {"a": ["a/1.png"], "b": ["b/1.png"]}
    assert folders.notes == [
        "Left out: 3 files that are no pictures (.csv, .txt, without an ending).",
        "Left out, in no class folder: loose.png.",
    ]


def test_a_class_may_be_called_train():
    names = [f"{label}/{n}.png" for label in ("train", "plane") for n in (1, 2)]
    assert list(find_class_folders("vehicles", names).train) == ["plane", "train"]


def test_natural_order():
    names = ["a10", "a9", "A9b", "b", "007", "10", "9", "a9"]
    assert sorted(names, key=natural_key) == ["007", "9", "10", "a9", "a9", "A9b", "a10", "b"]
    sorted([f"a{'9' * 9_999}", "a1"], key=natural_key)


@pytest.mark.parametrize(("source", "shown"), [("pictures", 200), ("file", 55)])
def test_gray_photographs_are_no_negatives_in_reports(source, shown):
    """Other gray images, such as MNIST's, are ink: 255 is black."""
    images = np.full((2, 8, 8, 1), 200, np.uint8)
    data = RawData(images, [0, 1], images, [0, 1], source=source)
    (picture, _) = build_gallery(list(data.x_test), ["", ""], data.has_photographs)
    content = base64.b64decode(picture.images[0].partition(",")[2])
    assert set(np.asarray(Image.open(io.BytesIO(content))).ravel()) == {shown}


def test_sizes_that_differ_need_a_size(photos, messages):
    draw(photos / "2" / "wide.png", 9, (30, 90))
    with pytest.raises(
        DataError, match=r"pictures of 2 sizes, 10×12…90×30 pixels: pass image_size"
    ):
        load(photos)
    assert load(photos, image_size=(8, 6)).image_shape == (8, 6, 1)
    data = load(photos, messages, network=get_spec("lenet5"))
    assert data.image_shape == (28, 28, 1)
    assert (
        "Pictures of 2 sizes, 10×12…90×30 pixels: cropped to the middle and resized to 28×28, the"
        " size of lenet5's images (another one: --image-size or image_size=)." in messages[0]
    )


def test_large_pictures_of_one_size_need_a_size(tmp_path):
    for label in "ab":
        for number in range(2):
            draw(tmp_path / label / f"{number}.png", 200, (65, 10))
    with pytest.raises(DataError, match="pictures of 10×65 pixels: pass image_size"):
        load(tmp_path)


def test_the_middle_is_kept_when_the_shape_differs(tmp_path):
    """A wide picture loses its sides, not its proportions."""
    pixels = np.zeros((20, 60, 3), np.uint8)
    pixels[:, 20:40] = (0, 255, 0)
    for label in "ab":
        for number in range(2):
            (tmp_path / label).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / label / f"{number}.png")
    data = load(tmp_path, image_size=10)
    assert data.image_shape == (10, 10, 3)
    assert (data.x_train[:, 2:-2, 2:-2] == (0, 255, 0)).all()


@pytest.mark.parametrize(
    ("option", "channels"), [(None, 3), (True, 3), (False, 1)], ids=["auto", "color", "gray"]
)
def test_gray_and_color(option, channels, photos, messages):
    draw(photos / "2" / "red.png", (255, 0, 0))
    data = load(photos, messages, color=option)
    assert data.image_shape[-1] == channels
    said = "30 of 31 pictures are gray; all get 3 channels (all gray: --gray or color=False)"
    assert (said in messages[0]) == (option is None)
    reds = [image for image in (*data.x_train, *data.x_test) if image[0, 0, 0] in (255, 76)]
    assert reds[0][0, 0].tolist() == ([255, 0, 0] if channels == 3 else [76])


def test_colors_that_are_all_gray_take_one_channel(tmp_path):
    for label in "ab":
        for number in range(3):
            draw(tmp_path / label / f"{number}.png", (200 + number, 200 + number, 200 + number))
    assert load(tmp_path).image_shape == (12, 10, 1)
    assert load(tmp_path, color=True).image_shape == (12, 10, 3)


def test_unusual_pictures(tmp_path):
    """Transparency on white, EXIF's orientation, palettes, 16 bits, CMYK."""
    row = np.arange(0, 240, 20, dtype=np.uint8)
    pixels = np.tile(row, (6, 1))
    folder = tmp_path / "a"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(pixels)).save(folder / "1.png", exif=exif)
    Image.fromarray(pixels.astype(np.uint16) << 8 | 255).save(folder / "2.png")
    Image.fromarray(pixels).convert("P").save(folder / "3.png")
    Image.fromarray(pixels).convert("CMYK").save(folder / "4.jpg", quality=100)
    clear = np.stack([pixels * 0, np.where(pixels == 0, 0, 255 - pixels).astype(np.uint8)], -1)
    Image.fromarray(clear, "LA").save(folder / "5.png")
    shutil.copytree(folder, tmp_path / "b")
    data = load(tmp_path)
    assert data.image_shape == (6, 12, 1)
    for image in (*data.x_train, *data.x_test):
        expected = np.where(row == 0, image[0, 0, 0], row)
        assert np.abs(image[..., 0].astype(int) - expected).max() <= 4, image[0, :, 0]


def test_a_few_unreadable_pictures_are_left_out_and_named(photos, messages):
    for number in range(100):
        draw(photos / "9" / f"more{number}.png", number)
    (photos / "9" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    data = load(photos, messages)
    assert len(data.x_train) + len(data.x_test) == 130
    assert "1 of 131 pictures can't be read and are left out: 9/broken.jpg (" in messages[0]


def test_many_unreadable_pictures_are_refused(photos):
    for number in range(7):
        (photos / "9" / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(DataError) as caught:
        load(photos)
    text = str(caught.value)
    assert "7 of 37 pictures can't be read: 9/0.heic (it is not a" in text
    assert "HEIC" in text and "and 2 more. Convert or remove them." in text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_endless_links(photos):
    os.mkfifo(photos / "9" / "pipe.png")
    with pytest.raises(DataError, match=r"9/pipe.png \(it is not a regular file\)"):
        load(photos)
    (photos / "9" / "pipe.png").unlink()
    (photos / "9" / "up").symlink_to(photos)
    with pytest.raises(DataError, match="lies too deep"):
        load(photos)


def pack(photos: Path, path: Path) -> Path:
    """Pack a folder with what systems add to archives, below one more folder."""
    files = {f"my photos/{file.relative_to(photos)}": file for file in photos.rglob("*.png")}
    extra = {"__MACOSX/my photos/2/._1.png": b"x", "my photos/2/Thumbs.db": b"x"}
    extra["my photos/.DS_Store"] = b"x"
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, file in files.items():
                archive.write(file, name.replace("/", "\\"))
            for name, content in extra.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as tar:
        for name, file in files.items():
            tar.add(file, f"./{name}")
        for name, content in extra.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar", "photos.tar.gz", "photos.TGZ"])
def test_archives_give_what_the_folder_gives(name, photos, tmp_path, messages):
    path = pack(photos, tmp_path / name)
    before = sorted(tmp_path.rglob("*"))
    data = load(path, messages)
    assert data.sha256 == load(photos).sha256 and data.name == str(path)
    assert data.class_names == ("2", "9", "10")
    assert "Left out" not in messages[0]
    assert sorted(tmp_path.rglob("*")) == before


def test_hostile_members_of_a_tar_file(photos, tmp_path):
    """Links are skipped, names lead nowhere, and negative lengths end."""
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as tar:
        for file in photos.rglob("*.png"):
            tar.add(file, str(file.relative_to(photos)))
        link = tarfile.TarInfo("2/link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        for name in ("../../2/out.png", "/9/root.png"):
            member = tarfile.TarInfo(name)
            member.size = 1
            tar.addfile(member, io.BytesIO(b"x"))
    with pytest.raises(DataError, match=r"1 of 31 pictures can't be read: 9/root.png"):
        load(path)
    content = path.read_bytes()
    for size in (b"\xff" * 12, b"\x80" + b"\xff" * 11):
        header = bytearray(content[:512])
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        path.write_bytes(bytes(header) + content[512:])
        with pytest.raises(DataError):
            load(path)


def test_bounds_of_archives(photos, tmp_path, monkeypatch):
    """Small archives that unpack large are refused before they are read."""
    tar, packed = pack(photos, tmp_path / "x.tgz"), pack(photos, tmp_path / "x.zip")
    monkeypatch.setattr("lenet_tf.io.file_trees.MAX_FILES", 29)
    for path in (tar, packed, photos):
        with pytest.raises(DataError, match="more than 29 files"):
            load(path)
    monkeypatch.setattr("lenet_tf.io.file_trees.MAX_FILES", 99)
    monkeypatch.setattr("lenet_tf.io.file_trees.MAX_UNPACKED_BYTES", 1_000)
    for path in (tar, packed):
        with pytest.raises(DataError, match="files take more than"):
            load(path)
    monkeypatch.undo()
    monkeypatch.setattr(picture_decoding, "MAX_ARRAY_BYTES", 10_000)
    with pytest.raises(DataError, match="30 pictures of 10×12 take more than"):
        load(photos)


def test_a_header_of_gigabytes_in_a_tar_file(tmp_path):
    member = tarfile.TarInfo("a")
    member.type, member.size = tarfile.XHDTYPE, 7 << 30
    (tmp_path / "x.tar").write_bytes(member.tobuf() + bytes(2_000))
    with pytest.raises(DataError, match="the header of a member is too long"):
        load(tmp_path / "x.tar")


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_damaged_archives(name, photos, tmp_path):
    path = pack(photos, tmp_path / name)
    content = path.read_bytes()
    for damaged in (b"", b"no archive", content[: len(content) // 2]):
        path.write_bytes(damaged)
        with pytest.raises(DataError) as caught:
            load(path)
        assert str(path) in str(caught.value) and len(str(caught.value).splitlines()) == 1
    path.unlink()
    with pytest.raises(DataError, match="can't be read: No such file"):
        load(str(path))


@pytest.mark.parametrize("name", ["./photos", "photos/", "/none/photos", "~/none"])
def test_folders_that_are_missing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"{name}: there is no such file or folder"):
        load(name)


def test_encrypted_members_are_named(photos, tmp_path):
    path = pack(photos, tmp_path / "x.zip")
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\1\2")
    content[start + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"1 of 30 pictures .*\(it is encrypted\)"):
        load(path)


@pytest.mark.parametrize("value", [0, -1, 5_000, (1, 2, 3), "28px", 2.5, True])
def test_wrong_image_sizes(value, photos):
    with pytest.raises(DataError, match="image_size must be a whole number of pixels"):
        load(photos, image_size=value)


def test_options_for_pictures_are_refused_for_other_data():
    with pytest.raises(
        DataError, match=r"sample takes no image_size \(--image-size\): leave it out"
    ):
        load_data("sample", image_size=28)


def test_the_jpeg_copy_of_cifar_says_what_to_put_where(tmp_path):
    with pytest.raises(SourceUnreachable) as caught:
        load_data("cifar10_jpeg", tmp_path)
    assert f"Put cifar10-jpeg.tar.gz or its folders train and test into {tmp_path}" in str(
        caught.value
    )
    (tmp_path / "cifar10_jpeg").mkdir()
    (tmp_path / "cifar10_jpeg" / "cifar10-jpeg.tar.gz").write_bytes(b"x")
    with pytest.raises(DataError, match="is not the archive that this package knows"):
        load_data("cifar10_jpeg", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not CIFAR.is_dir(), reason="LENET_TF_ORIGINALS has no cifar10_jpeg")
def test_the_jpeg_copy_of_cifar():
    data = load_data("cifar10_jpeg")
    assert data.x_train.shape == (50_000, 32, 32, 3) and data.x_test.shape == (10_000, 32, 32, 3)
    assert np.bincount(data.y_train).tolist() == [5_000] * 10
    assert (data.name, data.source) == ("cifar10_jpeg", "originals")
    assert data.class_names[:2] == ("airplane", "automobile")


def test_a_reader_that_only_moves_forward():
    reader = bounded.ForwardReader(io.BytesIO(bytes(100)), 90, 50)
    assert len(reader.read(10)) == 10 and reader.tell() == 10
    with pytest.raises(ValueError, match="overlap"):
        reader.seek(9)
    with pytest.raises(ValueError, match="take more than"):
        reader.seek(91)
    with pytest.raises(ValueError, match="header of a member is too long"):
        reader.read(41)
