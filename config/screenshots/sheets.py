"""Contact sheets: all pictures of one language, theme and size side by side, each with its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from config.screenshots.camera import Picture

# (width of a picture, pictures in a row)
_LAYOUT: Final = {"desktop": (400, 6), "phone": (170, 14)}
_GAP, _CAPTION = 12, 16
_PAPER: Final = {"light": ("#d9dde2", "#22272e"), "dark": ("#05070b", "#c9d1d9")}
_QUALITY: Final = 60


def make_sheet(pictures: Sequence[Picture], target: Path) -> None:
    """All of one language, theme and size."""
    first = pictures[0]
    width, columns = _LAYOUT[first.size]
    with Image.open(first.file) as sample:
        height = round(width * sample.height / sample.width)
    rows = -(-len(pictures) // columns)
    cell_width, cell_height = width + _GAP, height + _CAPTION + _GAP
    paper, ink = _PAPER[first.theme]
    sheet = Image.new("RGB", (columns * cell_width + _GAP, rows * cell_height + _GAP), paper)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, picture in enumerate(pictures):
        x, y = _GAP + place % columns * cell_width, _GAP + place // columns * cell_height
        with Image.open(picture.file) as full:
            sheet.paste(full.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (x, y + _CAPTION))
        draw.text((x, y), picture.page.name[: width // 6], fill=ink, font=font)
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, quality=_QUALITY, method=6)


def keep_full(picture: Picture, target: Path) -> None:
    with Image.open(picture.file) as full:
        full.convert("RGB").save(target, quality=90, method=6)
