"""Taking in a file without it ever touching a disk: what is uploaded here holds patients' details."""

from io import BytesIO
from typing import Any, Final

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of one file: some ten thousand rows, of which a thousand are taken at a time."""

_TOO_LARGE: Final = "reminders.upload_too_large"


class InMemoryUploads(FileUploadHandler):
    """Keeps a file in memory up to `LARGEST` bytes, and drops a larger one while it comes in."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        self._held = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Keep a piece of it. Raises SkipFile where it grows too large."""
        if start + len(raw_data) > LARGEST:
            self._held = BytesIO()
            if self.request is not None:
                self.request.META[_TOO_LARGE] = True
            raise SkipFile
        self._held.write(raw_data)
        return None

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """Return the whole file."""
        self._held.seek(0)
        return InMemoryUploadedFile(
            file=self._held,
            field_name=self.field_name,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )


def was_too_large(request: HttpRequest) -> bool:
    """Tell whether a file of this request was dropped for its size. Asked after its form was read."""
    return bool(request.META.get(_TOO_LARGE))
