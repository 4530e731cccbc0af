"""The same steps in DBOS Transact: `python -m bench.peer_dbos URL WORKFLOWS STEPS` prints steps a second."""

import logging
import sys
import time

from dbos import DBOS


@DBOS.step()
def step(number: int) -> dict[str, object]:
    return {"number": number, "text": "x" * 200}


@DBOS.workflow()
def workflow(steps: int) -> None:
    for number in range(steps):
        step(number)


def main(url: str, workflows: int, steps: int) -> None:
    """Run so many workflows at once, and print how many steps a second they made together."""
    DBOS(config={"name": "bench", "system_database_url": url, "run_admin_server": False})
    DBOS.launch()
    logging.disable(logging.INFO)
    DBOS.start_workflow(workflow, 2).get_result()
    began = time.perf_counter()
    handles = [DBOS.start_workflow(workflow, steps) for _ in range(workflows)]
    for handle in handles:
        handle.get_result()
    print(f"steps/s {workflows * steps / (time.perf_counter() - began):.1f}", flush=True)
    DBOS.destroy()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
