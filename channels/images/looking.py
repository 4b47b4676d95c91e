"""A file that somebody calls an image: read within bounds, and made anew from its pixels alone.

What is kept was written by us: nothing that rode along, where it was taken, words of a camera, a page behind the last
pixel, is in it.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any, Final

from django.utils.translation import gettext as _
from PIL import Image, ImageOps, ImageSequence

from channels.images.frames import Extent, frames, is_gif, screen
from channels.models import Image as Kept

MAX_BYTES: Final = 2 * 1024 * 1024
MAX_SIDE: Final = 4_000
MAX_PIXELS: Final = 12_000_000
# Of something that moves: of all its frames together.
MAX_FRAMES: Final = 200
MAX_MOVING_PIXELS: Final = 20_000_000
_TROUBLES: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    EOFError,
    OverflowError,
    AttributeError,
    MemoryError,
    struct.error,
    zlib.error,
)
# What says how pixels are shown; all else that a file says of itself is left behind.
_SHOWN: Final = frozenset({"transparency", "duration", "loop", "disposal", "background"})
# Chosen by us to look as before at half the size.
_QUALITY: Final = 88


class ImageError(ValueError):
    """Why a file is not taken."""


@dataclass(frozen=True, slots=True)
class Looked:
    data: bytes
    kind: Kept.Kind
    width: int
    height: int


def look(data: bytes) -> Looked:
    """The image anew; raises ImageError."""
    if not data:
        raise ImageError(_("The file is empty."))
    if len(data) > MAX_BYTES:
        raise ImageError(_too_large())
    told = _gif_frames(data) if is_gif(data) else None
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "GIF", "WEBP")) as image:
            made = _moving(image) if _measured(image, told) > 1 else _still(image)
    except ImageError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(_too_many_pixels()) from None
    except _TROUBLES:
        raise ImageError(_("This is no JPEG, PNG, GIF or WebP that can be read.")) from None
    if len(made.data) > MAX_BYTES:
        raise ImageError(_too_large())
    return made


def _too_large() -> str:
    return _("The file is larger than %(most)s MB.") % {"most": MAX_BYTES // 1024**2}


def _too_many_pixels() -> str:
    limits = {"side": MAX_SIDE, "pixels": MAX_PIXELS // 1_000_000}
    return _("It is more than %(side)s pixels wide or high, or has more than %(pixels)s million.") % limits


def _gif_frames(data: bytes) -> int:
    """How many frames a GIF has, as far as it may have any; it says so nowhere, and what it says it measures need not
    be true. Before the decoder sees it, which makes room for any of them."""
    found = frames(data)
    first = next(found, None)
    if first is None:
        return 0
    size = Extent(*map(max, screen(data), first))
    most, count = _most_frames(size), 1
    for extent in islice(found, most):
        if extent.width > size.width or extent.height > size.height:
            raise ImageError(_larger_frame())
        count += 1
    return count


def _larger_frame() -> str:
    return _("One of its frames is larger than the image itself.")


def _most_frames(size: tuple[int, int]) -> int:
    width, height = size
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise ImageError(_too_many_pixels())
    return max(min(MAX_FRAMES, MAX_MOVING_PIXELS // max(width * height, 1)), 1)


def _measured(image: Image.Image, told: int | None) -> int:
    """How many frames it has; by what the file says of itself, before a pixel is read."""
    most = _most_frames(image.size)
    count = 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1)) if told is None else told
    if count > most:
        raise ImageError(_("It moves through too many frames."))
    return count


def _still(image: Image.Image) -> Looked:
    still = _clean(ImageOps.exif_transpose(image))
    match image.format:
        case "JPEG" | "MPO":
            if still.mode not in ("L", "RGB"):
                still = still.convert("RGB")
            return _written([still], Kept.Kind.JPEG, quality=_QUALITY, progressive=True, optimize=True)
        case "PNG":
            if still.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                still = still.convert("RGBA")
            return _written([still], Kept.Kind.PNG)
        case "WEBP":
            return _written([still], Kept.Kind.WEBP, quality=_QUALITY)
    return _written([still], Kept.Kind.GIF)


def _moving(image: Image.Image) -> Looked:
    shown = list(_shown(image))
    said: dict[str, Any] = {"duration": [int(frame.info.get("duration", 100)) for frame in shown]}
    if "loop" in image.info:
        said["loop"] = image.info["loop"]
    kind = {"PNG": Kept.Kind.PNG, "WEBP": Kept.Kind.WEBP}.get(image.format or "", Kept.Kind.GIF)
    return _written(shown, kind, save_all=True, append_images=shown[1:], **said)


def _shown(image: Image.Image) -> Iterator[Image.Image]:
    size, most = image.size, _most_frames(image.size)
    for count, frame in enumerate(ImageSequence.Iterator(image), start=1):
        if count > most:
            raise ImageError(_("It moves through too many frames."))
        # Before its pixels are read.
        if frame.size != size:
            raise ImageError(_larger_frame())
        yield _clean(frame.copy())


def _clean(image: Image.Image) -> Image.Image:
    image.load()
    image.info = {name: value for name, value in image.info.items() if name in _SHOWN}
    return image


def _written(shown: list[Image.Image], kind: Kept.Kind, **how: Any) -> Looked:
    out = BytesIO()
    _most_frames(shown[0].size)
    shown[0].save(out, kind.value.upper(), **how)
    return Looked(out.getvalue(), kind, *shown[0].size)
