"""The partner API of what came of it all."""
