"""Manifests: compared with the project as it is, and made true."""

from dataclasses import dataclass, replace

from autokitteh_server.core.entities import Project, Trigger
from autokitteh_server.core.manifest import Manifest, TriggerType
from autokitteh_server.core.plan import Plan, make_plan
from autokitteh_server.operations.applying import apply_plan, load_state, take_project
from autokitteh_server.operations.checks import check_name
from autokitteh_server.operations.services import Services
from autokitteh_server.storage import triggers
from autokitteh_server.storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What came of applying a manifest."""

    project: Project
    plan: Plan  # what was done; its lines are for people
    webhooks: tuple[Trigger, ...]  # all that the project has now, with their slugs


def plan_manifest(services: Services, manifest: Manifest, *, name: str = "") -> Plan:
    """What applying a manifest would do. `name`: of the project, in place of the manifest's.

    Raises InvalidArgument for the name, and FailedPrecondition where the project as it is stands against it.
    """
    wanted = named(manifest, name)
    return services.database.read(lambda conn: make_plan(wanted, load_state(conn, wanted.name, services.box)))


def apply_manifest(services: Services, manifest: Manifest, *, name: str = "") -> Applied:
    """Make a project what its manifest says, wholly or not at all. Raises what `plan_manifest` raises.

    Not checked: whether there is code for what the triggers call. `deploy` does that.
    """
    wanted = named(manifest, name)
    now = services.clock.now_us()
    applied = services.database.write(lambda conn: apply_in(conn, services, wanted, now=now))
    services.schedules_changed()
    services.feeds_changed()
    return applied


def apply_in(conn: Connection, services: Services, manifest: Manifest, *, now: int) -> Applied:
    """Apply a manifest in a transaction. Whoever calls says afterwards that schedules have changed."""
    taken, state = take_project(conn, services, manifest.name, now=now)
    plan = make_plan(manifest, state)
    project = apply_plan(conn, services, plan, taken, now=now)
    webhooks = tuple(each for each in triggers.list(conn, project.id) if each.type is TriggerType.WEBHOOK)
    return Applied(project=project, plan=plan, webhooks=webhooks)


def named(manifest: Manifest, name: str) -> Manifest:
    """A manifest for a project of another name; "" for its own. Raises InvalidArgument."""
    if not name:
        return manifest
    check_name("project", name)
    return replace(manifest, name=name)
