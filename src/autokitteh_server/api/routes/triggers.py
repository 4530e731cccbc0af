"""Triggers."""

from typing import Any

from msgspec import UNSET

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.api.routes.naming import qualified
from autokitteh_server.core.api_types.connections import InProject, OfProject
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.triggers import ChangeTrigger, CreateTrigger, Trigger
from autokitteh_server.core.api_types.values import Page
from autokitteh_server.core.entities import Trigger as Entity
from autokitteh_server.operations import triggers
from autokitteh_server.operations.trigger_fields import TriggerFields


def list_(ctx: Context, *, query: OfProject) -> Page[Trigger]:
    """Triggers, by project and name."""
    found = triggers.list_all(ctx.services, query.project)
    return cut_page(
        query, found, place=lambda each: f"{each.project_id} {each.name}", show=lambda each: _shown(ctx, each)
    )


def create(ctx: Context, *, body: CreateTrigger) -> Trigger:
    """Make a trigger by hand: no manifest removes it."""
    fields = TriggerFields(
        type=body.type,
        call=body.call,
        event_type=body.event_type,
        filter=body.filter,
        connection=body.connection,
        schedule=body.schedule,
        timezone=body.timezone,
        is_durable=body.is_durable,
        is_sync=body.is_sync,
        allow_overlap=body.allow_overlap,
    )
    return _shown(ctx, triggers.create(ctx.services, body.project, body.name, fields))


def get(ctx: Context, *, trigger: str, query: InProject) -> Trigger:
    """A trigger by its id, or by its name in a project."""
    return _shown(ctx, triggers.get(ctx.services, qualified(query.project, trigger)))


def update(ctx: Context, *, trigger: str, query: InProject, body: ChangeTrigger) -> Trigger:
    """Change a trigger. What its manifest says of it comes back with the next deployment."""
    given = {name: getattr(body, name) for name in body.__struct_fields__}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not UNSET}
    return _shown(ctx, triggers.update(ctx.services, qualified(query.project, trigger), changes))


def delete(ctx: Context, *, trigger: str, query: InProject) -> None:
    """Delete a trigger. Its events and sessions stay."""
    triggers.delete(ctx.services, qualified(query.project, trigger))


def pause(ctx: Context, *, trigger: str, query: InProject) -> Trigger:
    """Have a trigger start nothing until it is resumed."""
    return _shown(ctx, triggers.pause(ctx.services, qualified(query.project, trigger)))


def resume(ctx: Context, *, trigger: str, query: InProject) -> Trigger:
    """End a pause. A schedule's next tick is the first one after now."""
    return _shown(ctx, triggers.resume(ctx.services, qualified(query.project, trigger)))


def _shown(ctx: Context, trigger: Entity) -> Trigger:
    return Trigger.of(trigger, ctx.surface.public_url)


ROUTES = (
    Route("GET", "/triggers", Scope.READ, list_, "List triggers"),
    Route("POST", "/triggers", Scope.WRITE, create, "Make a trigger", status=201),
    Route("GET", "/triggers/{trigger}", Scope.READ, get, "Get a trigger"),
    Route("PATCH", "/triggers/{trigger}", Scope.WRITE, update, "Change a trigger"),
    Route("DELETE", "/triggers/{trigger}", Scope.WRITE, delete, "Delete a trigger"),
    Route("POST", "/triggers/{trigger}/pause", Scope.WRITE, pause, "Pause a trigger"),
    Route("POST", "/triggers/{trigger}/resume", Scope.WRITE, resume, "Resume a trigger"),
)
