"""Client for DMS Connect: gets access tokens for a DMS program from the broker on this computer.

Python 3.8 or newer, standard library only. Written from docs/pipe-protocol.md; copy this one file into your program.

    with DmsConnect(load_credentials(path)) as broker:
        token = broker.token("mazda", "mmd10030.johndoe")
        requests.get(url, headers=token.headers)

Invariants: nothing but the greeting is sent before the broker has proved that it holds this program's key; no error
text holds a token, a key or a proof; every call ends, with a result or a DmsConnectError.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import struct
import sys
import threading
import time

__all__ = ["Credentials", "DmsConnect", "DmsConnectError", "Token", "find_pipe", "load_credentials", "store_credentials"]

PROTOCOL = 1
#: The broker may have to ask the provider first; the document asks for at least 60 seconds.
DEFAULT_TIMEOUT_SECONDS = 75.0
#: Two round trips on one computer; the broker itself gives up after 5 seconds.
HANDSHAKE_TIMEOUT_SECONDS = 10.0
#: How long a broker that went away in the middle of a request is looked for: an app that restarts needs a moment.
RESTART_SECONDS = 5.0
#: Lists of connections may be long; nothing the broker sends is longer.
MAX_LINE_BYTES = 8 * 1024 * 1024


class DmsConnectError(Exception):
    """Why a call failed. Act on `code`, show `message` and `remedy` to the person, log `detail`.

    Besides the broker's words `code` is one of this module's own: `broker_unreachable` (nobody listens, or the
    connection ended), `broker_not_genuine` (a stranger on the pipe, or this program was removed) and `timed_out`.
    """

    def __init__(self, code, message, remedy, detail=None, retryable=False, retry_after_seconds=None):
        super().__init__("%s %s [%s]" % (message, remedy, code))
        self.code = code
        self.detail = detail or code
        self.message = message
        self.remedy = remedy
        self.retryable = retryable
        self.retry_after_seconds = retry_after_seconds


class Credentials:
    """What pairing handed out. `client_key` is a secret: keep it in a file that only this user can read."""

    def __init__(self, client_id, client_key):
        self.client_id = client_id
        self.client_key = client_key

    def __repr__(self):
        return "<Credentials of %s>" % self.client_id


class Token:
    """A valid access token. Send all of `headers` with the API call, unchanged; keep it in memory only."""

    def __init__(self, result):
        self.access_token = _text(result, "accessToken")
        self.token_type = _text(result, "tokenType")
        self.token_id = _text(result, "tokenId")
        self.expires_at = _number(result, "expiresAt")
        self.expires_in_seconds = _number(result, "expiresInSeconds")
        headers = result.get("headers")
        if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
            raise _not_understood()
        self.headers = dict(headers)

    def __repr__(self):
        # A token in a traceback or a log is a leak.
        return "<Token %s, %d seconds left>" % (self.token_id, self.expires_in_seconds)


class DmsConnect:
    """The broker, for one program. Thread-safe: share one object; it keeps one session and opens it again when it ended.

    `credentials` come from `load_credentials` or `pair`; `pipe` overrides the search for the pipe;
    `timeout_seconds` bounds each answer.
    """

    def __init__(self, credentials=None, pipe=None, timeout_seconds=DEFAULT_TIMEOUT_SECONDS):
        self._credentials = credentials
        self._pipe = pipe
        self._timeout = timeout_seconds
        self._session = None
        self._opening = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self.close()

    def close(self):
        """Ends the session. Calls that wait end with `broker_unreachable`; a later call opens a new session."""
        with self._opening:
            session, self._session = self._session, None
        if session is not None:
            session.close()

    def pair(self, name, show_code, publisher=None, reason=None):
        """Asks the person to approve this program, and returns its Credentials: store them at once.

        `show_code(code, expires_in_seconds)` must show the six digits, which the person compares with DMS Connect's window.
        """
        session = _Session(self._pipe, self._timeout)
        try:
            asked = session.request("pairing.request", _given(name=name, publisher=publisher, reason=reason), self._timeout)
            seconds = _number(asked, "expiresInSeconds")
            show_code(_text(asked, "code"), seconds)
            decided = session.request("pairing.wait", {"pairingId": _text(asked, "pairingId")}, seconds + HANDSHAKE_TIMEOUT_SECONDS)
            credentials = Credentials(_text(decided, "clientId"), _text(decided, "clientKey"))
            _key_bytes(credentials)
        finally:
            session.close()
        with self._opening:
            self._credentials = credentials
        return credentials

    def token(self, provider, user, environment=None, organisation=None, min_validity_seconds=None):
        """A valid Token of this user. Cheap: ask before each API call."""
        params = _given(
            provider=provider,
            user=user,
            environment=environment,
            organisation=organisation,
            minValiditySeconds=min_validity_seconds,
        )
        return Token(self._call("token.get", params))

    def token_rejected(self, provider, user, token_id, environment=None, organisation=None):
        """Call it when the provider's API answered 401 (not 403), then repeat the API call once with the new Token."""
        params = _given(provider=provider, user=user, environment=environment, organisation=organisation, tokenId=token_id)
        return Token(self._call("token.rejected", params))

    def connections(self):
        """All connections this program may use, as dicts."""
        connections = self._call("connection.list", {}).get("connections")
        if not isinstance(connections, list):
            raise _not_understood()
        return connections

    def connection(self, provider, user, environment=None):
        """One connection, as a dict. Treat a `state` you do not know like Retrying: ask for a token."""
        return self._call("connection.get", _given(provider=provider, user=user, environment=environment))

    def connect_start(self, provider, user, environment=None, organisation=None):
        """Opens the provider's sign-in page in the user's browser. Only when the user has asked for it."""
        params = _given(provider=provider, user=user, environment=environment, organisation=organisation)
        # A second start opens the same page again, so it may be repeated.
        return self._call("connect.start", params).get("connection")

    def connect_cancel(self, provider, user, environment=None):
        """Ends a sign-in that waits."""
        self._call("connect.cancel", _given(provider=provider, user=user, environment=environment), repeatable=False)

    def revoke(self, provider, user, environment=None):
        """Ends the grant at the provider."""
        self._call("connection.revoke", _given(provider=provider, user=user, environment=environment), repeatable=False)

    def forget(self, provider, user, environment=None):
        """Deletes the tokens on this computer only; the grant at the provider stands."""
        self._call("connection.forget", _given(provider=provider, user=user, environment=environment), repeatable=False)

    def status(self):
        """Version, protocol, vault and registered providers, as a dict."""
        return self._call("broker.status", {})

    def subscribe(self, listener):
        """Returns the snapshot {"sequence", "connections"}; then `listener(params)` gets each event, on a thread of its own.

        When the session ends, `listener(None)` is called once: subscribe again then, and start from the new snapshot.
        """
        session = self._open_session()
        events = _EventQueue(listener)
        session.on_event = events.put
        snapshot = session.request("events.subscribe", {}, self._timeout)
        # Only now: an event in the same packet must not reach the program before its snapshot.
        events.start()
        return snapshot

    def _call(self, method, params, repeatable=True):
        session = self._open_session()
        try:
            return session.request(method, params, self._timeout)
        except _ConnectionEnded:
            if not repeatable:
                raise
        except DmsConnectError as error:
            # The program's access was changed, which ends its sessions: prove the key again and repeat.
            if error.detail != "session_not_authenticated" or not repeatable:
                raise
            session.close()
        return self._open_session(RESTART_SECONDS).request(method, params, self._timeout)

    def _open_session(self, patience_seconds=0.0):
        """The session, opened if there is none or it has ended. With patience, a broker that is not there is waited for."""
        with self._opening:
            if self._session is not None and self._session.is_open:
                return self._session
            if self._credentials is None:
                raise DmsConnectError("not_paired", "This program is not paired with DMS Connect.", "Pair it first.")
            self._session = None
            deadline = time.monotonic() + patience_seconds
            while True:
                try:
                    session = _Session(self._pipe, self._timeout)
                    break
                except DmsConnectError:
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(0.25)
            try:
                _prove(session, self._credentials)
            except BaseException:
                session.close()
                raise
            self._session = session
            return session


