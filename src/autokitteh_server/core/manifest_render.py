"""Manifest to text."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from autokitteh_server.core.manifest import Connection, Limits, Manifest, Trigger, TriggerType, Var, Version
from autokitteh_server.core.manifest_schema import COUNTS, SIZES
from autokitteh_server.core.sizes import size_text

_ODD_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """Puts double quotes around what PyYAML would otherwise not read back: it writes NEL and such as line breaks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if _ODD_BREAKS.search(text) else None)


_Dumper.add_representer(str, _represent_text)


def render_manifest(manifest: Manifest) -> str:
    """The manifest as YAML, without what is the default anyway. `parse_manifest` makes an equal one of it."""
    document = {"version": str(manifest.version), "project": _project(manifest)}
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _project(manifest: Manifest) -> dict[str, Any]:
    return _filled(
        name=manifest.name,
        display_name=manifest.display_name,
        limits=_limits(manifest.limits),
        vars=_vars(manifest.vars),
        connections=[_connection(each) for each in manifest.connections],
        triggers=[_trigger(each, manifest.version) for each in manifest.triggers],
    )


def _limits(limits: Limits) -> dict[str, Any]:
    given = limits.given()
    sizes = {name: size_text(given[of]) for name, of in SIZES.items() if of in given}
    return sizes | {name: given[of] for name, of in COUNTS.items() if of in given}


def _vars(variables: Iterable[Var]) -> list[dict[str, Any]]:
    return [_var(each) for each in variables]


def _var(var: Var) -> dict[str, Any]:
    value = {} if var.value is None else {"value": var.value}  # an empty one is a value, too
    return {"name": var.name, **value, **_filled(secret=var.secret, description=var.description)}


def _connection(connection: Connection) -> dict[str, Any]:
    return _filled(name=connection.name, integration=connection.integration, vars=_vars(connection.vars))


def _trigger(trigger: Trigger, version: Version) -> dict[str, Any]:
    fields = _filled(
        name=trigger.name,
        type=str(trigger.type),
        schedule=trigger.schedule,
        timezone=trigger.timezone,
        connection=trigger.connection,
        event_type=trigger.event_type,
        filter=trigger.filter,
        call=str(trigger.call or ""),
        is_sync=trigger.is_sync,
        allow_overlap=trigger.allow_overlap,
    )
    if trigger.is_durable is not version.durable_by_default:
        fields["is_durable"] = trigger.is_durable
    if version is Version.V1:
        del fields["type"]  # the older spelling: the source itself says which type it is
        if trigger.type is TriggerType.WEBHOOK:
            fields["webhook"] = {}
    return fields


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}
