/*
 * How a connection's refresh token is rotated, replaced and revoked, for the model checker Spin: one connection, and a
 * provider that rotates refresh tokens and ends the grant when a spent one comes back (RFC 9700 section 4.14.2). Tokens are
 * numbered in the order of issue; an access token has the number of the refresh token it came with. Between any two steps that
 * are not in one `atomic`, any other step or a crash may come. README.md says how to read and run this.
 */

/* How much may happen. The bounds make the search finite; within them it is complete. */
#ifndef LAST_TOKEN /* or all five are given by -D */
#define LAST_TOKEN 3 /* tokens the provider issues: the first, and one for each rotation and sign-in; the last never ages */
#define CRASHES 1
#define TROUBLES 2 /* requests that are refused for now, or whose answer does not come in time */
#define SIGN_INS 1
#define ENDINGS 1 /* clicks on Revoke or Forget */
#endif

/* Seeded mistakes are chosen by -D, here and below. Each must be found. */
#ifdef DROP_GENERATION_CHECK
#define decidedOn live.generation /* what is there now, not what the request was decided on */
#else
#define decidedOn generation
#endif
#ifdef NO_SINGLE_FLIGHT
#define REFRESHES 2
#else
#define REFRESHES 1
#endif

mtype = { NotConnected, Active, Refreshing, InDoubt, ReconnectRequired, Revoking }; /* StoredState */
mtype = { rotated, rejected, refused }; /* RefreshOutcome; `refused` is refused-for-now and not-sent */

typedef Record { /* ConnectionRecord; token 0 is none */
  mtype kind = Active;
  byte token = 1;
  byte generation = 1
}
Record vault; /* on disk: survives a crash */
Record live; /* LiveConnection.record, in memory: read from the vault after a crash */
bool ending; /* LiveConnection.ending */
bool signingIn; /* there is an Attempt without endedBecause */
byte refreshing; /* TokenBroker.#refreshing: how many are under way */
bool nearEnd; /* the stored access token has at most inDoubtRetryBeforeEndMs left, or has ended, or the API refused it */

/* A crash kills these processes of the app, the first ones below. */
#define PROCESSES (REFRESHES + 2)
bool killed[PROCESSES];
bool down;

/* The provider, and the one refresh request that may be on its way. */
byte newest = 1, family = 1; /* token issued last; first token of the grant that counts */
byte valid = 1; /* the one refresh token it takes; 0: it has ended the grant */
byte request; /* token in the request; 0: there is none, or it has arrived */
bool awaited; /* somebody waits for the answer */
mtype reply; /* 0: none yet */
byte replyToken;
byte crashes, troubles, signIns, endings;

/* Seen by the properties only. */
byte told = 1; /* newest token that a program, or a person who signed in, was told of */
bool endTold; /* a person was told that the connection is ended, and has not signed in since */
bool unsure; /* the stored refresh token was sent and may be spent */
bool resent, stale;

/* The properties. README.md puts them in words. */
ltl durable { [] (vault.token >= told || vault.kind == NotConnected || valid == 0 || told < family) }
ltl sent_once { [] !resent }
ltl never_stale { [] !stale }
ltl settles { <> [] (vault.kind == NotConnected || (!endTold && (vault.kind == Active || vault.kind == ReconnectRequired))) }

#define servable (!ending && (live.kind == Active || live.kind == Refreshing || live.kind == InDoubt)) /* servableGrant */
/* TokenBroker.#whyNotRenewable, RefreshScheduler.#dueAtMs. How long before its end an Active token is renewed is left open. */
#define renewable (servable && live.token < LAST_TOKEN && (live.kind != InDoubt || nearEnd))

/*
 * Connections.commit: the vault checks the generation and writes in one transaction; only then memory follows. `allowed` is
 * what the caller has checked in the same turn of the event loop. Sets the caller's `committed`.
 */
inline commit(allowed, expected, nextKind, nextToken) {
  if
  :: atomic {
       allowed && live.generation == expected && vault.generation == expected ->
       nearEnd = nearEnd && nextToken == vault.token; unsure = unsure && nextToken == vault.token;
       vault.kind = nextKind; vault.token = nextToken; vault.generation++; committed = true;
       printf("vault: %e, token %d\n", vault.kind, vault.token)
     };
     atomic { live.kind = nextKind; live.token = nextToken; live.generation++ }
  :: else -> atomic { live.generation == vault.generation -> committed = false } /* vault_conflict: the winner hears first */
  fi
}

/* TokenBroker.#refresh, #send, #settle, begun by a program's request or by RefreshScheduler. There is one: single flight. */
active [REFRESHES] proctype Refresh() {
  byte token, generation;
  mtype nextKind;
  bool committed, doubt;
end_begin: {
  {
end: do
    :: atomic { renewable -> refreshing++; token = live.token; generation = live.generation; doubt = (live.kind == InDoubt) };
#ifdef RESEND_AFTER_CRASH
       committed = true; /* nothing is recorded before the request leaves */
#else
       commit(true, generation, Refreshing, token); /* the first commit: before the request leaves */
       generation++;
#endif
       if
       :: atomic {
            committed && request == 0 ->
            resent = resent || (token == vault.token && unsure && (awaited || !nearEnd));
            request = token; awaited = true; unsure = unsure || token == vault.token;
            printf("broker: sends refresh token %d\n", token)
          };
          atomic { /* stateAfter */
            if
            :: reply == rotated -> nextKind = Active; token = replyToken
            :: reply == rejected -> nextKind = ReconnectRequired; token = 0
            :: reply == refused && !doubt -> nextKind = Active; unsure = false
            :: reply == refused && doubt -> nextKind = InDoubt
            :: troubles < TROUBLES -> troubles++; nextKind = InDoubt /* ambiguous: no answer in time */
            fi;
            awaited = false; reply = 0; replyToken = 0; doubt = false
          };
#ifdef ANSWER_BEFORE_COMMIT
          if
          :: atomic { live.generation == generation -> live.kind = nextKind; live.token = token }
          :: else
          fi;
#endif
          commit(true, decidedOn, nextKind, token) /* the second commit: before anybody is answered */
       :: !committed
       fi;
       atomic { refreshing--; token = 0; generation = 0; nextKind = 0; committed = false; doubt = false }
    od
  } unless { killed[_pid] } };
  atomic { token = 0; generation = 0; nextKind = 0; committed = false; doubt = false; killed[_pid] = false; goto end }
}

