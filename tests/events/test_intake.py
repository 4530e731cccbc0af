"""What comes in is dispatched, whatever becomes of those who sent it."""

from pathlib import Path

from autokitteh_server.core.entities import Trigger
from autokitteh_server.dispatch.incoming import Incoming
from served import Served, serving


def incoming(served: Served, trigger: Trigger) -> Incoming:
    """A request to a webhook."""
    return Incoming(
        event_id=served.services.new_id("evt"),
        source_id=trigger.id,
        event_type="post",
        data={},
        received_at=served.services.clock.now_us(),
    )


def test_a_sender_that_gives_up_is_no_trouble_to_others(tmp_path: Path) -> None:
    """Requests are cancelled when the network ends: theirs are dispatched all the same, and those after them."""
    with serving(tmp_path) as served:
        found = served.deploy("def main(event):\n    pass\n", served.webhook())
        futures = [served.app.intake.submit(incoming(served, found["webhook"])) for _ in range(3)]
        for future in futures[:2]:
            future.cancel()
        assert futures[2].result(30).starts
        assert len(served.wait_all(3)) == 3
