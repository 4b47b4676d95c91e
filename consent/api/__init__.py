"""The partner API of consent."""
