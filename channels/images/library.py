"""Images taken into the library, read, and taken out again where nothing shows them."""

import secrets
from datetime import datetime
from hashlib import sha256

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import transaction

from channels.images.looking import Looked
from channels.models import Image


def storage() -> Storage:
    return storages["images"]


def take_in(image: Image, looked: Looked, *, by_id: int | None, now: datetime) -> None:
    """Keep the bytes and say of them what there is to say; the row is the caller's to save."""
    image.file = storage().save(f"{secrets.token_hex(16)}.{looked.kind.value}", ContentFile(looked.data))
    image.kind, image.digest = looked.kind, sha256(looked.data).hexdigest()
    image.width, image.height, image.size = looked.width, looked.height, len(looked.data)
    image.uploaded_at, image.uploaded_by_id = now, by_id


def read(image: Image) -> bytes:
    with storage().open(image.file) as file:
        data: bytes = file.read()
    return data


def take_out(image: Image) -> None:
    """Raises ProtectedError where words show it."""
    file = image.file
    image.delete()
    # Only once nobody can name it any more; bytes that stay behind by a crash are nobody's and show nowhere.
    transaction.on_commit(lambda: storage().delete(file))
