"""Checks what needs no broker: the document's test vectors, and the search for the pipe. Run: python3 self_check.py"""

import os
import sys
import tempfile
from unittest import mock

import dms_connect
from dms_connect import Credentials, Token, find_pipe, load_credentials, store_credentials

CREDENTIALS = Credentials("example-client", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
NONCES = ("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8", "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8")


def check_proofs():
    broker = dms_connect._proof(CREDENTIALS, "dms-connect/1 broker", *NONCES)
    program = dms_connect._proof(CREDENTIALS, "dms-connect/1 program", *NONCES)
    assert broker == "DTveaRRYR3kR1ISJ0ROfVLOjcjPCK7GSuGO45Byuhlg", broker
    assert program == "f-NGBjus9G4LQZ-Dr-N-ACguBslPl_i-eMBQXZSsNak", program


def check_pipe_name(folder):
    with mock.patch.dict(os.environ, {"DMS_CONNECT_PIPE": "", "DMS_CONNECT_PROFILE": folder, "XDG_RUNTIME_DIR": folder}):
        if sys.platform != "win32":
            assert find_pipe() == os.path.join(folder, "dms-connect", "broker.sock"), find_pipe()
        with open(os.path.join(folder, "broker.json"), "w", encoding="utf-8") as file:
            file.write('{"name": "published", "protocol": 1, "processId": 4711}')
        assert find_pipe() == "published", find_pipe()
    with mock.patch.dict(os.environ, {"DMS_CONNECT_PIPE": "chosen"}):
        assert find_pipe() == "chosen", find_pipe()


def check_credentials_file(folder):
    path = os.path.join(folder, "new", "credentials.json")
    assert load_credentials(path) is None
    store_credentials(path, Credentials("old", "old"))
    store_credentials(path, CREDENTIALS)
    stored = load_credentials(path)
    assert (stored.client_id, stored.client_key) == (CREDENTIALS.client_id, CREDENTIALS.client_key)
    assert os.listdir(os.path.dirname(path)) == ["credentials.json"]
    assert sys.platform == "win32" or os.stat(path).st_mode & 0o077 == 0


def check_no_secret_is_shown():
    headers = {"Authorization": "Bearer secret"}
    fields = {"accessToken": "secret", "tokenType": "Bearer", "tokenId": "t-1", "expiresAt": 1, "expiresInSeconds": 1}
    shown = repr(Token(dict(fields, headers=headers))) + repr(CREDENTIALS)
    assert "secret" not in shown and CREDENTIALS.client_key not in shown, shown


if __name__ == "__main__":
    check_proofs()
    with tempfile.TemporaryDirectory() as temporary:
        check_pipe_name(temporary)
    with tempfile.TemporaryDirectory() as temporary:
        check_credentials_file(temporary)
    check_no_secret_is_shown()
    print("self-check: ok")
