"""The partner API of journeys."""
