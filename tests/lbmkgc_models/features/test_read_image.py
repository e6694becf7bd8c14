"""Reading pictures: every kind that people have, and every kind of broken file."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lbmkgc_models.features import read_image as images
from lbmkgc_models.features.read_image import BadPicture, check_header, read_image

RED, BLUE = (255, 0, 0), (0, 0, 255)


def _two(mode: str = "RGB", size: tuple[int, int] = (20, 10)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right."""
    image = Image.new("RGB", size, RED)
    ImageDraw.Draw(image).rectangle((size[0] // 2, 0, *size), fill=BLUE)
    return image.convert(mode)


def _near(pixel: tuple[int, ...], expected: tuple[int, int, int]) -> bool:
    return len(pixel) == 3 and all(abs(a - b) <= 6 for a, b in zip(pixel, expected, strict=True))


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "RGB"),
        ("a.png", "P"),
        ("a.png", "RGBA"),
        ("a.jpg", "RGB"),
        ("a.jpg", "CMYK"),
        ("a.tif", "CMYK"),
        ("a.tif", "LAB"),
        ("a.gif", "P"),
        ("a.bmp", "RGB"),
        ("a.webp", "RGB"),
    ],
)
def test_every_format_and_mode_comes_as_rgb(tmp_path: Path, name: str, mode: str) -> None:
    if mode == "LAB":
        Image.new("LAB", (20, 10), (136, 208, 195)).save(tmp_path / name)  # red
        assert _near(read_image(tmp_path / name).getpixel((2, 5)), (250, 3, 11))
        return
    options = {"quality": 95, "subsampling": 0} if name == "a.jpg" else {}
    _two(mode).save(tmp_path / name, **options)
    image = read_image(tmp_path / name)
    assert (image.mode, image.size) == ("RGB", (20, 10))
    assert _near(image.getpixel((2, 5)), RED)
    assert _near(image.getpixel((17, 5)), BLUE)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    _two().save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    assert read_image(tmp_path / "a.jpg").getpixel((2, 5)) == RED


def test_the_cameras_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    _two().save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    image = read_image(tmp_path / "a.jpg")
    assert image.size == (10, 20)
    assert _near(image.getpixel((5, 2)), RED)
    _two().save(tmp_path / "b.jpg", exif=b"Exif\x00\x00nonsense")
    assert read_image(tmp_path / "b.jpg").size == (20, 10)


@pytest.mark.parametrize("error", [ValueError, KeyError, SyntaxError])
def test_broken_notes_of_a_camera_do_not_cost_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(image: Image.Image) -> None:
        raise error("broken")

    monkeypatch.setattr("PIL.ImageOps.exif_transpose", fail)
    _two().save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png").size == (20, 10)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_parts_are_white(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGBA", (20, 10), (*RED, 0))
    ImageDraw.Draw(image).rectangle((10, 0, 20, 10), fill=(0, 0, 0, 255))
    image.convert(mode).save(tmp_path / "a.png")
    read = read_image(tmp_path / "a.png")
    assert read.getpixel((2, 5)) == (255, 255, 255)
    assert read.getpixel((17, 5)) == (0, 0, 0)


def test_a_transparent_colour_is_white(tmp_path: Path) -> None:
    _two().save(tmp_path / "a.png", transparency=RED)
    assert read_image(tmp_path / "a.png").getpixel((2, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("a.png", np.array([[0, 257 * 100, 65535]], np.uint16), [0, 100, 255]),
        ("a.tif", np.array([[0, 257 * 100, 65535]], np.int32), [0, 100, 255]),
        ("a.tif", np.array([[-1000, 0, 1000]], np.int32), [0, 128, 255]),
        ("a.tif", np.array([[0.25, 0.5, 0.75]], np.float32), [0, 128, 255]),
        ("a.tif", np.array([[7.0, 7.0, 7.0]], np.float32), [0, 0, 0]),
    ],
)
def test_deep_grey_values_are_scaled(
    tmp_path: Path, name: str, values: np.ndarray, expected: list[int]
) -> None:
    Image.fromarray(values).save(tmp_path / name)
    assert np.asarray(read_image(tmp_path / name))[0, :, 0].tolist() == expected


def test_the_first_frame_of_an_animation(tmp_path: Path) -> None:
    first, second = Image.new("RGB", (8, 8), RED), Image.new("RGB", (8, 8), BLUE)
    for name in ("a.gif", "a.webp", "a.png", "a.tif"):
        first.save(tmp_path / name, save_all=True, append_images=[second])
        assert _near(read_image(tmp_path / name).getpixel((4, 4)), RED)


def _png_header(width: int, height: int) -> bytes:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + start + struct.pack(">I", 100) + b"IDAT" + b"\x78\x9c"


def _jpeg() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(stream, "JPEG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "empty", "an empty file, expected a picture"),
        (b"<html>Not found</html>", "not a picture", "not a picture, expected one of JPEG, PNG,"),
        (b"P6 1 1 255 abc", "not a picture", "not a picture"),  # a format that is not let in
        (_jpeg()[:-900], "damaged", "truncated or damaged: image file is truncated"),
        (_jpeg()[:30], "damaged", "truncated or damaged: it begins as a picture does, but its he"),
        (b"\x89PNG\r\n\x1a\n", "damaged", "truncated or damaged: it begins as a picture does"),
        (_png_header(20, 20), "damaged", "truncated or damaged"),
        (_png_header(8000, 8000), "too large", "8000 x 8000 pixels, expected at most 50,000,000"),
        (_png_header(2**31 - 1, 2**31 - 1), "too large", "exceeds limit"),
        (_png_header(1001, 10), "too narrow", "1001 x 10 pixels, expected sides of at most 100 to"),
    ],
)
def test_bad_files_say_why_in_one_line(
    tmp_path: Path, content: bytes, kind: str, message: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(BadPicture, match=message) as caught:
        read_image(path)
    assert caught.value.kind == kind
    assert str(caught.value) == f"{path}: {caught.value.reason}"
    assert "\n" not in str(caught.value)
    if kind != "damaged":  # seen in the first bytes
        with pytest.raises(BadPicture, match=message):
            check_header(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    for look in (read_image, check_header):
        with pytest.raises(BadPicture, match=r"a.png: cannot be read: No such file") as caught:
            look(tmp_path / "a.png")
        assert caught.value.kind == "unreadable"
    with pytest.raises(BadPicture, match="cannot be read: Is a directory"):
        read_image(tmp_path)


def test_nothing_is_decoded_of_a_picture_that_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _two().save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda self: pytest.fail("decoded"))
    with pytest.raises(BadPicture, match="20 x 10 pixels, expected at most 199; make it smaller"):
        read_image(tmp_path / "a.png", max_pixels=199)


def test_values_that_are_not_finite(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0.0, np.nan]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(BadPicture, match="damaged: values that are not finite"):
        read_image(tmp_path / "a.tif")


def test_too_little_memory_is_not_the_pictures_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(image: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(images, "_upright", fail)
    _two().save(tmp_path / "a.png")
    with pytest.raises(MemoryError):
        read_image(tmp_path / "a.png")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_files_are_closed(tmp_path: Path) -> None:
    _two().save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(_png_header(8000, 8000))
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for name in ("good.png", "bad.png") * 5:
        for look in (read_image, check_header):
            try:
                look(tmp_path / name)
            except BadPicture:
                continue
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208
