"""Projects as the HTTP API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.values import Moment
from autokitteh_server.core.timestamps import format_time

Files = Annotated[dict[str, bytes], Meta(description="Contents in base64, by path relative to the project's directory")]


class Project(Struct, frozen=True, kw_only=True):
    """A named unit of deployment."""

    id: str
    name: str
    display_name: str
    store_url: str | None  # under which its published values are
    created_at: Moment

    @classmethod
    def of(cls, project: entities.Project, public_url: str) -> Self:
        return cls(
            id=project.id,
            name=project.name,
            display_name=project.display_name,
            store_url=None if project.store_slug is None else f"{public_url}/store/{project.store_slug}",
            created_at=format_time(project.created_at),
        )


class CreateProject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An empty project that is wanted."""

    name: str
    display_name: str = ""


class Exported(Struct, frozen=True, kw_only=True):
    """A project as files. Deploying them changes nothing."""

    files: Files