def _prove(session, credentials):
    """Both proofs. The broker's is checked before ours, or anything else, is sent."""
    client_nonce = _base64url(secrets.token_bytes(32))
    hello = {"protocol": PROTOCOL, "clientId": credentials.client_id, "nonce": client_nonce}
    try:
        greeting = session.request("session.hello", hello, HANDSHAKE_TIMEOUT_SECONDS)
    except (_ConnectionEnded, _TimedOut):
        raise
    except DmsConnectError as error:
        # Nothing is proved yet: keep the word, not the words of whoever sits there.
        raise _unproven(error) from None
    server_nonce, given = greeting.get("nonce"), greeting.get("proof")
    if not isinstance(server_nonce, str) or not isinstance(given, str):
        raise _not_genuine()
    expected = _proof(credentials, "dms-connect/1 broker", client_nonce, server_nonce)
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise _not_genuine()
    proof = _proof(credentials, "dms-connect/1 program", client_nonce, server_nonce)
    session.request("session.authenticate", {"proof": proof}, HANDSHAKE_TIMEOUT_SECONDS)


def _proof(credentials, label, client_nonce, server_nonce):
    text = "\n".join([label, credentials.client_id, client_nonce, server_nonce])
    return _base64url(hmac.new(_key_bytes(credentials), text.encode("utf-8", "replace"), hashlib.sha256).digest())


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _key_bytes(credentials):
    try:
        key = base64.b64decode(credentials.client_key + "=", altchars=b"-_", validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise DmsConnectError("not_paired", "The stored key is damaged.", "Pair the program again.")
    return key


class _ConnectionEnded(DmsConnectError):
    def __init__(self):
        super().__init__(
            "broker_unreachable",
            "DMS Connect is not running, or has ended the session.",
            "Start DMS Connect and try again. If its window is open, read what it says there.",
            retryable=True,
        )


class _TimedOut(DmsConnectError):
    def __init__(self):
        super().__init__("timed_out", "DMS Connect did not answer in time.", "Try again; if it stays so, restart DMS Connect.", retryable=True)


def _not_genuine():
    return DmsConnectError(
        "broker_not_genuine",
        "The program on the pipe could not prove that it is DMS Connect.",
        "If this program was removed in DMS Connect, pair it again. Otherwise do not go on, and call your administrator.",
    )


def _not_understood():
    return DmsConnectError("internal_error", "DMS Connect's answer could not be understood.", "Update this program or DMS Connect.")


def _unproven(error):
    return DmsConnectError(
        error.code,
        "The program on the pipe refused the greeting.",
        "Restart DMS Connect and try again.",
        detail=error.detail,
        retryable=error.retryable,
        retry_after_seconds=error.retry_after_seconds,
    )


def _refusal(error):
    """A DmsConnectError from a JSON-RPC `error`."""
    data = error.get("data") if isinstance(error, dict) else None
    data = data if isinstance(data, dict) else {}

    def text(name, fallback):
        value = data.get(name)
        # No control characters: these texts go to terminals and logs.
        return "".join(c if c.isprintable() else " " for c in value) if isinstance(value, str) and value else fallback

    code = text("code", "internal_error")
    seconds = data.get("retryAfterSeconds")
    return DmsConnectError(
        code,
        text("message", "DMS Connect refused the request."),
        text("remedy", "Look into DMS Connect's window."),
        detail=text("detail", code),
        retryable=data.get("retryable") is True,
        retry_after_seconds=seconds if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) else None,
    )


