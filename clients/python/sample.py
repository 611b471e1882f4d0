#!/usr/bin/env python3
"""A small DMS program: pairs, and gets tokens. It speaks the commands of clients/conformance.md.

    python3 sample.py pair NAME                 shows the code, waits for approval, stores the credentials
    python3 sample.py token PROVIDER USER       prints an access token, and nothing else
    python3 sample.py rejected PROVIDER USER    reports that token as refused by the API, prints the new one
    python3 sample.py session                   reads "PROVIDER USER" lines, prints "USER ok TOKEN" or "USER error WORD"
    python3 sample.py watch                     prints "USER STATE" for each connection and each change, until DMS Connect ends

The credentials are kept in the file DMS_CONNECT_CREDENTIALS, else below the user's configuration folder.
A real program does not print tokens: it sends token.headers with its API call.
"""

import os
import sys
import threading

from dms_connect import DEFAULT_TIMEOUT_SECONDS, DmsConnect, DmsConnectError, load_credentials, store_credentials


def main(arguments):
    command, *words = arguments or [""]
    if (command, len(words)) not in {("pair", 1), ("token", 2), ("rejected", 2), ("session", 0), ("watch", 0)}:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        if command == "pair":
            return pair(words[0])
        with open_broker() as broker:
            if command == "session":
                return serve(broker)
            if command == "watch":
                return watch(broker)
            token = broker.token(*words)
            if command == "rejected":
                token = broker.token_rejected(*words, token_id=token.token_id)
            print(token.access_token)
            return 0
    except DmsConnectError as error:
        return report(error)


def pair(name):
    broker = open_broker()
    credentials = broker.pair(name, show_code, reason="Sample program")
    store_credentials(credentials_file(), credentials)
    print("Paired.", file=sys.stderr)
    return 0


def show_code(code, seconds):
    print("Code: %s. Compare it with DMS Connect's window and approve within %d seconds." % (code, seconds), file=sys.stderr, flush=True)


def serve(broker):
    """Answers each line on a thread of its own: a user whose token takes long holds up nobody."""
    printing = threading.Lock()

    def answer(provider, user):
        try:
            outcome = "ok " + broker.token(provider, user).access_token
        except DmsConnectError as error:
            report(error)
            outcome = "error " + error.code
        with printing:
            print(user, outcome, flush=True)

    threads = []
    for line in iter(sys.stdin.readline, ""):
        provider, user = line.split()
        thread = threading.Thread(target=answer, args=(provider, user))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return 0


def watch(broker):
    ended = threading.Event()

    def changed(event):
        if event is None:
            ended.set()
        elif event.get("type") == "connection.changed":
            show(event["connection"])

    def show(connection):
        print(connection["user"], connection["state"], flush=True)

    for connection in broker.subscribe(changed)["connections"]:
        show(connection)
    ended.wait()
    return 0


def open_broker():
    timeout = float(os.environ.get("DMS_CONNECT_TIMEOUT_SECONDS", DEFAULT_TIMEOUT_SECONDS))
    return DmsConnect(load_credentials(credentials_file()), timeout_seconds=timeout)


def credentials_file():
    if sys.platform == "win32":
        folder = os.environ["LOCALAPPDATA"]
    else:
        folder = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return os.environ.get("DMS_CONNECT_CREDENTIALS") or os.path.join(folder, "dms-connect-sample", "credentials.json")


def report(error):
    print("sample: %s" % error, file=sys.stderr)
    if error.retry_after_seconds is not None:
        print("Try again in %s seconds." % error.retry_after_seconds, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stderr.reconfigure(encoding="utf-8")
    sys.exit(main(sys.argv[1:]))
