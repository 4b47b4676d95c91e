"""`segment.million`: a segment built over everybody by its job, against one statement that writes the same rows."""

import time

from bench.segments.by_hand import BUILD
from bench.segments.world import SILENCE, WINDOW, World


class Million:
    def __init__(self, world: World) -> None:
        self.world = world
        self.rows: tuple[str, str] | None = None

    def by_job(self) -> float:
        self.world.forget_members()
        began = time.perf_counter()
        self.world.build()
        return self._checked(time.perf_counter() - began)

    def by_hand(self) -> float:
        world = self.world
        world.forget_members()
        values = {
            "brand": world.brand.pk, "segment": world.segment.pk, "now": world.now, "since": world.now - WINDOW,
            "silent": world.now - SILENCE,
        }  # fmt: skip
        began = time.perf_counter()
        with world.connection.transaction():
            world.connection.execute("SET LOCAL work_mem = '256MB'")
            world.connection.execute(BUILD.encode(), values)
        return self._checked(time.perf_counter() - began)

    def _checked(self, seconds: float) -> float:
        found = self.world.rows()
        self.rows = self.rows or found
        if found != self.rows:
            raise RuntimeError(f"expected {self.rows}, found {found}")
        return self.world.customers / seconds
