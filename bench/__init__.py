"""Benchmarks: each of our hot paths against what PostgreSQL itself, or the obvious design, could do."""
