"""`python -m bench [--only engine,ingest.accept]`: measure, print a table, write bench/results.json.

BENCH_ROUNDS (5) and BENCH_SCALE (1) make it quicker; figures to quote come from the defaults.
"""

import argparse
import os
import sys

from bench import report
from bench.database import connect, own_database, prepare, server
from bench.groups import NAMES, chosen, measure
from bench.measure import Size
from config import embedded


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help=f"groups or names, comma-separated: {', '.join(NAMES)}")
    wanted = chosen(parser.parse_args(arguments).only)
    if not wanted:
        parser.error(f"--only names nothing of {', '.join(NAMES)}")
    size = Size(int(os.environ.get("BENCH_ROUNDS", "5")), float(os.environ.get("BENCH_SCALE", "1")))
    with embedded.running() as servers:
        os.environ.update(servers)
        with own_database(os.environ["DATABASE_URL"]) as url:
            prepare(url)
            with connect() as connection:
                where = f"{server(connection)}; {os.cpu_count()} processors"
            results = measure(wanted, size)
    print(f"\n{where}; median of {size.rounds}, sides in turns\n{report.table(results)}")
    report.write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