def _given(**params):
    """The parameters that have a value: the broker refuses null."""
    return {name: value for name, value in params.items() if value is not None}


def _text(result, name):
    value = result.get(name)
    if not isinstance(value, str) or not value:
        raise _not_understood()
    return value


def _number(result, name):
    value = result.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _not_understood()
    return value


class _Call:
    def __init__(self):
        self.done = threading.Event()
        self.message = None


class _Session:
    """One connection: requests from any thread, answers matched by id on a thread that only reads."""

    def __init__(self, pipe, timeout_seconds):
        self._transport = _connect(pipe or find_pipe(), timeout_seconds)
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._calls = {}
        self._last_id = 0
        self._heard_at = time.monotonic()
        self.is_open = True
        self.on_event = None
        threading.Thread(target=self._read, name="dms-connect", daemon=True).start()

    def request(self, method, params, timeout_seconds):
        call = _Call()
        with self._lock:
            if not self.is_open:
                raise _ConnectionEnded()
            self._last_id += 1
            call_id = self._last_id
            self._calls[call_id] = call
        sent_at = time.monotonic()
        line = json.dumps({"jsonrpc": "2.0", "id": call_id, "method": method, "params": params})
        try:
            with self._writing:
                self._transport.send(line.encode("ascii") + b"\n")
        except OSError:
            # It may have answered before it went away.
            if not call.done.wait(1):
                self.close()
        if not call.done.wait(timeout_seconds):
            with self._lock:
                self._calls.pop(call_id, None)
                silent = self._heard_at < sent_at
            if silent:
                # Not only this answer: nothing came at all. The next call gets a new connection.
                self.close()
            raise _TimedOut()
        if call.message is None:
            raise _ConnectionEnded()
        if "error" in call.message:
            raise _refusal(call.message["error"])
        result = call.message.get("result")
        if not isinstance(result, dict):
            raise _not_understood()
        return result

    def close(self):
        with self._lock:
            was_open, self.is_open = self.is_open, False
            calls, self._calls = list(self._calls.values()), {}
            on_event, self.on_event = self.on_event, None
        if was_open:
            self._transport.close()
        for call in calls:
            call.done.set()
        if on_event is not None:
            on_event(None)

    def _read(self):
        unfinished = bytearray()
        try:
            while True:
                data = self._transport.receive()
                if not data:
                    return
                searched = len(unfinished)
                unfinished += data
                end = unfinished.find(b"\n", searched)
                while end >= 0:
                    line = bytes(unfinished[:end])
                    del unfinished[: end + 1]
                    self._deliver(line)
                    end = unfinished.find(b"\n")
                if len(unfinished) > MAX_LINE_BYTES:
                    return
        except (OSError, ValueError, RecursionError):
            # Lost, or not JSON lines: then it is no broker. What was received must not appear anywhere.
            return
        finally:
            self.close()

    def _deliver(self, line):
        if not line.strip():
            return
        message = json.loads(line.decode("utf-8-sig"))
        if not isinstance(message, dict):
            return
        with self._lock:
            self._heard_at = time.monotonic()
            on_event = self.on_event
            call_id = message.get("id")
            # True == 1 in Python, but not in JSON.
            call = self._calls.pop(call_id, None) if type(call_id) is int and "method" not in message else None
        if call is not None:
            call.message = message
            call.done.set()
        elif message.get("method") == "event" and isinstance(message.get("params"), dict) and on_event is not None:
            on_event(message["params"])


