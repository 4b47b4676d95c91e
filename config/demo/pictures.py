"""The pictures of the demo's mails: drawn, so that nobody's photograph is in the code."""

import math
from datetime import datetime
from io import BytesIO
from random import Random
from typing import Final

from PIL import Image as Canvas
from PIL import ImageDraw

from channels.images import library
from channels.images.looking import look
from channels.models import Image, ImageAlt
from config.demo.brands import BRAZIL, BrandPlan
from customers.models import Brand

BAND: Final = "band"
# Twice as wide as it is shown, for screens of fine grain.
_SIZE: Final = (1120, 240)
_ALT: Final = {
    "cafe-ipe": {"pt-BR": "Flores de ipê-amarelo e grãos de café", "en": "Yellow ipê blossoms and coffee beans"},
    "wattle": {"pt-BR": "Flores de acácia e grãos de café", "en": "Wattle blossom and coffee beans"},
}
_GROUND: Final = {"cafe-ipe": "#3b2413", "wattle": "#e9efe6"}
_BLOSSOM: Final = {"cafe-ipe": "#f2b705", "wattle": "#f4c430"}
_BEAN: Final = {"cafe-ipe": ("#7a4a22", "#2b1a00"), "wattle": ("#5b3a1e", "#2a1a0c")}


def make_pictures(plan: BrandPlan, brand: Brand, now: datetime) -> None:
    image = Image(brand=brand, key=BAND, name="Band below the name")
    library.take_in(image, look(_drawn(plan)), by_id=None, now=now)
    image.save()
    for locale, text in _ALT[plan.key].items():
        ImageAlt.objects.create(image=image, locale=locale, text=text)


def alt(plan: BrandPlan, locale: str) -> str:
    return _ALT[plan.key][locale]


def _drawn(plan: BrandPlan) -> bytes:
    random = Random(plan.key)  # noqa: S311 - a picture
    canvas = Canvas.new("RGB", _SIZE, _GROUND[plan.key])
    draw = ImageDraw.Draw(canvas)
    for column in range(15):
        at = (column * 80 + random.randint(-14, 14), random.randint(36, _SIZE[1] - 36))
        if column % 2:
            _bean(canvas, at, random.uniform(0, 180), _BEAN[plan.key])
        elif plan is BRAZIL:
            _blossom(draw, at, _BLOSSOM[plan.key])
        else:
            _balls(draw, at, random, _BLOSSOM[plan.key])
    data = BytesIO()
    canvas.save(data, "PNG")
    return data.getvalue()


def _bean(canvas: Canvas.Image, at: tuple[int, int], angle: float, colours: tuple[str, str]) -> None:
    bean = Canvas.new("RGBA", (90, 60), (0, 0, 0, 0))
    draw = ImageDraw.Draw(bean)
    draw.ellipse((4, 8, 86, 52), fill=colours[0])
    draw.arc((-20, 22, 60, 76), 290, 360, fill=colours[1], width=5)
    draw.arc((30, -16, 110, 38), 110, 180, fill=colours[1], width=5)
    turned = bean.rotate(angle, expand=True)
    canvas.paste(turned, (at[0] - turned.width // 2, at[1] - turned.height // 2), turned)


def _blossom(draw: ImageDraw.ImageDraw, at: tuple[int, int], colour: str) -> None:
    for petal in range(5):
        angle = math.tau * petal / 5
        x, y = at[0] + 24 * math.cos(angle), at[1] + 24 * math.sin(angle)
        draw.ellipse((x - 20, y - 20, x + 20, y + 20), fill=colour)
    draw.ellipse((at[0] - 10, at[1] - 10, at[0] + 10, at[1] + 10), fill="#b5471b")


def _balls(draw: ImageDraw.ImageDraw, at: tuple[int, int], random: Random, colour: str) -> None:
    draw.line((at[0] - 50, at[1] + 50, at[0] + 40, at[1] - 45), fill="#6b8f71", width=6)
    for _ball in range(12):
        x, y, r = at[0] + random.randint(-42, 42), at[1] + random.randint(-42, 42), random.randint(9, 15)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