/* Revocation.revoke, forget, resume: a person ends the connection. */
active proctype Ending() {
  bool committed;
end_begin: {
  {
end: do
    :: if
#ifndef NO_RESUME
       :: live.kind == Revoking -> skip /* resume, after a restart */
#endif
       :: atomic {
            endings < ENDINGS && live.kind != NotConnected && live.kind != Revoking ->
            endings++; ending = true; signingIn = false; printf("person: Revoke or Forget\n")
          };
          if
          :: goto remove /* Forget */
          :: skip; refreshing == 0 /* Revoke: refreshSettled */
          fi;
          do /* #beginRevoking, #retryOnConflict */
          :: live.token != 0 && live.kind != Revoking -> commit(true, live.generation, Revoking, live.token)
          :: live.token == 0 || live.kind == Revoking -> break
          od
       fi;
       do /* #tellProvider */
       :: atomic { live.kind == Revoking -> valid = (live.token >= family -> 0 : valid); printf("provider: revokes\n") }; break
       :: atomic { live.kind == Revoking && troubles < TROUBLES -> troubles++; endTold = true } /* #postpone: told so */
       :: live.kind != Revoking -> break /* there is no token any more */
       od;
remove: /* Connections.remove, #retryOnConflict; the generation goes on, so that nothing decided before can match */
       atomic {
         live.generation == vault.generation ->
         vault.kind = NotConnected; vault.token = 0; vault.generation++; nearEnd = false; unsure = false
       };
       atomic {
         live.kind = NotConnected; live.token = 0; live.generation++; ending = false; endTold = true; committed = false;
         printf("person: is told that the connection is gone\n")
       }
    od
  } unless { killed[_pid] } };
  atomic { committed = false; killed[_pid] = false; goto end }
}

/* ConnectFlow: a sign-in, also over a connection that works; it may be cancelled, or never be finished. */
active proctype Connect() {
  byte token;
  bool committed;
end_begin: {
  {
end: do
    :: atomic { signIns < SIGN_INS && !down && !ending && live.kind != Revoking -> signIns++; signingIn = true };
       if
       :: skip /* Cancel, or the time is over */
       :: atomic { /* the provider exchanges the code; from here on the person wants this connection again */
            signingIn && newest < LAST_TOKEN ->
            newest++; token = newest; family = newest; valid = newest; endTold = false;
            printf("person: signs in, provider issues token %d\n", token)
          };
          do /* #connect: tried again after a conflict */
          :: signingIn && !committed -> commit(signingIn, live.generation, Active, token)
          :: atomic { committed -> told = (token > told -> token : told) }; break
          :: !signingIn && !committed -> break
          od
       fi;
       atomic { token = 0; committed = false; signingIn = false }
    od
  } unless { killed[_pid] } };
  atomic { token = 0; committed = false; killed[_pid] = false; goto end }
}

/* The app is killed and starts again: Connections.#read, afterRestart. */
active proctype Crash() {
  byte i;
end:
  do
  :: atomic {
       crashes < CRASHES -> crashes++; down = true; printf("app: is killed\n");
       for (i in killed) { killed[i] = true }
       live.kind = NotConnected; live.token = 0; live.generation = 0;
       ending = false; signingIn = false; refreshing = 0; awaited = false; reply = 0; replyToken = 0; i = 0
     };
     atomic {
       !killed[0] && !killed[1] && !killed[2] && !killed[PROCESSES - 1] ->
       live.kind = (vault.kind == Refreshing -> InDoubt : vault.kind); live.token = vault.token;
       live.generation = vault.generation; down = false; printf("app: starts again as %e\n", live.kind)
     }
  od
}

/* TokenBroker.getToken. Who joins a refresh is one not yet answered; the same answer once more would change nothing. */
active proctype Program() {
end:
  do
  :: atomic {
       servable && (!nearEnd || refreshing == 0) && (live.token != told || endTold) ->
       stale = stale || live.token < told || endTold; told = (live.token > told -> live.token : told);
       printf("program: gets access token %d\n", live.token)
     }
  od
}

/* The provider's token endpoint. */
active proctype Provider() {
end:
  do
  :: atomic {
       request != 0 ->
       if
       :: !awaited -> printf("provider: never gets the request\n")
       :: troubles < TROUBLES -> troubles++; reply = refused
       :: request == valid -> newest++; valid = newest; reply = rotated; replyToken = newest; printf("provider: rotates\n")
       :: request != valid -> valid = (request >= family -> 0 : valid); reply = rejected; printf("provider: rejects\n")
       fi;
       reply = (awaited -> reply : 0); replyToken = (awaited -> replyToken : 0); request = 0
     }
  od
}

active proctype Clock() {
end:
  do
  :: atomic { servable && vault.token < LAST_TOKEN && !nearEnd -> nearEnd = true; printf("clock: the token is about to end\n") }
  od
}
