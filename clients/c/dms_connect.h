/*
 * Client library for DMS Connect: access tokens over the local pipe, for programs in C and in every language that
 * can call C. The protocol is described in docs/pipe-protocol.md.
 *
 * One header, one source, nothing but the operating system's own libraries. Add both files to your program, or link
 * the library, or load the DLL.
 *
 * Conventions
 * - Every text is UTF-8 and ends with a zero byte. A text that is not UTF-8 is refused, never sent.
 * - An `int` result is DMS_OK or the reason why not; dms_last_… says more about it.
 * - Optional texts may be NULL or empty. A text that is given back belongs to the session: it stays as it is until the
 *   next call with that session that is not itself a question such as dms_access_token. Nothing needs to be freed but
 *   the session. What holds secrets is wiped before its memory is given back.
 * - A session serves one thread at a time. Different sessions have nothing in common. The library has no global state.
 * - Every wait ends: with an answer, or after the time set by dms_set_timeout.
 * - Calls are cdecl. For 32-bit programs that can only call stdcall there is a DLL built with DMS_CONNECT_STDCALL.
 * - C programs define DMS_CONNECT_USE_DLL before they include this file if they use the DLL.
 */
#ifndef DMS_CONNECT_H
#define DMS_CONNECT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) && defined(DMS_CONNECT_STDCALL)
#define DMS_CALL __stdcall
#elif defined(_WIN32)
#define DMS_CALL __cdecl
#else
#define DMS_CALL
#endif

#if defined(_WIN32) && defined(DMS_CONNECT_BUILD_DLL)
#define DMS_API __declspec(dllexport)
#elif defined(_WIN32) && defined(DMS_CONNECT_USE_DLL)
#define DMS_API __declspec(dllimport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define DMS_API __attribute__((visibility("default")))
#else
#define DMS_API
#endif

/* Results. The numbers are also the exit codes of dms-token and dms-connect; they never change. */
#define DMS_OK 0
#define DMS_INTERNAL_ERROR 1       /* internal_error, or an answer that cannot be understood */
#define DMS_BAD_ARGUMENT 2         /* the call is wrong; nothing was sent */
#define DMS_NOT_PAIRED 3           /* not_paired: pair, or pair again */
#define DMS_NOT_PERMITTED 4        /* not_permitted: show the remedy */
#define DMS_NOT_CONNECTED 5        /* not_connected: offer dms_connect_start */
#define DMS_RECONNECT_REQUIRED 6   /* reconnect_required: offer dms_connect_start */
#define DMS_PROVIDER_UNAVAILABLE 7 /* provider_unavailable: not a lost login; try again if dms_last_retryable */
#define DMS_INVALID_REQUEST 8      /* invalid_request: correct the program */
#define DMS_RATE_LIMITED 9         /* rate_limited: wait dms_last_retry_after seconds */
#define DMS_VAULT_LOCKED 10        /* vault_locked: show the remedy */
#define DMS_SHUTTING_DOWN 11       /* shutting_down: connect again later */
#define DMS_BROKER_UNREACHABLE 12  /* nobody listens, nobody answers in time, or the connection broke */
#define DMS_BROKER_NOT_GENUINE 13  /* the other side cannot prove that it is DMS Connect: do not go on */
#define DMS_PENDING 100            /* dms_pair_wait only: the person has not decided yet */

/** A connection to DMS Connect and what was last received over it. */
typedef struct dms_session dms_session;

/** Makes a session that is not connected. NULL if there is no memory. */
DMS_API dms_session *DMS_CALL dms_new(void);

/** Closes the session, wipes its secrets and frees it. NULL is allowed. */
DMS_API void DMS_CALL dms_free(dms_session *session);

/**
 * How long to wait for each answer, in milliseconds; default 75,000, since a token may have to be renewed at the
 * provider first. What asks no provider (all but tokens and dms_connection_revoke) never waits longer than 10,000.
 */
DMS_API int DMS_CALL dms_set_timeout(dms_session *session, int milliseconds);

/**
 * Connects. Go on with dms_authenticate or dms_pair_start within 5 seconds.
 *
 * pipe_name: NULL finds it: DMS_CONNECT_PIPE, then broker.json, then the default name of this user and session
 */
DMS_API int DMS_CALL dms_open(dms_session *session, const char *pipe_name);

/** The pipe or socket that dms_open used or tried. */
DMS_API const char *DMS_CALL dms_pipe_name(const dms_session *session);

/** Ends the connection and forgets the key. The session may be opened again. */
DMS_API void DMS_CALL dms_close(dms_session *session);

/* Pairing: once for each program and user. */

/**
 * Asks the person at this computer to approve the program. Show dms_pairing_code: the person compares it with the
 * code in DMS Connect's window. publisher and reason are optional.
 */
DMS_API int DMS_CALL dms_pair_start(dms_session *session, const char *name, const char *publisher, const char *reason);

/** Six digits, of the pairing that was started. */
DMS_API const char *DMS_CALL dms_pairing_code(const dms_session *session);

/** How long the person has, in seconds from dms_pair_start. */
DMS_API int DMS_CALL dms_pairing_seconds(const dms_session *session);

/**
 * Waits up to `milliseconds` for the decision. DMS_PENDING: call again. DMS_OK: store dms_client_id and dms_client_key
 * where only this user can read them (dms_credentials_save does); they are handed out only once. The session can be used
 * at once: its next call proves who is who, as dms_authenticate does.
 */
DMS_API int DMS_CALL dms_pair_wait(dms_session *session, int milliseconds);

DMS_API const char *DMS_CALL dms_client_id(const dms_session *session);

/** A secret: 43 characters. */
DMS_API const char *DMS_CALL dms_client_key(const dms_session *session);

