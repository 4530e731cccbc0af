"""Names within a project, as parts of paths."""


def qualified(project: str, which: str) -> str:
    """What operations take: an id, or PROJECT/NAME."""
    return f"{project}/{which}" if project else which