class _EventQueue:
    """Hands events to a listener on a thread of its own: a slow listener must not stop answers from being read."""

    def __init__(self, listener):
        self._listener = listener
        self._events = []
        self._changed = threading.Condition()

    def put(self, params):
        with self._changed:
            self._events.append(params)
            self._changed.notify()

    def start(self):
        threading.Thread(target=self._run, name="dms-connect-events", daemon=True).start()

    def _run(self):
        params = {}
        while params is not None:
            with self._changed:
                while not self._events:
                    self._changed.wait()
                params = self._events.pop(0)
            self._listener(params)


def _connect(pipe, timeout_seconds):
    try:
        return _WindowsPipe(pipe, timeout_seconds) if sys.platform == "win32" else _UnixSocket(pipe, timeout_seconds)
    except OSError:
        raise _ConnectionEnded() from None


class _UnixSocket:
    def __init__(self, path, timeout_seconds):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # For writing only: a reader may wait as long as the session lasts.
            limit = struct.pack("ll", int(timeout_seconds) + 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self._socket.connect(path)
        except BaseException:
            self._socket.close()
            raise

    def send(self, data):
        self._socket.sendall(data)

    def receive(self):
        return self._socket.recv(65536)

    def close(self):
        try:
            # Wakes the reader, which close alone does not.
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()


class _WindowsPipe:
    """Overlapped I/O: on an ordinary handle a waiting read would make every write wait too."""

    def __init__(self, name, timeout_seconds):
        import _winapi

        self._api = _winapi
        self._timeout_ms = int(timeout_seconds * 1000)
        self._using = threading.Lock()
        self._closed = False
        self._reading = None
        # SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION: who squats on the name must not act as this user.
        flags = _winapi.FILE_FLAG_OVERLAPPED | 0x00100000 | 0x00010000
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                access = _winapi.GENERIC_READ | _winapi.GENERIC_WRITE
                self._handle = _winapi.CreateFile(name, access, 0, _winapi.NULL, _winapi.OPEN_EXISTING, flags, _winapi.NULL)
                return
            except OSError as error:
                if error.winerror != _winapi.ERROR_PIPE_BUSY or time.monotonic() >= deadline:
                    raise
            try:
                _winapi.WaitNamedPipe(name, 1000)
            except OSError as error:
                if error.winerror != _winapi.ERROR_SEM_TIMEOUT:
                    raise

    def send(self, data):
        # The lock keeps the handle open meanwhile: once closed, its number may belong to something else.
        with self._using:
            if self._closed:
                raise OSError("the pipe is closed")
            while data:
                operation, _error = self._api.WriteFile(self._handle, data, overlapped=True)
                if self._api.WaitForMultipleObjects([operation.event], False, self._timeout_ms) != self._api.WAIT_OBJECT_0:
                    operation.cancel()
                written, error = operation.GetOverlappedResult(True)
                if error:
                    raise OSError(error, "the pipe refused the write")
                data = data[written:]

    def receive(self):
        try:
            operation, _error = self._api.ReadFile(self._handle, 65536, overlapped=True)
            self._reading = operation
            if self._closed:
                operation.cancel()
            count, error = operation.GetOverlappedResult(True)
        except OSError:
            # The usual end: ERROR_BROKEN_PIPE.
            count, error = 0, self._api.ERROR_BROKEN_PIPE
        if not (self._closed or error):
            return bytes(operation.getbuffer())[:count]
        self._closed = True
        with self._using:
            self._api.CloseHandle(self._handle)
        return b""

    def close(self):
        # Only wakes the reader, who closes the handle.
        self._closed = True
        reading = self._reading
        if reading is not None:
            try:
                reading.cancel()
            except OSError:
                pass


def find_pipe():
    """The pipe's name: DMS_CONNECT_PIPE, else what the running app published in broker.json, else the default name."""
    chosen = os.environ.get("DMS_CONNECT_PIPE")
    if chosen:
        return chosen
    try:
        with open(os.path.join(_profile_folder(), "broker.json"), encoding="utf-8") as file:
            name = json.load(file)["name"]
        if isinstance(name, str) and name:
            return name
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return _default_pipe()


def _profile_folder():
    chosen = os.environ.get("DMS_CONNECT_PROFILE")
    if chosen:
        return chosen
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        return os.path.join(os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local"), "dms-connect")
    if sys.platform == "darwin":
        return os.path.join(home, "Library", "Application Support", "dms-connect")
    return os.path.join(_absolute(os.environ.get("XDG_CONFIG_HOME")) or os.path.join(home, ".config"), "dms-connect")


def _absolute(path):
    return path if path and os.path.isabs(path) else None


def _default_pipe():
    if sys.platform == "win32":
        identity, session_id = _windows_user()
        return r"\\.\pipe\dms-connect-%s-%d" % (hashlib.sha256(identity.encode("utf-8")).hexdigest()[:16], session_id)
    runtime_folder = _absolute(os.environ.get("XDG_RUNTIME_DIR"))
    if runtime_folder:
        return os.path.join(runtime_folder, "dms-connect", "broker.sock")
    temporary = os.environ.get("TMPDIR") or os.environ.get("TMP") or os.environ.get("TEMP") or "/tmp"
    return os.path.join(temporary, "dms-connect-%d" % os.getuid(), "broker.sock")


def _windows_user():
    """The user's SID (else domain\\user in lower case) and the number of the logon session."""
    import ctypes
    from ctypes import wintypes

    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)
    kernel32.GetCurrentProcess.restype = wintypes.HANDLE
    kernel32.LocalFree.argtypes = [ctypes.c_void_p]
    kernel32.CloseHandle.argtypes = [wintypes.HANDLE]
    advapi32.OpenProcessToken.argtypes = [wintypes.HANDLE, wintypes.DWORD, ctypes.POINTER(wintypes.HANDLE)]
    advapi32.GetTokenInformation.argtypes = [
        wintypes.HANDLE,
        ctypes.c_int,
        ctypes.c_void_p,
        wintypes.DWORD,
        ctypes.POINTER(wintypes.DWORD),
    ]
    advapi32.ConvertSidToStringSidW.argtypes = [ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)]
    session_id = wintypes.DWORD()
    kernel32.ProcessIdToSessionId(os.getpid(), ctypes.byref(session_id))

    identity = ("%s\\%s" % (os.environ.get("USERDOMAIN", "."), os.environ.get("USERNAME", ""))).lower()
    token = wintypes.HANDLE()
    if advapi32.OpenProcessToken(kernel32.GetCurrentProcess(), 0x0008, ctypes.byref(token)):  # TOKEN_QUERY
        buffer, length = ctypes.create_string_buffer(256), wintypes.DWORD()
        sid = ctypes.c_void_p()
        # TokenUser = 1; its structure begins with the pointer to the SID.
        if advapi32.GetTokenInformation(token, 1, buffer, len(buffer), ctypes.byref(length)):
            pointer = ctypes.cast(buffer, ctypes.POINTER(ctypes.c_void_p))[0]
            if advapi32.ConvertSidToStringSidW(pointer, ctypes.byref(sid)):
                identity = ctypes.wstring_at(sid.value)
                kernel32.LocalFree(sid)
        kernel32.CloseHandle(token)
    return identity, session_id.value


def load_credentials(path):
    """The Credentials in the file at `path`; None if there is none, or it cannot be read as one."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        client_id, client_key = content["clientId"], content["clientKey"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Credentials(client_id, client_key) if isinstance(client_id, str) and isinstance(client_key, str) else None


def store_credentials(path, credentials):
    """Replaces the file at `path`; it appears whole and for this user alone, or not at all.

    On Windows the folder's own permissions protect it: keep it under %LOCALAPPDATA%.
    """
    folder = os.path.dirname(os.path.abspath(path))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    temporary = "%s.%s" % (path, secrets.token_hex(8))
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"clientId": credentials.client_id, "clientKey": credentials.client_key}, file)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
