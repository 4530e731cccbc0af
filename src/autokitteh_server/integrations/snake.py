"""Names of services' fields as code reads them: `htmlLink` is `html_link`."""

import re
from typing import Final

#: Where a word begins: after a small letter or digit a capital; before a number; before the last capital of an acronym
#: that a word follows. An acronym's plural is one word ("IDs"): earlier systems made `i_ds` of it.
_PLURAL: Final = re.compile(r"([A-Z]{2,})s(?![a-z])")
_BORDERS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Za-z])(?=[0-9])|(?<=[A-Z])(?=[A-Z][a-z])")
_MAX_LENGTH: Final = 1000


def snake(name: str) -> str:
    """A name in lower case, with `_` between its words. A name that is so already is left as it is."""
    if name.islower() and not re.search(r"[a-z][0-9]", name):
        return name
    if len(name) > _MAX_LENGTH:  # no field's; whoever sends it waits for nothing
        return name
    plain = _PLURAL.sub(lambda found: found[1].capitalize() + "s", name)
    return re.sub("_{2,}", "_", _BORDERS.sub("_", plain)).lower()
