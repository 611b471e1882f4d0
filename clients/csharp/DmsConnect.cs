// Client for DMS Connect: gets access tokens for a DMS program from the broker on this computer. .NET Standard 2.0, so
// .NET Framework 4.6.1 and newer, .NET 5 and newer, Mono; C# 5, which Windows PowerShell 5.1 compiles too. Written from
// docs/pipe-protocol.md; copy this one file into your program.
//
// Invariants: nothing but the greeting is sent before the broker has proved that it holds this program's key; no
// exception's text holds a token, a key or a proof; every call ends, with a result or a DmsConnectException.
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.IO.Pipes;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Security.Principal;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace DmsConnect
{
    using JsonObject = Dictionary<string, object>;

    /// <summary>What pairing handed out. ClientKey is a secret: keep it in a file that only this user can read.</summary>
    public sealed class Credentials
    {
        public Credentials(string clientId, string clientKey)
        {
            ClientId = clientId;
            ClientKey = clientKey;
        }

        public string ClientId { get; private set; }
        public string ClientKey { get; private set; }

        /// <summary>The credentials in the file; null if there is none, or it cannot be read as one.</summary>
        public static Credentials Load(string path)
        {
            try
            {
                var content = Json.Read(File.ReadAllText(path)) as JsonObject;
                var clientId = Json.Field(content, "clientId") as string;
                var clientKey = Json.Field(content, "clientKey") as string;
                return clientId == null || clientKey == null ? null : new Credentials(clientId, clientKey);
            }
            catch (Exception none)
            {
                if (!Json.IsNoJsonFile(none)) throw;
                return null;
            }
        }

        /// <summary>
        /// Replaces the file; it appears whole and for this user alone, or not at all. On Windows the folder's own
        /// permissions protect it: keep it under %LOCALAPPDATA%.
        /// </summary>
        public void Store(string path)
        {
            path = Path.GetFullPath(path);
            var text = Json.Write(new JsonObject { { "clientId", ClientId }, { "clientKey", ClientKey } }) + "\n";
            Directory.CreateDirectory(Path.GetDirectoryName(path));
            var temporary = Platform.MakePrivateFile(path);
            try
            {
                File.WriteAllText(temporary, text, new UTF8Encoding(false));
                Platform.Replace(temporary, path);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        }

        public override string ToString()
        {
            return "Credentials of " + ClientId;
        }
    }

    /// <summary>Names a connection: one user's grant at one provider. Environment may be null.</summary>
    public sealed class Selector
    {
        public Selector(string provider, string user, string environment = null)
        {
            Provider = provider;
            User = user;
            Environment = environment;
        }

        public string Provider { get; private set; }
        public string User { get; private set; }
        public string Environment { get; private set; }
    }

    /// <summary>A valid access token. Send all of Headers with the API call, unchanged; keep it in memory only.</summary>
    public sealed class Token
    {
        internal Token(JsonObject result)
        {
            AccessToken = Json.Text(result, "accessToken");
            TokenType = Json.Text(result, "tokenType");
            TokenId = Json.Text(result, "tokenId");
            ExpiresAt = (long)Json.Number(result, "expiresAt");
            ExpiresInSeconds = (long)Json.Number(result, "expiresInSeconds");
            var headers = new Dictionary<string, string>();
            var given = Json.Field(result, "headers") as JsonObject;
            if (given == null) throw DmsConnectException.NotUnderstood();
            foreach (var header in given)
            {
                var value = header.Value as string;
                if (value == null) throw DmsConnectException.NotUnderstood();
                headers[header.Key] = value;
            }
            Headers = headers;
        }

        public string AccessToken { get; private set; }
        public string TokenType { get; private set; }
        /// <summary>Names this token in TokenRejectedAsync and in logs; not secret.</summary>
        public string TokenId { get; private set; }
        /// <summary>Unix time in seconds.</summary>
        public long ExpiresAt { get; private set; }
        public long ExpiresInSeconds { get; private set; }
        public IReadOnlyDictionary<string, string> Headers { get; private set; }

        public override string ToString()
        {
            // A token in a stack trace or a log is a leak.
            return "Token " + TokenId + ", " + ExpiresInSeconds + " seconds left";
        }
    }

    /// <summary>
    /// Why a call failed. Act on Code, show Message and Remedy to the person, log Detail. Besides the broker's words Code is
    /// one of this library's own: broker_unreachable (nobody listens, or the connection ended), broker_not_genuine (a
    /// stranger on the pipe, or this program was removed) and timed_out.
    /// </summary>
    public sealed class DmsConnectException : Exception
    {
        internal DmsConnectException(string code, string message, string remedy, bool retryable = false, string detail = null, double? retryAfterSeconds = null)
            : base(message)
        {
            Code = code;
            Detail = detail ?? code;
            Remedy = remedy;
            Retryable = retryable;
            RetryAfterSeconds = retryAfterSeconds;
        }

        public string Code { get; private set; }
        public string Detail { get; private set; }
        public string Remedy { get; private set; }
        public bool Retryable { get; private set; }
        /// <summary>Wait at least this long; null where the broker does not say.</summary>
        public double? RetryAfterSeconds { get; private set; }

        internal bool IsLocal { get; private set; }

        internal static DmsConnectException Unreachable()
        {
            const string remedy = "Start DMS Connect and try again. If its window is open, read what it says there.";
            return new DmsConnectException("broker_unreachable", "DMS Connect is not running, or has ended the session.", remedy, true) { IsLocal = true };
        }

        internal static DmsConnectException TimedOut()
        {
            const string remedy = "Try again; if it stays so, restart DMS Connect.";
            return new DmsConnectException("timed_out", "DMS Connect did not answer in time.", remedy, true) { IsLocal = true };
        }

        internal static DmsConnectException NotGenuine()
        {
            const string remedy = "If this program was removed in DMS Connect, pair it again. Otherwise do not go on, and call your administrator.";
            return new DmsConnectException("broker_not_genuine", "The program on the pipe could not prove that it is DMS Connect.", remedy);
        }

        internal static DmsConnectException NotUnderstood()
        {
            return new DmsConnectException("internal_error", "DMS Connect's answer could not be understood.", "Update this program or DMS Connect.");
        }

        internal static DmsConnectException NotPaired(string message, string remedy)
        {
            return new DmsConnectException("not_paired", message, remedy);
        }

        /// <summary>The failure in a JSON-RPC error.</summary>
        internal static DmsConnectException Refusal(object error)
        {
            var data = Json.Field(error as JsonObject, "data") as JsonObject;
            var code = Shown(data, "code", "internal_error");
            return new DmsConnectException(
                code,
                Shown(data, "message", "DMS Connect refused the request."),
                Shown(data, "remedy", "Look into DMS Connect's window."),
                Equals(Json.Field(data, "retryable"), true),
                Shown(data, "detail", code),
                Json.Field(data, "retryAfterSeconds") as double?);
        }

        /// <summary>Nothing is proved yet: keeps the word, not the words of whoever sits there.</summary>
        internal DmsConnectException Unproven()
        {
            return new DmsConnectException(Code, "The program on the pipe refused the greeting.", "Restart DMS Connect and try again.", Retryable, Detail, RetryAfterSeconds);
        }

        /// <summary>No control characters: these texts go to terminals and logs.</summary>
        private static string Shown(JsonObject data, string name, string fallback)
        {
            var text = Json.Field(data, name) as string;
            if (string.IsNullOrEmpty(text)) return fallback;
            var shown = new StringBuilder(text.Length);
            foreach (var c in text) shown.Append(char.IsControl(c) || char.GetUnicodeCategory(c) == UnicodeCategory.Format ? ' ' : c);
            return shown.ToString();
        }
    }

    /// <summary>
    /// The broker, for one program. Thread-safe: share one object. It keeps one session, and opens it again when it has ended.
    /// </summary>
    public sealed class Client : IDisposable
    {
        /// <summary>The broker may have to ask the provider first; the document asks for at least 60 seconds.</summary>
        public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(75);
        /// <summary>Two round trips on one computer; the broker itself gives up after 5 seconds.</summary>
        private static readonly TimeSpan handshakeTimeout = TimeSpan.FromSeconds(10);
        /// <summary>How long a broker that went away with a request is looked for: an app that restarts needs a moment.</summary>
        private static readonly TimeSpan restartPatience = TimeSpan.FromSeconds(5);

        private readonly string pipe;
        private readonly TimeSpan timeout;
        private readonly SemaphoreSlim opening = new SemaphoreSlim(1);
        private Credentials credentials;
        private Session session;

        /// <param name="credentials">from Credentials.Load or PairAsync; null before pairing</param>
        /// <param name="pipe">overrides the search for the pipe</param>
        /// <param name="timeout">bounds each answer</param>
        public Client(Credentials credentials, string pipe = null, TimeSpan? timeout = null)
        {
            this.credentials = credentials;
            this.pipe = pipe;
            this.timeout = timeout ?? DefaultTimeout;
        }

        /// <summary>Ends the session. Calls that wait end with broker_unreachable; a later call opens a new session.</summary>
        public void Dispose()
        {
            var ended = Interlocked.Exchange(ref session, null);
            if (ended != null) ended.Close();
        }

        /// <summary>
        /// Asks the person to approve this program: show the pairing's Code, then wait for the decision with WaitAsync.
        /// </summary>
        public async Task<Pairing> RequestPairingAsync(string name, string publisher = null, string reason = null)
        {
            var visit = new Session(await Transport.OpenAsync(pipe).ConfigureAwait(false));
            try
            {
                var wish = Given("name", name, "publisher", publisher, "reason", reason);
                var asked = await visit.RequestAsync("pairing.request", wish, timeout).ConfigureAwait(false);
                return new Pairing(visit, asked, made => credentials = made);
            }
            catch
            {
                visit.Close();
                throw;
            }
        }

        /// <summary>A valid token of this user. Cheap: ask before each API call.</summary>
        public async Task<Token> TokenAsync(Selector selector, string organisation = null, int? minValiditySeconds = null)
        {
            var more = Given("organisation", organisation, "minValiditySeconds", minValiditySeconds);
            return new Token(await CallAsync("token.get", Given(selector, more)).ConfigureAwait(false));
        }

        /// <summary>Call it when the provider's API answered 401 (not 403), then repeat the API call once with the new token.</summary>
        public async Task<Token> TokenRejectedAsync(Selector selector, string tokenId, string organisation = null)
        {
            var more = Given("tokenId", tokenId, "organisation", organisation);
            return new Token(await CallAsync("token.rejected", Given(selector, more)).ConfigureAwait(false));
        }

        /// <summary>All connections this program may use: JSON objects as dictionaries.</summary>
        public async Task<List<object>> ConnectionsAsync()
        {
            var result = await CallAsync("connection.list", Given()).ConfigureAwait(false);
            var connections = Json.Field(result, "connections") as List<object>;
            if (connections == null) throw DmsConnectException.NotUnderstood();
            return connections;
        }

        /// <summary>One connection. Treat a state you do not know like Retrying: ask for a token.</summary>
        public Task<JsonObject> ConnectionAsync(Selector selector)
        {
            return CallAsync("connection.get", Given(selector, Given()));
        }

        /// <summary>Opens the provider's sign-in page in the user's browser. Only when the user has asked for it.</summary>
        public Task ConnectStartAsync(Selector selector, string organisation = null)
        {
            // A second start opens the same page again, so it may be repeated.
            return CallAsync("connect.start", Given(selector, Given("organisation", organisation)));
        }

        /// <summary>Ends a sign-in that waits.</summary>
        public Task ConnectCancelAsync(Selector selector)
        {
            return CallAsync("connect.cancel", Given(selector, Given()), false);
        }

        /// <summary>Ends the grant at the provider.</summary>
        public Task RevokeAsync(Selector selector)
        {
            return CallAsync("connection.revoke", Given(selector, Given()), false);
        }

        /// <summary>Deletes the tokens on this computer only; the grant at the provider stands.</summary>
        public Task ForgetAsync(Selector selector)
        {
            return CallAsync("connection.forget", Given(selector, Given()), false);
        }

        /// <summary>Version, protocol, vault and registered providers.</summary>
        public Task<JsonObject> StatusAsync()
        {
            return CallAsync("broker.status", Given());
        }

        /// <summary>
        /// Gives "sequence" and all "connections"; then listener gets the params of each event, one after the other, and null
        /// once when the session has ended: subscribe again then, and start from the new snapshot.
        /// </summary>
        public async Task<JsonObject> SubscribeAsync(Action<JsonObject> listener)
        {
            var open = await OpenSessionAsync(TimeSpan.Zero).ConfigureAwait(false);
            // The queue begins to move only now: an event in the same packet must not reach the program before its snapshot.
            var snapshotTold = new TaskCompletionSource<bool>();
            var last = (Task)snapshotTold.Task;
            var queue = new object();
            open.Listen(change =>
            {
                lock (queue) last = last.ContinueWith(_ => listener(change), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            });
            var snapshot = await open.RequestAsync("events.subscribe", Given(), timeout).ConfigureAwait(false);
            Forget(Task.Run(() => snapshotTold.SetResult(true)));
            return snapshot;
        }

        private async Task<JsonObject> CallAsync(string method, JsonObject parameters, bool repeatable = true)
        {
            var open = await OpenSessionAsync(TimeSpan.Zero).ConfigureAwait(false);
            try
            {
                return await open.RequestAsync(method, parameters, timeout).ConfigureAwait(false);
            }
            catch (DmsConnectException failure)
            {
                var wentAway = failure.IsLocal && failure.Code == "broker_unreachable";
                // Or the program's access was changed, which ends its sessions: prove the key again and repeat.
                if (!repeatable || (!wentAway && failure.Detail != "session_not_authenticated")) throw;
                open.Close();
            }
            open = await OpenSessionAsync(restartPatience).ConfigureAwait(false);
            return await open.RequestAsync(method, parameters, timeout).ConfigureAwait(false);
        }

        /// <summary>The session, opened if there is none or it has ended. With patience, a broker that is not there is waited for.</summary>
        private async Task<Session> OpenSessionAsync(TimeSpan patience)
        {
            await opening.WaitAsync().ConfigureAwait(false);
            try
            {
                var current = session;
                if (current != null && current.IsOpen) return current;
                if (credentials == null) throw DmsConnectException.NotPaired("This program is not paired with DMS Connect.", "Pair it first.");
                var opened = new Session(await OpenTransportAsync(patience).ConfigureAwait(false));
                try
                {
                    await Proof.ExchangeAsync(opened, credentials, handshakeTimeout).ConfigureAwait(false);
                }
                catch
                {
                    opened.Close();
                    throw;
                }
                session = opened;
                return opened;
            }
            finally
            {
                opening.Release();
            }
        }

        private async Task<Stream> OpenTransportAsync(TimeSpan patience)
        {
            var waited = Stopwatch.StartNew();
            while (true)
            {
                try
                {
                    return await Transport.OpenAsync(pipe).ConfigureAwait(false);
                }
                catch (DmsConnectException)
                {
                    if (waited.Elapsed >= patience) throw;
                }
                await Task.Delay(250).ConfigureAwait(false);
            }
        }

        /// <summary>Nobody waits for this task: whoever depends on it is told otherwise.</summary>
        private static void Forget(Task task)
        {
        }

        /// <summary>The parameters that have a value: the broker refuses null, and no text of the protocol is empty.</summary>
        private static JsonObject Given(params object[] namesAndValues)
        {
            var parameters = new JsonObject();
            for (var index = 0; index < namesAndValues.Length; index += 2)
            {
                var value = namesAndValues[index + 1];
                if (value != null && !"".Equals(value)) parameters[(string)namesAndValues[index]] = value;
            }
            return parameters;
        }

        private static JsonObject Given(Selector selector, JsonObject more)
        {
            var parameters = Given("provider", selector.Provider, "user", selector.User, "environment", selector.Environment);
            foreach (var parameter in more) parameters[parameter.Key] = parameter.Value;
            return parameters;
        }
    }

    /// <summary>A pairing that waits for the person. Disposing it withdraws it.</summary>
    public sealed class Pairing : IDisposable
    {
        /// <summary>The broker answers when the time is up; a little more, so that its answer comes first.</summary>
        private static readonly TimeSpan patience = TimeSpan.FromSeconds(10);
        private readonly Session session;
        private readonly string pairingId;
        private readonly Action<Credentials> onPaired;

        internal Pairing(Session session, JsonObject asked, Action<Credentials> onPaired)
        {
            this.session = session;
            this.onPaired = onPaired;
            pairingId = Json.Text(asked, "pairingId");
            Code = Json.Text(asked, "code");
            ExpiresInSeconds = (int)Json.Number(asked, "expiresInSeconds");
        }

        /// <summary>Six digits: show them. The person compares them with DMS Connect's window.</summary>
        public string Code { get; private set; }
        public int ExpiresInSeconds { get; private set; }

        /// <summary>Waits until the person has decided. Store the result at once: it is given out only now.</summary>
        public async Task<Credentials> WaitAsync()
        {
            try
            {
                var wish = new JsonObject { { "pairingId", pairingId } };
                var time = TimeSpan.FromSeconds(ExpiresInSeconds) + patience;
                var decided = await session.RequestAsync("pairing.wait", wish, time).ConfigureAwait(false);
                var made = new Credentials(Json.Text(decided, "clientId"), Json.Text(decided, "clientKey"));
                Proof.KeyBytes(made);
                onPaired(made);
                return made;
            }
            finally
            {
                session.Close();
            }
        }

        public void Dispose()
        {
            session.Close();
        }
    }

    /// <summary>The proof of docs/pipe-protocol.md.</summary>
    internal static class Proof
    {
        private const int protocol = 1;

        /// <summary>Both proofs. The broker's is checked before ours, or anything else, is sent.</summary>
        internal static async Task ExchangeAsync(Session session, Credentials credentials, TimeSpan timeout)
        {
            var random = new byte[32];
            using (var source = RandomNumberGenerator.Create()) source.GetBytes(random);
            var clientNonce = Base64Url(random);
            var hello = new JsonObject { { "protocol", protocol }, { "clientId", credentials.ClientId }, { "nonce", clientNonce } };
            JsonObject greeting;
            try
            {
                greeting = await session.RequestAsync("session.hello", hello, timeout).ConfigureAwait(false);
            }
            catch (DmsConnectException refused)
            {
                if (refused.IsLocal) throw;
                throw refused.Unproven();
            }
            var serverNonce = Json.Field(greeting, "nonce") as string;
            var given = Json.Field(greeting, "proof") as string;
            if (serverNonce == null || given == null) throw DmsConnectException.NotGenuine();
            var expected = Make(credentials, "dms-connect/1 broker", clientNonce, serverNonce);
            if (!SameInConstantTime(expected, given)) throw DmsConnectException.NotGenuine();
            var own = Make(credentials, "dms-connect/1 program", clientNonce, serverNonce);
            await session.RequestAsync("session.authenticate", new JsonObject { { "proof", own } }, timeout).ConfigureAwait(false);
        }

        internal static string Make(Credentials credentials, string label, string clientNonce, string serverNonce)
        {
            using (var hmac = new HMACSHA256(KeyBytes(credentials)))
            {
                var text = string.Join("\n", label, credentials.ClientId, clientNonce, serverNonce);
                return Base64Url(hmac.ComputeHash(Encoding.UTF8.GetBytes(text)));
            }
        }

        internal static byte[] KeyBytes(Credentials credentials)
        {
            try
            {
                var key = Convert.FromBase64String(credentials.ClientKey.Replace('-', '+').Replace('_', '/') + "=");
                if (key.Length == 32) return key;
            }
            catch (FormatException)
            {
                // As good as none.
            }
            throw DmsConnectException.NotPaired("The stored key is damaged.", "Pair the program again.");
        }

        /// <summary>CryptographicOperations.FixedTimeEquals is not in .NET Standard 2.0.</summary>
        private static bool SameInConstantTime(string expected, string given)
        {
            if (expected.Length != given.Length) return false;
            var difference = 0;
            for (var index = 0; index < expected.Length; index++) difference |= expected[index] ^ given[index];
            return difference == 0;
        }

        private static string Base64Url(byte[] bytes)
        {
            return Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        }
    }

    /// <summary>One connection: requests from any thread, answers matched by id by a task that only reads.</summary>
    internal sealed class Session
    {
        /// <summary>Lists of connections may be long; nothing the broker sends is longer.</summary>
        private const int maxLineBytes = 8 * 1024 * 1024;
        private readonly Stream stream;
        private readonly object gate = new object();
        private readonly SemaphoreSlim writing = new SemaphoreSlim(1);
        private readonly Dictionary<double, TaskCompletionSource<JsonObject>> waiting = new Dictionary<double, TaskCompletionSource<JsonObject>>();
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private TimeSpan heardAt;
        private int lastId;
        private bool isOpen = true;
        private Action<JsonObject> onEvent;

        internal Session(Stream stream)
        {
            this.stream = stream;
            Task.Run(() => ReadAllAsync());
        }

        internal bool IsOpen
        {
            get { lock (gate) return isOpen; }
        }

        internal void Listen(Action<JsonObject> listener)
        {
            lock (gate) onEvent = listener;
        }

        internal async Task<JsonObject> RequestAsync(string method, JsonObject parameters, TimeSpan timeout)
        {
            var answer = new TaskCompletionSource<JsonObject>(TaskCreationOptions.RunContinuationsAsynchronously);
            int id;
            TimeSpan sentAt;
            lock (gate)
            {
                if (!isOpen) throw DmsConnectException.Unreachable();
                id = ++lastId;
                waiting[id] = answer;
                sentAt = clock.Elapsed;
            }
            var message = new JsonObject { { "jsonrpc", "2.0" }, { "id", id }, { "method", method }, { "params", parameters } };
            // Not awaited: a broker that does not read must not hold up the caller beyond the timeout.
            var sending = SendAsync(Encoding.UTF8.GetBytes(Json.Write(message) + "\n"));
            using (var stopTimer = new CancellationTokenSource())
            {
                var late = Task.Delay(timeout, stopTimer.Token);
                if (await Task.WhenAny(answer.Task, late).ConfigureAwait(false) == late) throw GiveUp(id, sentAt, sending);
                stopTimer.Cancel();
            }
            var received = await answer.Task.ConfigureAwait(false);
            if (received == null) throw DmsConnectException.Unreachable();
            if (received.ContainsKey("error")) throw DmsConnectException.Refusal(received["error"]);
            var result = Json.Field(received, "result") as JsonObject;
            if (result == null) throw DmsConnectException.NotUnderstood();
            return result;
        }

        internal void Close()
        {
            List<TaskCompletionSource<JsonObject>> abandoned;
            Action<JsonObject> listener;
            lock (gate)
            {
                if (!isOpen) return;
                isOpen = false;
                abandoned = new List<TaskCompletionSource<JsonObject>>(waiting.Values);
                waiting.Clear();
                listener = onEvent;
                onEvent = null;
            }
            stream.Dispose();
            foreach (var answer in abandoned) answer.TrySetResult(null);
            if (listener != null) listener(null);
        }

        private DmsConnectException GiveUp(int id, TimeSpan sentAt, Task sending)
        {
            bool silent;
            lock (gate)
            {
                waiting.Remove(id);
                silent = heardAt < sentAt || !sending.IsCompleted;
            }
            // Not only this answer: nothing came at all, or nothing goes out. The next call gets a new connection.
            if (silent) Close();
            return DmsConnectException.TimedOut();
        }

        private async Task SendAsync(byte[] line)
        {
            var lost = false;
            await writing.WaitAsync().ConfigureAwait(false);
            try
            {
                await stream.WriteAsync(line, 0, line.Length).ConfigureAwait(false);
                await stream.FlushAsync().ConfigureAwait(false);
            }
            catch (Exception failed)
            {
                if (!IsEndOfStream(failed)) throw;
                lost = true;
            }
            finally
            {
                writing.Release();
            }
            if (!lost) return;
            // The reader gets what the broker said before it went away, and closes.
            await Task.Delay(1000).ConfigureAwait(false);
            Close();
        }

        private async Task ReadAllAsync()
        {
            var unfinished = new MemoryStream();
            var buffer = new byte[65536];
            try
            {
                while (true)
                {
                    var count = await stream.ReadAsync(buffer, 0, buffer.Length).ConfigureAwait(false);
                    if (count <= 0) return;
                    var start = 0;
                    for (var end = Array.IndexOf(buffer, (byte)'\n', 0, count); end >= 0; end = Array.IndexOf(buffer, (byte)'\n', start, count - start))
                    {
                        unfinished.Write(buffer, start, end - start);
                        start = end + 1;
                        Deliver(unfinished.ToArray());
                        unfinished.SetLength(0);
                    }
                    unfinished.Write(buffer, start, count - start);
                    if (unfinished.Length > maxLineBytes) return;
                }
            }
            catch (Exception broken)
            {
                // Lost, or not JSON lines: then it is no broker. What was received must not appear anywhere.
                if (!IsEndOfStream(broken) && !(broken is FormatException || broken is ArgumentException)) throw;
            }
            finally
            {
                Close();
            }
        }

        private static bool IsEndOfStream(Exception exception)
        {
            return exception is IOException || exception is ObjectDisposedException || exception is InvalidOperationException || exception is OperationCanceledException;
        }

        private void Deliver(byte[] line)
        {
            // The second argument: refuse what is not UTF-8.
            var text = new UTF8Encoding(false, true).GetString(line).TrimStart('\uFEFF');
            if (text.Trim().Length == 0) return;
            var message = Json.Read(text) as JsonObject;
            if (message == null) return;
            TaskCompletionSource<JsonObject> answer = null;
            Action<JsonObject> listener;
            lock (gate)
            {
                heardAt = clock.Elapsed;
                listener = onEvent;
                var id = Json.Field(message, "id") as double?;
                if (!message.ContainsKey("method") && id != null && waiting.TryGetValue(id.Value, out answer)) waiting.Remove(id.Value);
            }
            if (answer != null) answer.TrySetResult(message);
            var change = Json.Field(message, "params") as JsonObject;
            if (listener != null && change != null && Json.Field(message, "method") as string == "event") listener(change);
        }
    }

    /// <summary>Finds and opens the pipe.</summary>
    public static class Transport
    {
        /// <summary>Long enough for a busy pipe to be free again; a pipe that is not there is waited for as long.</summary>
        private const int connectMilliseconds = 1000;

        internal static async Task<Stream> OpenAsync(string pipe)
        {
            try
            {
                var name = string.IsNullOrEmpty(pipe) ? FindPipe() : pipe;
                return Platform.IsWindows ? await OpenPipeAsync(name).ConfigureAwait(false) : OpenSocket(name);
            }
            catch (Exception failed)
            {
                // Also a name that cannot be one: there is nobody to talk to.
                var nobody = failed is IOException || failed is TimeoutException || failed is SocketException || failed is UnauthorizedAccessException || failed is ArgumentException;
                if (!nobody) throw;
                throw DmsConnectException.Unreachable();
            }
        }

        private static async Task<Stream> OpenPipeAsync(string name)
        {
            const string prefix = @"\\.\pipe\";
            var shortName = name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase) ? name.Substring(prefix.Length) : name;
            // Identification: who squats on the name must not act as this user. Asynchronous: or a waiting read would make
            // every write wait too.
            var stream = new NamedPipeClientStream(".", shortName, PipeDirection.InOut, PipeOptions.Asynchronous, TokenImpersonationLevel.Identification);
            try
            {
                await Task.Run(() => stream.Connect(connectMilliseconds)).ConfigureAwait(false);
                return stream;
            }
            catch
            {
                stream.Dispose();
                throw;
            }
        }

        private static Stream OpenSocket(string path)
        {
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixEndPoint(path));
                return new NetworkStream(socket, true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        /// <summary>The pipe's name: DMS_CONNECT_PIPE, else what the running app published in broker.json, else the default name.</summary>
        public static string FindPipe()
        {
            var chosen = Variable("DMS_CONNECT_PIPE");
            if (chosen != null) return chosen;
            try
            {
                var published = Json.Read(File.ReadAllText(Path.Combine(ProfileFolder(), "broker.json"))) as JsonObject;
                var name = Json.Field(published, "name") as string;
                if (!string.IsNullOrEmpty(name)) return name;
            }
            catch (Exception notThere)
            {
                // It is there only while the broker runs.
                if (!Json.IsNoJsonFile(notThere)) throw;
            }
            return DefaultPipe();
        }

        private static string DefaultPipe()
        {
            if (Platform.IsWindows)
            {
                using (var sha = SHA256.Create())
                using (var process = Process.GetCurrentProcess())
                {
                    var hash = sha.ComputeHash(Encoding.UTF8.GetBytes(Platform.WindowsIdentity()));
                    return @"\\.\pipe\dms-connect-" + BitConverter.ToString(hash, 0, 8).Replace("-", "").ToLowerInvariant() + "-" + process.SessionId;
                }
            }
            var runtime = Variable("XDG_RUNTIME_DIR");
            if (runtime != null && runtime.StartsWith("/", StringComparison.Ordinal)) return runtime.TrimEnd('/') + "/dms-connect/broker.sock";
            return (Variable("TMPDIR") ?? "/tmp").TrimEnd('/') + "/dms-connect-" + Platform.UnixUserId() + "/broker.sock";
        }

        private static string ProfileFolder()
        {
            var chosen = Variable("DMS_CONNECT_PROFILE");
            if (chosen != null) return chosen;
            if (Platform.IsWindows) return Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.LocalApplicationData), "dms-connect");
            var home = Variable("HOME") ?? "/";
            if (Directory.Exists("/System/Library")) return home + "/Library/Application Support/dms-connect";
            var config = Variable("XDG_CONFIG_HOME");
            return (config != null && config.StartsWith("/", StringComparison.Ordinal) ? config : home + "/.config") + "/dms-connect";
        }

        private static string Variable(string name)
        {
            var value = System.Environment.GetEnvironmentVariable(name);
            return string.IsNullOrEmpty(value) ? null : value;
        }

        /// <summary>UnixDomainSocketEndPoint is not in .NET Standard 2.0. A sockaddr_un: the family, the path, a zero.</summary>
        private sealed class UnixEndPoint : EndPoint
        {
            private const int pathOffset = 2;
            private readonly byte[] path;

            internal UnixEndPoint(string path)
            {
                this.path = Encoding.UTF8.GetBytes(path);
                // sun_path holds 108 bytes on Linux, 104 on macOS.
                if (this.path.Length > 103) throw new ArgumentException("the socket's path is too long");
            }

            public override AddressFamily AddressFamily
            {
                get { return AddressFamily.Unix; }
            }

            public override SocketAddress Serialize()
            {
                var address = new SocketAddress(AddressFamily.Unix, pathOffset + path.Length + 1);
                for (var index = 0; index < path.Length; index++) address[pathOffset + index] = path[index];
                return address;
            }

            /// <summary>Asked for the other side's address, which has no name.</summary>
            public override EndPoint Create(SocketAddress socketAddress)
            {
                return this;
            }
        }
    }

    /// <summary>What .NET Standard 2.0 does not offer, from the system itself.</summary>
    internal static class Platform
    {
        internal static bool IsWindows
        {
            get { return Path.DirectorySeparatorChar == '\\'; }
        }

        /// <summary>An empty file beside path that only its user can read. Its name.</summary>
        internal static string MakePrivateFile(string path)
        {
            if (IsWindows)
            {
                var name = path + "." + Guid.NewGuid().ToString("N");
                new FileStream(name, FileMode.CreateNew).Dispose();
                return name;
            }
            // mkstemp makes the file with mode 0600 from the first moment.
            var template = Encoding.UTF8.GetBytes(path + ".XXXXXX\0");
            var descriptor = mkstemp(template);
            if (descriptor < 0) throw new IOException("the credentials file could not be made");
            close(descriptor);
            return Encoding.UTF8.GetString(template, 0, template.Length - 1);
        }

        internal static void Replace(string temporary, string path)
        {
            if (!IsWindows)
            {
                if (rename(Encoding.UTF8.GetBytes(temporary + "\0"), Encoding.UTF8.GetBytes(path + "\0")) != 0) throw new IOException("the credentials file could not be replaced");
            }
            else if (File.Exists(path))
            {
                File.Replace(temporary, path, null);
            }
            else
            {
                File.Move(temporary, path);
            }
        }

        internal static uint UnixUserId()
        {
            return getuid();
        }

        /// <summary>The user's SID; domain\user in lower case where it cannot be read.</summary>
        internal static string WindowsIdentity()
        {
            const uint tokenQuery = 0x0008;
            const int tokenUser = 1;
            var identity = (System.Environment.UserDomainName + "\\" + System.Environment.UserName).ToLowerInvariant();
            IntPtr token;
            if (!OpenProcessToken(GetCurrentProcess(), tokenQuery, out token)) return identity;
            var buffer = Marshal.AllocHGlobal(256);
            try
            {
                int length;
                IntPtr text;
                // TOKEN_USER begins with the pointer to the SID.
                if (!GetTokenInformation(token, tokenUser, buffer, 256, out length)) return identity;
                if (!ConvertSidToStringSidW(Marshal.ReadIntPtr(buffer), out text)) return identity;
                identity = Marshal.PtrToStringUni(text);
                LocalFree(text);
                return identity;
            }
            finally
            {
                Marshal.FreeHGlobal(buffer);
                CloseHandle(token);
            }
        }

        [DllImport("libc", SetLastError = true)]
        private static extern int mkstemp(byte[] template);

        [DllImport("libc", SetLastError = true)]
        private static extern int close(int descriptor);

        [DllImport("libc", SetLastError = true)]
        private static extern int rename(byte[] from, byte[] to);

        [DllImport("libc")]
        private static extern uint getuid();

        [DllImport("kernel32")]
        private static extern IntPtr GetCurrentProcess();

        [DllImport("kernel32")]
        private static extern bool CloseHandle(IntPtr handle);

        [DllImport("kernel32")]
        private static extern IntPtr LocalFree(IntPtr memory);

        [DllImport("advapi32")]
        private static extern bool OpenProcessToken(IntPtr process, uint access, out IntPtr token);

        [DllImport("advapi32")]
        private static extern bool GetTokenInformation(IntPtr token, int kind, IntPtr buffer, int length, out int needed);

        [DllImport("advapi32", CharSet = CharSet.Unicode)]
        private static extern bool ConvertSidToStringSidW(IntPtr sid, out IntPtr text);
    }

    /// <summary>
    /// As much JSON as the protocol needs (RFC 8259): objects are dictionaries, arrays lists, numbers double. Throws
    /// FormatException, whose text holds nothing of what was read: it may be a token.
    /// </summary>
    internal sealed class Json
    {
        /// <summary>Answers are three levels deep.</summary>
        private const int maxDepth = 64;
        private readonly string text;
        private int at;

        private Json(string text)
        {
            this.text = text;
        }

        internal static object Read(string text)
        {
            var json = new Json(text);
            var value = json.Value(0);
            json.SkipBlanks();
            if (json.at < text.Length) throw Malformed();
            return value;
        }

        /// <summary>Why a file of JSON cannot be read: it is not there, or not JSON.</summary>
        internal static bool IsNoJsonFile(Exception exception)
        {
            return exception is IOException || exception is FormatException || exception is UnauthorizedAccessException;
        }

        /// <summary>Null if there is no object, or no such field.</summary>
        internal static object Field(JsonObject record, string name)
        {
            object value;
            return record != null && record.TryGetValue(name, out value) ? value : null;
        }

        internal static string Text(JsonObject record, string name)
        {
            var text = Field(record, name) as string;
            if (string.IsNullOrEmpty(text)) throw DmsConnectException.NotUnderstood();
            return text;
        }

        internal static double Number(JsonObject record, string name)
        {
            var number = Field(record, name) as double?;
            if (number == null) throw DmsConnectException.NotUnderstood();
            return number.Value;
        }

        internal static string Write(object value)
        {
            var output = new StringBuilder();
            Write(output, value);
            return output.ToString();
        }

        private static void Write(StringBuilder output, object value)
        {
            var record = value as JsonObject;
            var text = value as string;
            if (text != null) WriteText(output, text);
            else if (record == null) output.Append(Convert.ToString(value, CultureInfo.InvariantCulture));
            else WriteObject(output, record);
        }

        private static void WriteObject(StringBuilder output, JsonObject record)
        {
            var separator = '{';
            foreach (var field in record)
            {
                WriteText(output.Append(separator), field.Key);
                Write(output.Append(':'), field.Value);
                separator = ',';
            }
            output.Append(record.Count == 0 ? "{}" : "}");
        }

        private static void WriteText(StringBuilder output, string text)
        {
            output.Append('"');
            foreach (var c in text)
            {
                // Everything but plain ASCII is escaped: also half a surrogate pair makes valid JSON so.
                if (c < ' ' || c > '~' || c == '"' || c == '\\') output.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                else output.Append(c);
            }
            output.Append('"');
        }

        private object Value(int depth)
        {
            if (depth > maxDepth) throw Malformed();
            SkipBlanks();
            switch (Peek())
            {
                case '{':
                    return Object(depth);
                case '[':
                    return Array(depth);
                case '"':
                    return String();
                case 't':
                    return Word("true", true);
                case 'f':
                    return Word("false", false);
                case 'n':
                    return Word("null", null);
                default:
                    return Number();
            }
        }

        private JsonObject Object(int depth)
        {
            var fields = new JsonObject();
            at++;
            SkipBlanks();
            if (Took('}')) return fields;
            do
            {
                SkipBlanks();
                if (Peek() != '"') throw Malformed();
                var name = String();
                SkipBlanks();
                if (!Took(':')) throw Malformed();
                fields[name] = Value(depth + 1);
                SkipBlanks();
            } while (Took(','));
            if (!Took('}')) throw Malformed();
            return fields;
        }

        private List<object> Array(int depth)
        {
            var values = new List<object>();
            at++;
            SkipBlanks();
            if (Took(']')) return values;
            do
            {
                values.Add(Value(depth + 1));
                SkipBlanks();
            } while (Took(','));
            if (!Took(']')) throw Malformed();
            return values;
        }

        private string String()
        {
            var output = new StringBuilder();
            at++;
            while (!Took('"'))
            {
                var c = Peek();
                at++;
                if (c < ' ') throw Malformed();
                output.Append(c == '\\' ? Escaped() : c);
            }
            return output.ToString();
        }

        private char Escaped()
        {
            var c = Peek();
            at++;
            var simple = "\"\\/bfnrt".IndexOf(c);
            if (simple >= 0) return "\"\\/\b\f\n\r\t"[simple];
            int code;
            if (c != 'u' || at + 4 > text.Length) throw Malformed();
            if (!int.TryParse(text.Substring(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code)) throw Malformed();
            at += 4;
            return (char)code;
        }

        private object Word(string word, object value)
        {
            if (string.CompareOrdinal(text, at, word, 0, word.Length) != 0) throw Malformed();
            at += word.Length;
            return value;
        }

        private object Number()
        {
            var start = at;
            Took('-');
            if (!Took('0')) Digits();
            if (Took('.')) Digits();
            if (Took('e') || Took('E'))
            {
                if (!Took('+')) Took('-');
                Digits();
            }
            return double.Parse(text.Substring(start, at - start), NumberStyles.Float, CultureInfo.InvariantCulture);
        }

        private void Digits()
        {
            var start = at;
            while (at < text.Length && text[at] >= '0' && text[at] <= '9') at++;
            if (at == start) throw Malformed();
        }

        private char Peek()
        {
            if (at >= text.Length) throw Malformed();
            return text[at];
        }

        private bool Took(char wanted)
        {
            if (at >= text.Length || text[at] != wanted) return false;
            at++;
            return true;
        }

        private void SkipBlanks()
        {
            while (at < text.Length && (text[at] == ' ' || text[at] == '\t' || text[at] == '\r' || text[at] == '\n')) at++;
        }

        private static FormatException Malformed()
        {
            return new FormatException("not JSON");
        }
    }
}
