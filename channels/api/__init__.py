"""The partner API of the act layer."""
