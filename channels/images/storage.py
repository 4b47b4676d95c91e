"""Files in the database: any number of web hosts serve them without a disk they share, and one backup has it all.

What is kept here is small, read seldom (browsers and what stands between keep it for a year) and never changed. Where
it is too much for a database, TRILHA_IMAGES_STORAGE names another of Django's storages, such as an S3 bucket's.
"""

from io import BytesIO
from typing import Any

from django.core.files.base import File
from django.core.files.storage import Storage
from django.db import IntegrityError, transaction
from django.db.models.functions import Length

from channels.models import StoredFile


class DatabaseStorage(Storage):
    def _open(self, name: str, mode: str = "rb") -> File:  # type: ignore[type-arg]  # not subscriptable at run time
        if mode != "rb":
            raise ValueError("what is stored is never changed")
        data = StoredFile.objects.filter(name=name).values_list("data", flat=True).first()
        if data is None:
            raise FileNotFoundError(name)
        return File(BytesIO(bytes(data)), name=name)

    def _save(self, name: str, content: Any) -> str:
        try:
            with transaction.atomic():
                StoredFile.objects.create(name=name, data=b"".join(content.chunks()))
        except IntegrityError:
            raise FileExistsError(name) from None
        return name

    def delete(self, name: str) -> None:
        StoredFile.objects.filter(name=name).delete()

    def exists(self, name: str) -> bool:
        return StoredFile.objects.filter(name=name).exists()

    def size(self, name: str) -> int:
        found = StoredFile.objects.filter(name=name).values_list(Length("data"), flat=True).first()
        if found is None:
            raise FileNotFoundError(name)
        return int(found)
