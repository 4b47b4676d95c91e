"""The image library: what is handed in is made anew from its pixels, shown under a name of ours, and never run."""

import struct
import time
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image as Pillow

from channels.images import library, looking
from channels.images.looking import ImageError, look
from channels.liquid import Reader
from channels.models import Image, ImageAlt, StoredFile
from channels.templates import MissingFieldError, Text, render
from customers.models import Brand
from tests.channels.content import block, faults, latest, write, written
from tests.channels.hostile import peak
from tests.channels.world import NOW, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@example.com", "-"))
    return client


def drawn(form: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **how: Any) -> bytes:
    out = BytesIO()
    Pillow.new(mode, size, how.pop("color", None)).save(out, form, **how)
    return out.getvalue()


def hand_in(staff: Client, world: World, data: bytes, key: str = "logo", name: str = "logo.png") -> Any:
    form = {
        "upload": SimpleUploadedFile(name, data, "image/png"),
        "name": "Logo",
        "key": key,
        "brand": str(world.brand.pk),
        "alts-TOTAL_FORMS": "1",
        "alts-INITIAL_FORMS": "0",
        "alts-0-locale": "en",
        "alts-0-text": "The logo of Acme",
    }
    return staff.post(reverse("admin:channels_image_add"), form)


def kept(staff: Client, world: World, data: bytes | None = None, key: str = "logo") -> Image:
    assert hand_in(staff, world, drawn() if data is None else data, key).status_code == 302
    return Image.objects.get(key=key)


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """As its header says, whatever is in it."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = [b"\x89PNG\r\n\x1a\n"]
    for name, data in (header, *chunks, (b"IEND", b"")):
        body.append(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))
    return b"".join(body)


# --- What is taken --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "mode", "kind"),
    [("PNG", "RGBA", "png"), ("PNG", "P", "png"), ("JPEG", "RGB", "jpeg"), ("JPEG", "CMYK", "jpeg"),
     ("GIF", "P", "gif"), ("WEBP", "RGBA", "webp")],
)  # fmt: skip
def test_each_kind_is_taken_and_told_by_its_pixels(form: str, mode: str, kind: str) -> None:
    looked = look(drawn(form, mode=mode))
    assert (looked.kind, looked.width, looked.height) == (kind, 40, 30)
    with Pillow.open(BytesIO(looked.data)) as again:
        assert (again.format, again.size) == (kind.upper(), (40, 30))


def test_nothing_that_rode_along_is_kept() -> None:
    exif = Pillow.Exif()
    exif[0x010F] = "Kamera of Ana"
    exif.get_ifd(0x8825)[1] = "S"
    looked = look(drawn("JPEG", exif=exif.tobytes(), comment=b"taken at home", icc_profile=b"profile" * 20))
    page = b"<script>alert(1)</script>"
    text = look(png_with_words(page) + page)
    assert all(word not in looked.data for word in (b"Exif", b"Ana", b"home", b"profile"))
    assert page not in text.data
    with Pillow.open(BytesIO(looked.data)) as again:
        assert dict(again.getexif()) == {}


def png_with_words(words: bytes) -> bytes:
    pixels = zlib.compress(b"\x00" + b"\xff" * 3)
    return png(1, 1, (b"tEXt", b"Comment\x00" + words), (b"IDAT", pixels))


def test_one_that_lies_on_its_side_is_set_upright() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    looked = look(drawn("JPEG", size=(40, 30), exif=exif.tobytes()))
    assert (looked.width, looked.height) == (30, 40)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_what_moves_goes_on_moving(form: str) -> None:
    frames = [Pillow.new("RGB", (20, 20), (80 * n, 0, 0)) for n in range(3)]
    out = BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=120, loop=0)
    with Pillow.open(BytesIO(look(out.getvalue()).data)) as again:
        assert again.n_frames == 3  # type: ignore[attr-defined]  # of what moves
        again.seek(1)
        again.load()
        assert again.info["duration"] == 120


# --- What is not ----------------------------------------------------------------------------------------------------

_NO_IMAGE = "This is no JPEG, PNG, GIF or WebP that can be read."
_PIXELS = "It is more than 4000 pixels wide or high, or has more than 12 million."
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "The file is empty."),
        (_SVG, _NO_IMAGE),
        (b"<html><script>alert(1)</script></html>", _NO_IMAGE),
        (b"PK\x03\x04" + b"\x00" * 100, _NO_IMAGE),
        (b"%PDF-1.7 ...", _NO_IMAGE),
        (b"GIF89a<script>alert(1)</script>", _NO_IMAGE),
        (drawn("BMP"), _NO_IMAGE),
        (drawn("TIFF"), _NO_IMAGE),
        (drawn("ICO", size=(16, 16)), _NO_IMAGE),
        (drawn()[:60], _NO_IMAGE),
        (png(0, 0, (b"IDAT", b"")), _NO_IMAGE),
        (png(40, 30, (b"IDAT", zlib.compress(b"\x00" * 10))), _NO_IMAGE),
        (png(100_000, 100_000, (b"IDAT", zlib.compress(b"\x00" * 1_000_000))), _PIXELS),
        (png(10_000, 10_000, (b"IDAT", zlib.compress(b"\x00" * 1_000_000))), _PIXELS),
        (png(4_001, 1, (b"IDAT", b"")), _PIXELS),
        (png(4_000, 4_000, (b"IDAT", b"")), _PIXELS),
        (png(1, 1, (b"zTXt", b"a\x00\x00" + zlib.compress(b"\x00" * 80_000_000)), (b"IDAT", b"")), _NO_IMAGE),
        (b"\xff" * (2 * 1024 * 1024 + 1), "The file is larger than 2 MB."),
    ],
)  # fmt: skip
def test_what_is_no_image_or_too_large_a_one_is_refused_within_a_second(data: bytes, fault: str) -> None:
    begun = time.process_time()
    with pytest.raises(ImageError, match="^" + fault.replace(".", r"\.")):
        look(data)
    assert time.process_time() - begun < 1


def gif(*frames: tuple[int, int], between: bytes = b"", screen: tuple[int, int] | None = None) -> bytes:
    """With frames of these sizes, each with colours of its own."""
    made = [drawn("GIF", size=size, mode="P") for size in frames]
    first = made[0]
    body = b"".join(between + _frame_of(one) for one in made)
    return first[:6] + struct.pack("<HH", *(screen or frames[0])) + b"\x00\x00\x00" + body + b";"


def _frame_of(data: bytes) -> bytes:
    colours = data[13 : 13 + (3 << ((data[10] & 7) + 1))] if data[10] & 128 else b""
    at = data.index(b",", 13 + len(colours))
    flags = data[10] & 0x87 if colours else 0
    return data[at : at + 9] + bytes([flags]) + colours + data[at + 10 : -1]


_LARGER = "One of its frames is larger than the image itself."
_VANISHES = b"!\xf9\x04\x08\x00\x00\x00\x00"
_SAYS = b"!\xfe\x03,,,\x00"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (gif((1, 1), (8_000, 8_000)), _LARGER),
        (gif((1, 1), *[(8_000, 8_000)] * 3), _LARGER),
        (gif((1, 1), (1, 1), (2, 1)), _LARGER),
        (gif((4, 4), (8_000, 8_000), between=_VANISHES), _LARGER),
        (gif((4, 4), (8_000, 8_000), between=_SAYS + _VANISHES + b"\x00\x00"), _LARGER),
        (gif((4, 4), (4, 4), (8_000, 8_000), between=b"!\xfe\x00" + b"!\x01\x02ab\x00"), _LARGER),
        # As soon as it is opened the decoder would fill what is to vanish.
        (gif((8_000, 8_000), between=_VANISHES, screen=(1, 1)), _PIXELS),
        (gif((1, 1), screen=(60_000, 60_000)), _PIXELS),
        (gif(*[(3_000, 3_000)] * 4), "It moves through too many frames."),
    ],
)
def test_a_gif_that_grows_is_refused_before_there_is_room_made_for_it(data: bytes, fault: str) -> None:
    Path("/proc/self/clear_refs").write_text("5")
    before, begun = peak(), time.process_time()
    with pytest.raises(ImageError, match="^" + fault.replace(".", r"\.")):
        look(data)
    assert peak() - before < 100 * 1024**2
    assert time.process_time() - begun < 1


def test_frames_within_an_image_are_its_own() -> None:
    looked = look(gif((40, 30), (20, 30), (40, 10), between=_SAYS + _VANISHES))
    assert (looked.width, looked.height) == (40, 30)
    with Pillow.open(BytesIO(looked.data)) as again:
        assert again.size == (40, 30)


def test_a_file_that_says_it_is_smaller_is_as_large_as_its_first_frame() -> None:
    looked = look(gif((40, 30), (40, 30), screen=(1, 1)))
    assert (looked.width, looked.height) == (40, 30)


def test_what_moves_too_long_is_refused() -> None:
    frames = [Pillow.new("RGB", (2, 2), (n, 255 - n, 0)) for n in range(looking.MAX_FRAMES + 1)]
    for form in ("GIF", "WEBP", "PNG"):
        out = BytesIO()
        frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=20, lossless=True)
        with pytest.raises(ImageError, match="too many frames"):
            look(out.getvalue())


def test_a_page_called_png_is_refused_on_the_page_and_nothing_is_kept(staff: Client, world: World) -> None:
    for data in (b"<html>", _SVG, drawn()[:50]):
        answer = hand_in(staff, world, data)
        assert answer.context["adminform"].form.errors["upload"] == [_NO_IMAGE]
    assert (Image.objects.count(), StoredFile.objects.count()) == (0, 0)


# --- What is kept and shown -----------------------------------------------------------------------------------------


def test_it_lies_under_a_name_of_ours(staff: Client, world: World) -> None:
    assert hand_in(staff, world, drawn(), name="../../etc/passwd.html").status_code == 302
    image = Image.objects.get()
    assert image.file == StoredFile.objects.get().name
    assert len(image.file) == 36
    assert image.file.endswith(".png")
    assert (image.width, image.height, image.size) == (40, 30, len(library.read(image)))
    assert image.uploaded_by is not None
    assert ImageAlt.objects.get().text == "The logo of Acme"


def test_anybody_is_shown_it_and_no_browser_runs_it(client: Client, staff: Client, world: World) -> None:
    image = kept(staff, world)
    answer = Client().get(f"/i/{image.file}")
    assert answer.status_code == 200
    assert answer.content == library.read(image)
    told = {name: answer.headers[name] for name in ("Content-Type", "X-Content-Type-Options", "Content-Disposition",
            "Content-Security-Policy", "Cache-Control", "ETag")}  # fmt: skip
    assert told == {
        "Content-Type": "image/png",
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'inline; filename="{image.file}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cache-Control": "public, max-age=31536000, immutable",
        "ETag": f'"{image.digest}"',
    }
    assert "Set-Cookie" not in answer.headers
    again = Client().get(f"/i/{image.file}", headers={"If-None-Match": f'"{image.digest}"'})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/i/", "/i/x", "/i/..%2f..%2fetc%2fpasswd", f"/i/{'0' * 32}.png", "/i/logo.png"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert Client().get(path).status_code == 404


def test_it_is_only_read(staff: Client, world: World) -> None:
    image = kept(staff, world)
    assert Client().post(f"/i/{image.file}").status_code == 405


def test_the_database_is_a_storage_like_any(staff: Client, world: World) -> None:
    image, storage = kept(staff, world), storages["images"]
    assert storage.exists(image.file)
    assert storage.size(image.file) == image.size
    assert not storage.exists("other.png")
    with pytest.raises(FileNotFoundError):
        storage.open("other.png")


# --- Images in words ------------------------------------------------------------------------------------------------


def filled(text: Any, **context: Any) -> str:
    words = Text("en", text.subject, text.html, text.text, text.options)
    return render([words], "en", "en", context, Reader(NOW)).html


def test_its_key_is_kept_as_the_file_it_stood_for(staff: Client, world: World, settings: Any) -> None:
    image = kept(staff, world)
    text = written(staff, world, html='<img src="{{ \'logo\' | image_url }}" alt="">', text="-")
    assert text.html == f'<img src="{{{{ \'{image.file}\' | image_url }}}}" alt="">'
    assert text.as_written()["html"] == '<img src="{{ \'logo\' | image_url }}" alt="">'
    assert [use.image for use in text.images.all()] == [image]
    assert filled(text) == f'<img src="{settings.TRILHA_PUBLIC_URL}/i/{image.file}" alt="">'
    settings.TRILHA_ASSETS_URL = "https://images.acme.example"
    assert filled(text) == f'<img src="https://images.acme.example/i/{image.file}" alt="">'


def test_in_a_layout_and_in_a_block_as_well(staff: Client, world: World) -> None:
    image = kept(staff, world)
    column = "<mj-section><mj-column><mj-image src=\"{{ 'logo' | image_url }}\" alt='A' /></mj-column></mj-section>"
    block(world, "header", mjml=column)
    text = written(staff, world, mjml=f"<mjml><mj-body>{{% block 'header' %}}{column}</mj-body></mjml>", text="-")
    assert filled(text).count(f"/i/{image.file}") == 2


def test_in_what_stands_beside_the_words(staff: Client, world: World) -> None:
    image = kept(staff, world)
    world.version.template.channel = "push"
    world.version.template.save()
    text = written(staff, world, text="-", options='{"image": "{{ \'logo\' | image_url }}"}')
    assert text.options == {"image": f"{{{{ '{image.file}' | image_url }}}}"}
    assert text.as_written()["options"] == {"image": "{{ 'logo' | image_url }}"}


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("Hi\n{{ 'nothing' | image_url }}", "There is no image “nothing”, in line 2."),
        ("{{ 'theirs' | image_url }}", "There is no image “theirs”, in line 1."),
        ("{{ customer.picture | image_url }}", "image_url takes the key of an image in quotes, in line 1."),
        ("{{ 'a' | append: 'logo' | image_url }}", "image_url takes the key of an image in quotes, in line 1."),
        ("{% assign x = 'logo' | upcase | image_url %}", "image_url takes the key of an image in quotes, in line 1."),
    ],
)
def test_an_image_is_named_by_its_key_and_by_no_value(staff: Client, world: World, source: str, fault: str) -> None:
    kept(staff, world)
    theirs = kept(staff, world, key="theirs")
    theirs.brand = Brand.objects.create(key="other", name="Other")
    theirs.save()
    for part in ("subject", "text"):
        assert (part, fault) in faults(write(staff, world, {"text": "-", part: source}))
    assert latest(world) == world.version


def test_what_a_person_calls_a_file_shows_none(staff: Client, world: World) -> None:
    """Were a value to get there all the same, it is told no address."""
    words = Text("en", "", "<img src=\"{{ '../x' | image_url }}\">", "")
    with pytest.raises(Exception, match="image_url: no image") as raised:
        render([words], "en", "en", {}, Reader(NOW))
    assert not isinstance(raised.value, MissingFieldError)


# --- The pages of images --------------------------------------------------------------------------------------------


def delete(staff: Client, image: Image) -> int:
    return int(staff.post(reverse("admin:channels_image_delete", args=[image.pk]), {"post": "yes"}).status_code)


def test_it_goes_with_its_bytes_only_where_no_words_show_it(
    staff: Client, world: World, django_capture_on_commit_callbacks: Any
) -> None:
    used, unused = kept(staff, world), kept(staff, world, drawn(size=(9, 9)), key="other")
    written(staff, world, html="<img src=\"{{ 'logo' | image_url }}\">", text="-")
    written(staff, world, text="It shows nothing any more")
    assert delete(staff, used) == 403
    with django_capture_on_commit_callbacks(execute=True):
        assert delete(staff, unused) == 302
    assert [image.key for image in Image.objects.all()] == ["logo"]
    assert [file.name for file in StoredFile.objects.all()] == [used.file]


def test_lists_tell_what_is_shown_nowhere(staff: Client, world: World) -> None:
    used, unused = kept(staff, world), kept(staff, world, drawn(size=(9, 9)), key="other")
    written(staff, world, html="<img src=\"{{ 'logo' | image_url }}\">", text="-")
    page = reverse("admin:channels_image_changelist")
    found = {used_: list(staff.get(page, {"used": used_}).context["cl"].queryset) for used_ in ("yes", "no")}
    assert found == {"yes": [used], "no": [unused]}
    assert set(staff.get(page, {"q": "Acme"}).context["cl"].queryset) == {used, unused}
    assert f'src="/i/{used.file}"' in staff.get(page).content.decode()


def test_its_page_has_what_one_writes_to_show_it(staff: Client, world: World) -> None:
    image = kept(staff, world)
    page = staff.get(reverse("admin:channels_image_change", args=[image.pk])).content.decode()
    assert "{{ &#x27;logo&#x27; | image_url }}" in page or "{{ 'logo' | image_url }}" in page
    assert "The logo of Acme" in page
    text = written(staff, world, html="<img src=\"{{ 'logo' | image_url }}\">", text="-")
    page = staff.get(reverse("admin:channels_image_change", args=[image.pk])).content.decode()
    assert reverse("admin:channels_templateversion_change", args=[text.version_id]) in page


def test_whoever_writes_a_template_has_images_and_blocks_at_hand(staff: Client, world: World) -> None:
    image = kept(staff, world)
    footer, empty = block(world, "footer", text="Bye"), block(world, "push", channel="push", text="Bye")
    answer = staff.get(f"{reverse('admin:channels_templateversion_add')}?template={world.version.template_id}")
    assert list(answer.context["at_hand"]["blocks"]) == [footer]
    assert answer.context["at_hand"]["images"] == [image]
    assert "{{ event.total | money }}" in [one["source"] for one in answer.context["at_hand"]["sayings"]]
    assert empty.name not in answer.content.decode()
    assert staff.get(reverse("admin:channels_templateversion_add")).context["at_hand"] is None


def test_the_host_for_images_has_nothing_else(staff: Client, world: World, settings: Any) -> None:
    image = kept(staff, world)
    settings.TRILHA_ASSETS_URL = "https://images.acme.example"
    settings.ALLOWED_HOSTS = ["images.acme.example", "testserver"]
    there = Client(headers={"host": "images.acme.example"})
    assert there.get(f"/i/{image.file}").status_code == 200
    assert [there.get(path).status_code for path in ("/admin/", "/v1/track", "/healthz/live")] == [404, 404, 404]
    assert Client().get("/admin/login/").status_code == 200
