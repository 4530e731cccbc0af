"""`ak secrets`: what the keys are, and their change, as people see it."""

import base64
import json

from ak_process import Ak
from cli.test_up import PROGRAM, up


def test_the_key_is_changed(ak: Ak) -> None:
    """While the server runs; backups are spoken of, the file has the new key, and the secrets are as they were."""
    ak.write(program=PROGRAM)
    environ = {"AK_DATA_DIR": "data"}
    with up(ak):
        assert ak("deploy", "program.py", "--name", "demo", environ=environ).code == 0
        assert ak("var", "set", "demo", "TOKEN", "s3cret value", "--secret", environ=environ).code == 0
        (before,) = ak("secrets", "status", "-j", environ=environ).objects
        done = ak("secrets", "rotate", environ=environ)
        again = ak("secrets", "rotate", "--keep-old-keys", "-j", environ=environ)
        shown = ak("var", "get", "demo", "TOKEN", "--reveal", environ=environ)
        status = ak("secrets", "status", environ=environ)

    old = before["keys"][0]["key_id"]
    assert done.code == 0 and done.lines[0].startswith("1 secret encrypted anew with the new key ")
    assert done.lines[1] == f"Taken out of it: key {old}"
    assert f"Backups made before need key {old}" in done.err
    (object,) = again.objects
    assert (object["resealed"], object["removed"], again.err) == (1, [], "")
    assert shown.out == "s3cret value\n"
    assert [line.split()[1:] for line in status.lines[:3]] == [["SECRETS", "USE"], ["1", "encrypts"], ["0", "decrypts"]]
    assert status.lines[3] == f"The keys are in {ak.folder / 'data' / 'secret-key'}."


def test_a_given_key_is_not_the_server_s_to_change(ak: Ak) -> None:
    """It says which are needed no more; there is no file to be made."""
    ak.write(program=PROGRAM)
    old, new = (base64.urlsafe_b64encode(letter * 32).decode() for letter in (b"o", b"n"))
    environ = {"AK_DATA_DIR": "data", "AK_SECRET_KEY": old}
    ak.environ["AK_SECRET_KEY"] = old
    with up(ak):
        assert ak("deploy", "program.py", "--name", "demo", environ=environ).code == 0
        assert ak("var", "set", "demo", "TOKEN", "s3cret value", "--secret", environ=environ).code == 0
    ak.environ["AK_SECRET_KEY"] = f"{new},{old}"
    with up(ak):
        done = ak("secrets", "rotate", environ={"AK_DATA_DIR": "data"})
    refused = ak("secrets", "new-key", environ={"AK_DATA_DIR": "data"})

    assert done.code == 0 and ", in AK_SECRET_KEY" in done.lines[0] and "the new key" not in done.lines[0]
    assert done.lines[1].startswith("No longer needed there: key ")
    assert refused.code == 42 and "given as a setting" in refused.err
    assert not (ak.folder / "data" / "secret-key").exists()


def test_a_key_that_is_none_is_refused_at_once(ak: Ak) -> None:
    """By `ak config set`, which does not show it, and by whatever reads it, which says where it stands."""
    refused = ak("config", "set", "secret_key", "hunter2-hunter2")
    assert refused.code == 40 and "secret_key: key 1 has 11 bytes, not 32" in refused.err
    assert "hunter2" not in refused.err

    started = ak("up", "--data-dir", "data", environ={"AK_SECRET_KEY": "hunter2-hunter2"})
    assert started.code == 40 and "AK_SECRET_KEY: key 1 has 11 bytes" in started.err and "hunter2" not in started.err

    (ak.folder / "keys").write_text(json.dumps({}))
    named = ak("up", "--data-dir", "data", environ={"AK_SECRET_KEY_FILE": str(ak.folder / "keys")})
    assert named.code == 40 and f"AK_SECRET_KEY_FILE={ak.folder / 'keys'}: key 1 is not base64url" in named.err
