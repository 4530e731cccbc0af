"""A project as it is, in the words of manifests, so that the two can be compared."""

from dataclasses import dataclass

from autokitteh_server.core.manifest import Connection, Manifest, Trigger, Var, Version


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentVar:
    """A var that is there."""

    var: Var  # with its value, opened; None: it is secret, and its key is not here
    is_declared: bool  # a manifest declared it, and may remove it


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentConnection:
    """A connection that is there."""

    name: str
    integration: str
    is_declared: bool
    vars: tuple[PresentVar, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentTrigger:
    """A trigger that is there."""

    trigger: Trigger
    is_declared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectState:
    """All that a manifest can speak of. Names are unique in each tuple."""

    name: str
    exists: bool = True
    display_name: str = ""
    vars: tuple[PresentVar, ...] = ()
    connections: tuple[PresentConnection, ...] = ()
    triggers: tuple[PresentTrigger, ...] = ()


def manifest_of(state: ProjectState) -> Manifest:
    """The manifest that asks for what is there: planning it gives nothing to do.

    Values of secret vars are left out, and so are vars of connections that no manifest declared: credentials are not
    for files.
    """
    return Manifest(
        version=Version.V2,
        name=state.name,
        display_name=state.display_name,
        vars=tuple(_without_secret(present.var) for present in state.vars),
        connections=tuple(
            Connection(
                name=present.name,
                integration=present.integration,
                vars=tuple(_without_secret(each.var) for each in present.vars if each.is_declared),
            )
            for present in state.connections
        ),
        triggers=tuple(present.trigger for present in state.triggers),
    )


def _without_secret(var: Var) -> Var:
    return Var(name=var.name, secret=True, description=var.description) if var.secret else var
