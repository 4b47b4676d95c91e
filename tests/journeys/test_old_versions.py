"""Events of an old version are read in the newest shape wherever a journey looks: at its entry, in its hold, by its
send guard and in rules, in Python and in SQL."""

from typing import Any

import pytest

from channels.dispatch import dispatch_due
from customers.models import EventType, InboxItem, SchemaVersion
from journeys.models import Run
from tests.journeys.segments import inside, make_segment
from tests.journeys.stage import Stage, make_stage, message, welcome

pytestmark = pytest.mark.django_db

BIG = {"leaf": "event_property", "name": "total", "op": "ge", "value": 100}
RENAMED = [{"op": "rename", "property": "cart", "to": "cart_id"}]


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage()


@pytest.fixture
def old(stage: Stage) -> dict[str, SchemaVersion]:
    """The first versions, which said `cart` and `sum`; since the second it is `cart_id` and `total`."""
    return {
        "cart.created": versions(stage, "cart.created", [*RENAMED, {"op": "rename", "property": "sum", "to": "total"}]),
        "order.completed": versions(stage, "order.completed", RENAMED),
    }


def versions(stage: Stage, name: str, upcast: list[dict[str, Any]]) -> SchemaVersion:
    kind = EventType.objects.create(brand=stage.brand, name=name)
    status = SchemaVersion.Status.APPROVED
    first = SchemaVersion.objects.create(event_type=kind, number=1, schema={"type": "object"}, status=status)
    SchemaVersion.objects.create(
        event_type=kind, number=2, schema={"type": "object"}, status=status, upcast=upcast, follows=first
    )
    return first


def accept(stage: Stage, old: dict[str, SchemaVersion], name: str, **properties: Any) -> None:
    """As the door accepts what a source tells by the first version."""
    id_ = stage.accept(name, properties=properties)
    InboxItem.objects.filter(message_id=id_).update(schema_version_id=old[name].pk)


def tell(stage: Stage, old: dict[str, SchemaVersion], name: str, **properties: Any) -> None:
    accept(stage, old, name, **properties)
    stage.run()


def cart() -> dict[str, Any]:
    """One run for each big cart, which waits a day for its order."""
    hold = welcome()["steps"][1] | {"branches": [{"event": "order.completed", "key": "cart_id", "next": "done"}]}
    return welcome(
        entry={"event": "cart.created", "key": "cart_id", "rule": BIG, "reentry": "always"},
        steps=[hold, message("remind", next="lost"), *welcome()["steps"][3:]],
    )


def entered(stage: Stage) -> set[str]:
    return {run.entry_key for run in stage.runs()}


def test_the_entry_reads_key_and_rule_in_the_newest_shape(stage: Stage, old: dict[str, SchemaVersion]) -> None:
    stage.publish(cart())
    stage.know()
    tell(stage, old, "cart.created", cart="a", sum=150)
    tell(stage, old, "cart.created", cart="b", sum=50)
    stage.happen("cart.created", properties={"cart_id": "c", "total": 150})
    # Without a version there is no shape to bring it into.
    stage.happen("cart.created", properties={"cart": "d", "sum": 150})
    assert entered(stage) == {"a", "c"}


def test_a_hold_is_resumed_by_the_order_of_its_cart(stage: Stage, old: dict[str, SchemaVersion]) -> None:
    stage.publish(cart())
    stage.know()
    tell(stage, old, "cart.created", cart="a", sum=150)
    tell(stage, old, "order.completed", cart="b")
    assert stage.steps_of(stage.the_run()) == ["hold"]
    tell(stage, old, "order.completed", cart="a")
    assert stage.steps_of(stage.the_run()) == ["hold", "done"]


@pytest.mark.parametrize(("ordered", "became"), [("a", ("cancelled", "acted")), ("b", ("sent", ""))])
def test_the_send_guard_knows_the_order_of_this_cart(
    stage: Stage, old: dict[str, SchemaVersion], ordered: str, became: tuple[str, str]
) -> None:
    stage.publish(cart())
    stage.know()
    tell(stage, old, "cart.created", cart="a", sum=150)
    stage.pass_time(days=1)
    accept(stage, old, "order.completed", cart=ordered)
    dispatch_due(stage.connector.pk, stage.now)
    assert stage.messages() == [became]


def test_rules_read_it_alike_in_sql_and_in_python(stage: Stage, old: dict[str, SchemaVersion]) -> None:
    where = {name: said for name, said in BIG.items() if name != "leaf"}
    counted = {"leaf": "event_count", "event": "cart.created", "op": "at_least", "times": 1, "where": [where]}
    stage.know("ana")
    stage.know("bia")
    tell(stage, old, "cart.created", cart="a", sum=150)
    # In SQL, over everybody; then in Python, by the split of a run.
    built = make_segment(stage, counted)
    split = {"type": "split", "id": "split", "state": "not_activated", "otherwise": "lost"}
    stage.publish(
        welcome(
            entry={"event": "cart.created", "reentry": "always"},
            steps=[split | {"branches": [{"rule": BIG, "next": "done"}]}, *welcome()["steps"][3:]],
        )
    )
    tell(stage, old, "cart.created", cart="b", sum=100)
    tell(stage, old, "cart.created", cart="c", sum=99)
    assert inside(built) == {"ana"}
    assert [stage.steps_of(run)[-1] for run in Run.objects.order_by("id")] == ["done", "lost"]