/**
 * Proves who is who, both ways. The other side has to prove first; if it cannot, the connection ends with
 * DMS_BROKER_NOT_GENUINE before anything of value was sent. The key never travels.
 *
 * If the connection breaks later, the next call connects and proves again by itself, and repeats its request once
 * where repeating does no harm.
 */
DMS_API int DMS_CALL dms_authenticate(dms_session *session, const char *client_id, const char *client_key);

/** dms_authenticate with what dms_credentials_save, or the Node client, has written. On Unix the file must be the user's alone. */
DMS_API int DMS_CALL dms_authenticate_with_file(dms_session *session, const char *file);

/**
 * Takes id and key from `file`, as dms_authenticate_with_file does, but proves nothing yet: the next call does, and sends its
 * request together with the program's proof. That saves a way to the broker and back, for programs that ask once and end.
 */
DMS_API int DMS_CALL dms_credentials_load(dms_session *session, const char *file);

/** Writes id and key to `file`, whole or not at all, for this user alone. On Windows keep it under %LOCALAPPDATA%. */
DMS_API int DMS_CALL dms_credentials_save(dms_session *session, const char *file);

/* Tokens. environment ("acceptance" or "production") and organisation are optional. */

/**
 * A token that is good for at least `min_validity_seconds` if possible; negative: the broker's default, 60.
 * After any failure there is no token: the texts below are empty.
 */
DMS_API int DMS_CALL dms_token_get(dms_session *session, const char *provider, const char *user, const char *environment,
                                   const char *organisation, int min_validity_seconds);

/** The provider's API answered 401 (not 403) to the token `token_id`. Repeat the API call once with the new token. */
DMS_API int DMS_CALL dms_token_rejected(dms_session *session, const char *provider, const char *user, const char *environment,
                                        const char *organisation, const char *token_id);

/** A secret. Never store or log it. */
DMS_API const char *DMS_CALL dms_access_token(const dms_session *session);

DMS_API const char *DMS_CALL dms_token_type(const dms_session *session);

/** Names the token in dms_token_rejected and in logs; not secret. */
DMS_API const char *DMS_CALL dms_token_id(const dms_session *session);

/** A secret. All headers for the API call: "Name: value" lines, each ended by CR LF, as WinHTTP wants them. */
DMS_API const char *DMS_CALL dms_headers(const dms_session *session);

/** Unix time in seconds. */
DMS_API int64_t DMS_CALL dms_expires_at(const dms_session *session);

/** Seconds from the answer on; use it where the clock may be wrong. */
DMS_API int DMS_CALL dms_expires_in(const dms_session *session);

/* Connections. The answers are JSON objects, as docs/pipe-protocol.md has them; dms_answer gives the text. */

DMS_API int DMS_CALL dms_connection_list(dms_session *session);
DMS_API int DMS_CALL dms_connection_get(dms_session *session, const char *provider, const char *user, const char *environment);

/** Opens the provider's sign-in page in the user's browser. dms_connection_get tells how it ends. */
DMS_API int DMS_CALL dms_connect_start(dms_session *session, const char *provider, const char *user, const char *environment,
                                       const char *organisation);
DMS_API int DMS_CALL dms_connect_cancel(dms_session *session, const char *provider, const char *user, const char *environment);

/** Ends the grant at the provider. */
DMS_API int DMS_CALL dms_connection_revoke(dms_session *session, const char *provider, const char *user, const char *environment);

/** Deletes the tokens on this computer only. */
DMS_API int DMS_CALL dms_connection_forget(dms_session *session, const char *provider, const char *user, const char *environment);

DMS_API int DMS_CALL dms_broker_status(dms_session *session);

/** The last JSON answer of the calls above; empty after a failure. */
DMS_API const char *DMS_CALL dms_answer(const dms_session *session);

/**
 * One value of that answer, for programs that read no JSON. `path`: names, and positions from 0, joined by "/", such as
 * "state" or "connections/0/user". A string comes as text, anything else as its JSON. Empty if it is not there. The text
 * stays until the next dms_answer_value or call.
 */
DMS_API const char *DMS_CALL dms_answer_value(dms_session *session, const char *path);

/* Why the last call did not end with DMS_OK. */

/**
 * The protocol's error word, such as "reconnect_required"; "broker_unreachable" or "broker_not_genuine" for what the
 * library finds out by itself. Empty after DMS_OK and DMS_PENDING.
 */
DMS_API const char *DMS_CALL dms_last_code(const dms_session *session);

/** The finer cause, for logs. */
DMS_API const char *DMS_CALL dms_last_detail(const dms_session *session);

/** What happened, and what to do: one sentence each, for a person. */
DMS_API const char *DMS_CALL dms_last_message(const dms_session *session);
DMS_API const char *DMS_CALL dms_last_remedy(const dms_session *session);

/** 1 if the same call may succeed later without a person doing anything. */
DMS_API int DMS_CALL dms_last_retryable(const dms_session *session);

/** Wait at least so many seconds; -1 if nothing was said. */
DMS_API int DMS_CALL dms_last_retry_after(const dms_session *session);

/* Beside sessions. */

/**
 * For languages that cannot read a C text: copies it into `buffer`, with its zero byte. Returns the size it needs,
 * the zero byte included; if that is more than `size`, the buffer holds an empty text.
 */
DMS_API int DMS_CALL dms_copy_text(const char *text, char *buffer, int size);

/** Computes the test vectors of SHA-256, HMAC and docs/pipe-protocol.md. 0 if all are right, else the number of the first wrong one. */
DMS_API int DMS_CALL dms_self_test(void);

#ifdef __cplusplus
}
#endif

#endif
