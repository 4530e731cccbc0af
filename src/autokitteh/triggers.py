"""What a project's triggers offer to its code."""

import os

from autokitteh._names import check_name


def get_webhook_url(trigger_name: str) -> str:
    """The public URL of a webhook trigger of this project, as the environment has it (`<trigger>__webhook_url`).

    Raises TypeError if the name is no string, ValueError if it is empty or no webhook trigger has it.

    Mode: durable and non-durable.
    """
    url = os.environ.get(f"{check_name(trigger_name, 'the name of a trigger')}__webhook_url", "")
    if not url:
        raise ValueError(f"no webhook URL for trigger {trigger_name!r}; is there a webhook trigger of this name?")
    return url
