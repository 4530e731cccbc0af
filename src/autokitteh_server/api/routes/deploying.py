"""Deploying, and manifests."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.route import LARGE, Route
from autokitteh_server.core.api_types.builds import (
    Applied,
    Deploy,
    Deployed,
    Deployment,
    Finding,
    Lint,
    Linted,
    ManifestText,
    Plan,
)
from autokitteh_server.core.api_types.projects import Project
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.triggers import Trigger
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.operations import deploying, linting, manifests
from autokitteh_server.operations.sources import source_of


def deploy(ctx: Context, *, body: Deploy) -> Deployed:
    """Make a project live: apply its manifest, build its files, activate the build. All of it, or nothing."""
    done = deploying.deploy(ctx.services, source_of(body.files, body.name), name=body.name)
    public_url = ctx.surface.public_url
    return Deployed(
        project=Project.of(done.project, public_url),
        build_id=done.build.id,
        deployment=Deployment.of(done.deployment),
        is_new=done.is_new,
        lines=list(done.lines),
        webhooks=[Trigger.of(webhook, public_url) for webhook in done.webhooks],
    )


def lint(ctx: Context, *, body: Lint) -> Linted:
    """Look at a project's files: what in them cannot work, and what is hardly meant. Nothing is kept of them."""
    found = linting.lint(source_of(body.files, body.name))
    return Linted(findings=list(map(Finding.of, found)))


def plan(ctx: Context, *, body: ManifestText) -> Plan:
    """What applying a manifest would do."""
    found = manifests.plan_manifest(ctx.services, parse_manifest(body.text.encode(), body.file), name=body.name)
    return Plan(project=found.project, is_empty=found.is_empty, lines=list(found.lines))


def apply(ctx: Context, *, body: ManifestText) -> Applied:
    """Make a project what a manifest says, wholly or not at all. Whether there is code for it is not checked."""
    done = manifests.apply_manifest(ctx.services, parse_manifest(body.text.encode(), body.file), name=body.name)
    public_url = ctx.surface.public_url
    return Applied(
        project=Project.of(done.project, public_url),
        lines=list(done.plan.lines),
        webhooks=[Trigger.of(webhook, public_url) for webhook in done.webhooks],
    )


ROUTES = (
    Route("POST", "/deploy", Scope.WRITE, deploy, "Deploy a project", body_bytes=LARGE),
    Route("POST", "/lint", Scope.READ, lint, "Look at a project's code", body_bytes=LARGE),
    Route("POST", "/manifest/plan", Scope.READ, plan, "Plan a manifest"),
    Route("POST", "/manifest/apply", Scope.WRITE, apply, "Apply a manifest"),
)
