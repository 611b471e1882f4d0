import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousFileChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Client for DMS Connect: gets access tokens for a DMS program from the broker on this computer. Java 16 or newer, nothing
 * else. Written from docs/pipe-protocol.md; copy this one file into your program.
 *
 * <p>Thread-safe: share one object. It keeps one session, and opens it again when it has ended.
 *
 * <p>Invariants: nothing but the greeting is sent before the broker has proved that it holds this program's key; no
 * exception's text holds a token, a key or a proof; every call ends, with a result or a {@link Failure}.
 */
@SuppressWarnings("serial")
public final class DmsConnect implements AutoCloseable {
  private static final int PROTOCOL = 1;
  /** The broker may have to ask the provider first; the document asks for at least 60 seconds. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(75);
  /** Two round trips on one computer; the broker itself gives up after 5 seconds. */
  private static final Duration HANDSHAKE_TIMEOUT = Duration.ofSeconds(10);
  /** How long a broker that went away in the middle of a request is looked for: an app that restarts needs a moment. */
  private static final Duration RESTART_PATIENCE = Duration.ofSeconds(5);
  /** Lists of connections may be long; nothing the broker sends is longer. */
  private static final int MAX_LINE_BYTES = 8 * 1024 * 1024;

  private final String pipe;
  private final Duration timeout;
  private Credentials credentials;
  private Session session;

  /** Finds the pipe itself. {@code credentials} come from {@link #load} or {@link #pair}; null before pairing. */
  public DmsConnect(Credentials credentials) {
    this(credentials, null, DEFAULT_TIMEOUT);
  }

  /** @param pipe overrides the search for the pipe; may be null */
  public DmsConnect(Credentials credentials, String pipe, Duration timeout) {
    this.credentials = credentials;
    this.pipe = pipe;
    this.timeout = timeout;
  }

  /** What pairing handed out. {@code clientKey} is a secret: keep it in a file that only this user can read. */
  public record Credentials(String clientId, String clientKey) {
    @Override
    public String toString() {
      return "Credentials of " + clientId;
    }
  }

  /** Names a connection: one user's grant at one provider. {@code environment} may be null. */
  public record Selector(String provider, String user, String environment) {
    public Selector(String provider, String user) {
      this(provider, user, null);
    }
  }

  /** A valid access token. Send all of {@code headers} with the API call, unchanged; keep it in memory only. */
  public record Token(String accessToken, String tokenType, String tokenId, long expiresAt, long expiresInSeconds, Map<String, String> headers) {
    @Override
    public String toString() {
      // A token in a stack trace or a log is a leak.
      return "Token " + tokenId + ", " + expiresInSeconds + " seconds left";
    }
  }

  /**
   * Why a call failed. Act on {@code code}, show {@code getMessage()} and {@code remedy} to the person, log {@code detail}.
   *
   * <p>Besides the broker's words {@code code} is one of this class's own: {@code broker_unreachable} (nobody listens, or the
   * connection ended), {@code broker_not_genuine} (a stranger on the pipe, or this program was removed), {@code timed_out}.
   */
  public static class Failure extends Exception {
    public final String code;
    public final String detail;
    public final String remedy;
    public final boolean retryable;
    /** Wait at least this long; null where the broker does not say. */
    public final Double retryAfterSeconds;

    Failure(String code, String detail, String message, String remedy, boolean retryable, Double retryAfterSeconds) {
      super(message);
      this.code = code;
      this.detail = detail;
      this.remedy = remedy;
      this.retryable = retryable;
      this.retryAfterSeconds = retryAfterSeconds;
    }

    Failure(String code, String message, String remedy, boolean retryable) {
      this(code, code, message, remedy, retryable, null);
    }
  }

  /** Shows the six digits that the person compares with DMS Connect's window. */
  public interface ShowCode {
    void show(String code, long expiresInSeconds);
  }

  /** Ends the session. Calls that wait end with {@code broker_unreachable}; a later call opens a new session. */
  @Override
  public synchronized void close() {
    if (session != null) session.close();
    session = null;
  }

  /**
   * Asks the person to approve this program. Store the result at once.
   *
   * @param publisher may be null
   * @param reason may be null
   */
  public Credentials pair(String name, String publisher, String reason, ShowCode showCode) throws Failure {
    Session visit = new Session(openTransport());
    try {
      Map<String, Object> asked = visit.request("pairing.request", given("name", name, "publisher", publisher, "reason", reason), timeout);
      long seconds = number(asked, "expiresInSeconds");
      showCode.show(text(asked, "code"), seconds);
      Duration patience = Duration.ofSeconds(seconds).plus(HANDSHAKE_TIMEOUT);
      Map<String, Object> decided = visit.request("pairing.wait", given("pairingId", text(asked, "pairingId")), patience);
      Credentials made = new Credentials(text(decided, "clientId"), text(decided, "clientKey"));
      keyBytes(made);
      synchronized (this) {
        credentials = made;
      }
      return made;
    } finally {
      visit.close();
    }
  }

  /** A valid token of this user. Cheap: ask before each API call. */
  public Token token(String provider, String user) throws Failure {
    return token(new Selector(provider, user), null, null);
  }

  /** As above. {@code organisation} and {@code minValiditySeconds} may be null. */
  public Token token(Selector selector, String organisation, Integer minValiditySeconds) throws Failure {
    Map<String, Object> params = given(selector, "organisation", organisation, "minValiditySeconds", minValiditySeconds);
    return readToken(call("token.get", params, true));
  }

  /** Call it when the provider's API answered 401 (not 403), then repeat the API call once with the new token. */
  public Token tokenRejected(Selector selector, String tokenId, String organisation) throws Failure {
    return readToken(call("token.rejected", given(selector, "tokenId", tokenId, "organisation", organisation), true));
  }

  /** All connections this program may use: JSON objects as maps. */
  public List<?> connections() throws Failure {
    if (call("connection.list", Map.of(), true).get("connections") instanceof List<?> list) return list;
    throw notUnderstood();
  }

  /** One connection. Treat a {@code state} you do not know like Retrying: ask for a token. */
  public Map<String, Object> connection(Selector selector) throws Failure {
    return call("connection.get", given(selector), true);
  }

  /** Opens the provider's sign-in page in the user's browser. Only when the user has asked for it. */
  public void connectStart(Selector selector, String organisation) throws Failure {
    // A second start opens the same page again, so it may be repeated.
    call("connect.start", given(selector, "organisation", organisation), true);
  }

  /** Ends a sign-in that waits. */
  public void connectCancel(Selector selector) throws Failure {
    call("connect.cancel", given(selector), false);
  }

  /** Ends the grant at the provider. */
  public void revoke(Selector selector) throws Failure {
    call("connection.revoke", given(selector), false);
  }

  /** Deletes the tokens on this computer only; the grant at the provider stands. */
  public void forget(Selector selector) throws Failure {
    call("connection.forget", given(selector), false);
  }

  /** Version, protocol, vault and registered providers. */
  public Map<String, Object> status() throws Failure {
    return call("broker.status", Map.of(), true);
  }

  /**
   * Gives {@code sequence} and all {@code connections}; then {@code listener} gets the params of each event, on a thread of
   * its own, and null once when the session has ended: subscribe again then, and start from the new snapshot.
   */
  public Map<String, Object> subscribe(Consumer<Map<String, Object>> listener) throws Failure {
    Session open = session(Duration.ZERO);
    BlockingQueue<Map<String, Object>> events = new LinkedBlockingQueue<>();
    Map<String, Object> theEnd = new HashMap<>();
    open.onEvent = event -> events.add(event == null ? theEnd : event);
    Map<String, Object> snapshot = open.request("events.subscribe", Map.of(), timeout);
    // Only now: an event in the same packet must not reach the program before its snapshot.
    startThread("dms-connect-events", () -> {
      Map<String, Object> event;
      do {
        event = events.take();
        listener.accept(event == theEnd ? null : event);
      } while (event != theEnd);
    });
    return snapshot;
  }

  private Map<String, Object> call(String method, Map<String, Object> params, boolean repeatable) throws Failure {
    Session open = session(Duration.ZERO);
    try {
      return open.request(method, params, timeout);
    } catch (ConnectionEnded ended) {
      if (!repeatable) throw ended;
    } catch (Failure failure) {
      // The program's access was changed, which ends its sessions: prove the key again and repeat.
      if (!failure.detail.equals("session_not_authenticated") || !repeatable) throw failure;
      open.close();
    }
    return session(RESTART_PATIENCE).request(method, params, timeout);
  }

  /** The session, opened if there is none or it has ended. With patience, a broker that is not there is waited for. */
  private synchronized Session session(Duration patience) throws Failure {
    if (session != null && session.isOpen()) return session;
    if (credentials == null) throw new Failure("not_paired", "This program is not paired with DMS Connect.", "Pair it first.", false);
    session = null;
    Session opened = new Session(openTransport(patience));
    try {
      prove(opened, credentials);
    } catch (Failure | RuntimeException failure) {
      opened.close();
      throw failure;
    }
    session = opened;
    return opened;
  }

  private Transport openTransport(Duration patience) throws Failure {
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      try {
        return openTransport();
      } catch (ConnectionEnded ended) {
        if (System.nanoTime() - deadline >= 0) throw ended;
        pause(250);
      }
    }
  }

  private Transport openTransport() throws ConnectionEnded {
    try {
      String name = pipe == null ? findPipe() : pipe;
      return isWindows() ? WindowsPipe.open(name, timeout) : UnixSocket.open(name);
    } catch (IOException | RuntimeException unreachable) {
      // Also a name that cannot be one: there is nobody to talk to.
      throw new ConnectionEnded();
    }
  }

  /** Both proofs. The broker's is checked before ours, or anything else, is sent. */
  private static void prove(Session session, Credentials credentials) throws Failure {
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    String clientNonce = base64url(random);
    Map<String, Object> hello = given("protocol", PROTOCOL, "clientId", credentials.clientId(), "nonce", clientNonce);
    Map<String, Object> greeting;
    try {
      greeting = session.request("session.hello", hello, HANDSHAKE_TIMEOUT);
    } catch (ConnectionEnded | TimedOut silent) {
      throw silent;
    } catch (Failure refused) {
      // Nothing is proved yet: keep the word, not the words of whoever sits there.
      throw new Failure(refused.code, refused.detail, "The program on the pipe refused the greeting.", "Restart DMS Connect and try again.",
          refused.retryable, refused.retryAfterSeconds);
    }
    if (!(greeting.get("nonce") instanceof String serverNonce) || !(greeting.get("proof") instanceof String given)) throw notGenuine();
    String expected = proof(credentials, "dms-connect/1 broker", clientNonce, serverNonce);
    // MessageDigest.isEqual takes the same time wherever the two differ.
    if (!MessageDigest.isEqual(utf8(expected), utf8(given))) throw notGenuine();
    String proof = proof(credentials, "dms-connect/1 program", clientNonce, serverNonce);
    session.request("session.authenticate", given("proof", proof), HANDSHAKE_TIMEOUT);
  }

  static String proof(Credentials credentials, String label, String clientNonce, String serverNonce) throws Failure {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(keyBytes(credentials), "HmacSHA256"));
      return base64url(mac.doFinal(utf8(String.join("\n", label, credentials.clientId(), clientNonce, serverNonce))));
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every Java has HmacSHA256");
    }
  }

  private static byte[] keyBytes(Credentials credentials) throws Failure {
    byte[] key = {};
    try {
      key = Base64.getUrlDecoder().decode(credentials.clientKey());
    } catch (IllegalArgumentException damaged) {
      // Its length tells below.
    }
    if (key.length != 32) throw new Failure("not_paired", "The stored key is damaged.", "Pair the program again.", false);
    return key;
  }

  private static String base64url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static final class ConnectionEnded extends Failure {
    ConnectionEnded() {
      super("broker_unreachable", "DMS Connect is not running, or has ended the session.",
          "Start DMS Connect and try again. If its window is open, read what it says there.", true);
    }
  }

  private static final class TimedOut extends Failure {
    TimedOut() {
      super("timed_out", "DMS Connect did not answer in time.", "Try again; if it stays so, restart DMS Connect.", true);
    }
  }

  private static Failure notGenuine() {
    return new Failure("broker_not_genuine", "The program on the pipe could not prove that it is DMS Connect.",
        "If this program was removed in DMS Connect, pair it again. Otherwise do not go on, and call your administrator.", false);
  }

  private static Failure notUnderstood() {
    return new Failure("internal_error", "DMS Connect's answer could not be understood.", "Update this program or DMS Connect.", false);
  }

  /** A failure from a JSON-RPC {@code error}. */
  private static Failure refusal(Object error) {
    Map<?, ?> data = error instanceof Map<?, ?> map && map.get("data") instanceof Map<?, ?> found ? found : Map.of();
    String code = shown(data.get("code"), "internal_error");
    Double seconds = data.get("retryAfterSeconds") instanceof Double number ? number : null;
    return new Failure(code, shown(data.get("detail"), code), shown(data.get("message"), "DMS Connect refused the request."),
        shown(data.get("remedy"), "Look into DMS Connect's window."), Boolean.TRUE.equals(data.get("retryable")), seconds);
  }

  /** No control characters: these texts go to terminals and logs. */
  private static String shown(Object value, String fallback) {
    return value instanceof String text && !text.isEmpty() ? text.replaceAll("[\\p{Cntrl}\\p{Cf}]", " ") : fallback;
  }

  private static Token readToken(Map<String, Object> result) throws Failure {
    Map<String, String> headers = new LinkedHashMap<>();
    if (!(result.get("headers") instanceof Map<?, ?> given)) throw notUnderstood();
    for (Map.Entry<?, ?> header : given.entrySet()) {
      if (!(header.getValue() instanceof String value)) throw notUnderstood();
      headers.put((String) header.getKey(), value);
    }
    return new Token(text(result, "accessToken"), text(result, "tokenType"), text(result, "tokenId"), number(result, "expiresAt"),
        number(result, "expiresInSeconds"), Map.copyOf(headers));
  }

  private static String text(Map<String, Object> result, String name) throws Failure {
    if (result.get(name) instanceof String text && !text.isEmpty()) return text;
    throw notUnderstood();
  }

  private static long number(Map<String, Object> result, String name) throws Failure {
    if (result.get(name) instanceof Double number) return number.longValue();
    throw notUnderstood();
  }

  /** The parameters that have a value: the broker refuses null. */
  private static Map<String, Object> given(Object... namesAndValues) {
    Map<String, Object> params = new LinkedHashMap<>();
    for (int index = 0; index < namesAndValues.length; index += 2) {
      if (namesAndValues[index + 1] != null) params.put((String) namesAndValues[index], namesAndValues[index + 1]);
    }
    return params;
  }

  private static Map<String, Object> given(Selector selector, Object... namesAndValues) {
    Map<String, Object> params = given("provider", selector.provider(), "user", selector.user(), "environment", selector.environment());
    params.putAll(given(namesAndValues));
    return params;
  }

  private static void pause(long milliseconds) {
    try {
      Thread.sleep(milliseconds);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private interface Work {
    void run() throws InterruptedException, IOException;
  }

  private static void startThread(String name, Work work) {
    Thread thread = new Thread(() -> {
      try {
        work.run();
      } catch (InterruptedException | IOException ended) {
        // Whoever waits is told by Session.close.
      }
    }, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** One connection: requests from any thread, answers matched by id on a thread that only reads. */
  private static final class Session {
    private static final byte[] NOTHING_MORE = {};
    private final Transport transport;
    private final Map<Double, CompletableFuture<Map<String, Object>>> waiting = new HashMap<>();
    /** Written by a thread of its own, so that a broker that does not read cannot hold up a caller beyond its timeout. */
    private final BlockingQueue<byte[]> unsent = new LinkedBlockingQueue<>();
    private long lastId = 0;
    private boolean open = true;
    private volatile long heardAt = System.nanoTime();
    private volatile Consumer<Map<String, Object>> onEvent;

    Session(Transport transport) {
      this.transport = transport;
      startThread("dms-connect-read", this::readAll);
      startThread("dms-connect-write", this::writeAll);
    }

    synchronized boolean isOpen() {
      return open;
    }

    Map<String, Object> request(String method, Map<String, Object> params, Duration timeout) throws Failure {
      CompletableFuture<Map<String, Object>> answer = new CompletableFuture<>();
      double id;
      synchronized (this) {
        if (!open) throw new ConnectionEnded();
        lastId += 1;
        id = lastId;
        waiting.put(id, answer);
        Map<String, Object> message = given("jsonrpc", "2.0", "id", lastId, "method", method, "params", params);
        unsent.add(utf8(Json.write(message) + "\n"));
      }
      long sentAt = System.nanoTime();
      try {
        return resultOf(answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS));
      } catch (TimeoutException late) {
        synchronized (this) {
          waiting.remove(id);
        }
        // Not only this answer: nothing came at all. The next call gets a new connection.
        if (heardAt - sentAt < 0) close();
        throw new TimedOut();
      } catch (ExecutionException ended) {
        throw new ConnectionEnded();
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new TimedOut();
      }
    }

    private static Map<String, Object> resultOf(Map<String, Object> message) throws Failure {
      if (message.containsKey("error")) throw refusal(message.get("error"));
      if (!(message.get("result") instanceof Map<?, ?> result)) throw notUnderstood();
      Map<String, Object> fields = new LinkedHashMap<>();
      result.forEach((name, value) -> fields.put((String) name, value));
      return fields;
    }

    void close() {
      List<CompletableFuture<Map<String, Object>>> abandoned;
      Consumer<Map<String, Object>> listener;
      synchronized (this) {
        if (!open) return;
        open = false;
        abandoned = new ArrayList<>(waiting.values());
        waiting.clear();
        listener = onEvent;
        onEvent = null;
      }
      unsent.add(NOTHING_MORE);
      transport.close();
      for (CompletableFuture<Map<String, Object>> answer : abandoned) answer.completeExceptionally(new IOException("the connection ended"));
      if (listener != null) listener.accept(null);
    }

    private void writeAll() throws InterruptedException {
      try {
        for (byte[] line = unsent.take(); line != NOTHING_MORE; line = unsent.take()) transport.send(line);
      } catch (IOException lost) {
        // The reader gets what the broker said before it went away, and closes.
        pause(1000);
        close();
      }
    }

    private void readAll() {
      ByteArrayOutputStream unfinished = new ByteArrayOutputStream();
      byte[] buffer = new byte[65536];
      try {
        for (int count = transport.receive(buffer); count > 0; count = transport.receive(buffer)) {
          int start = 0;
          for (int index = 0; index < count; index++) {
            if (buffer[index] != '\n') continue;
            unfinished.write(buffer, start, index - start);
            start = index + 1;
            deliver(unfinished.toByteArray());
            unfinished.reset();
          }
          unfinished.write(buffer, start, count - start);
          if (unfinished.size() > MAX_LINE_BYTES) return;
        }
      } catch (IOException | Json.Malformed | RuntimeException broken) {
        // Lost, or not JSON lines: then it is no broker. What was received must not appear anywhere.
      } finally {
        close();
      }
    }

    private void deliver(byte[] line) throws CharacterCodingException, Json.Malformed {
      // Unlike new String, this decoder refuses what is not UTF-8.
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line)).toString();
      if (text.startsWith("\uFEFF")) text = text.substring(1);
      if (text.isBlank() || !(Json.read(text) instanceof Map<?, ?> read)) return;
      Map<String, Object> message = new LinkedHashMap<>();
      read.forEach((name, value) -> message.put((String) name, value));
      heardAt = System.nanoTime();
      if (message.containsKey("method")) {
        Consumer<Map<String, Object>> listener = onEvent;
        if (listener == null || !"event".equals(message.get("method")) || !(message.get("params") instanceof Map<?, ?> params)) return;
        Map<String, Object> event = new LinkedHashMap<>();
        params.forEach((name, value) -> event.put((String) name, value));
        listener.accept(event);
        return;
      }
      CompletableFuture<Map<String, Object>> answer;
      synchronized (this) {
        answer = waiting.remove(message.get("id"));
      }
      if (answer != null) answer.complete(message);
    }
  }

  /** Bytes to and from the broker. {@code send} and {@code receive} may run at the same time. */
  private interface Transport {
    void send(byte[] bytes) throws IOException;

    /** How many bytes were received; 0 or less at the end. */
    int receive(byte[] buffer) throws IOException;

    /** Ends both; a waiting {@code receive} returns or throws. */
    void close();
  }

  private record UnixSocket(SocketChannel channel) implements Transport {
    static UnixSocket open(String path) throws IOException {
      SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.connect(UnixDomainSocketAddress.of(path));
        return new UnixSocket(channel);
      } catch (IOException | RuntimeException failed) {
        channel.close();
        throw failed;
      }
    }

    @Override
    public void send(byte[] bytes) throws IOException {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      while (rest.hasRemaining()) channel.write(rest);
    }

    @Override
    public int receive(byte[] buffer) throws IOException {
      return channel.read(ByteBuffer.wrap(buffer));
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException gone) {
        // Closed is closed.
      }
    }
  }

  /**
   * A named pipe as a file with overlapped I/O: with RandomAccessFile a waiting read would make every write wait too. Java
   * cannot set SECURITY_IDENTIFICATION, so run the program with no more rights than it needs.
   */
  private record WindowsPipe(AsynchronousFileChannel channel) implements Transport {
    static WindowsPipe open(String name, Duration timeout) throws IOException {
      long deadline = System.nanoTime() + timeout.toNanos();
      while (true) {
        try {
          return new WindowsPipe(AsynchronousFileChannel.open(Path.of(name), StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (NoSuchFileException | AccessDeniedException | FileAlreadyExistsException notThere) {
          throw notThere;
        } catch (FileSystemException busy) {
          // ERROR_PIPE_BUSY has no exception of its own.
          if (System.nanoTime() - deadline >= 0) throw busy;
          pause(50);
        }
      }
    }

    @Override
    public void send(byte[] bytes) throws IOException {
      ByteBuffer rest = ByteBuffer.wrap(bytes);
      // A pipe has no positions; 0 is ignored.
      while (rest.hasRemaining()) finish(channel.write(rest, 0));
    }

    @Override
    public int receive(byte[] buffer) throws IOException {
      return finish(channel.read(ByteBuffer.wrap(buffer), 0));
    }

    private static int finish(java.util.concurrent.Future<Integer> operation) throws IOException {
      try {
        return operation.get();
      } catch (ExecutionException failed) {
        throw new IOException("the pipe is closed");
      } catch (InterruptedException interrupted) {
        throw new IOException("interrupted");
      }
    }

    @Override
    public void close() {
      try {
        channel.close();
      } catch (IOException gone) {
        // Closed is closed.
      }
    }
  }

  private static boolean isWindows() {
    return System.getProperty("os.name").startsWith("Windows");
  }

  /** The pipe's name: DMS_CONNECT_PIPE, else what the running app published in broker.json, else the default name. */
  public static String findPipe() throws IOException {
    String chosen = environment("DMS_CONNECT_PIPE");
    if (chosen != null) return chosen;
    try {
      if (Json.read(Files.readString(profileFolder().resolve("broker.json"))) instanceof Map<?, ?> published
          && published.get("name") instanceof String name
          && !name.isEmpty()) {
        return name;
      }
    } catch (IOException | Json.Malformed notPublished) {
      // It is there only while the broker runs.
    }
    return isWindows() ? defaultWindowsPipe() : defaultUnixSocket();
  }

  private static Path profileFolder() {
    String chosen = environment("DMS_CONNECT_PROFILE");
    if (chosen != null) return Path.of(chosen);
    Path home = Path.of(System.getProperty("user.home"));
    if (isWindows()) {
      String local = environment("LOCALAPPDATA");
      return (local == null ? home.resolve("AppData").resolve("Local") : Path.of(local)).resolve("dms-connect");
    }
    if (System.getProperty("os.name").startsWith("Mac")) return home.resolve("Library/Application Support/dms-connect");
    String config = environment("XDG_CONFIG_HOME");
    return (config == null || !config.startsWith("/") ? home.resolve(".config") : Path.of(config)).resolve("dms-connect");
  }

  private static String environment(String name) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? null : value;
  }

  private static String defaultUnixSocket() throws IOException {
    String runtime = environment("XDG_RUNTIME_DIR");
    if (runtime != null && runtime.startsWith("/")) return Path.of(runtime, "dms-connect", "broker.sock").toString();
    String temporary = environment("TMPDIR");
    // Java does not tell its user's number; a file that it makes does.
    Path probe = Files.createTempFile("dms-connect", null);
    try {
      Object userId = Files.getAttribute(probe, "unix:uid");
      return Path.of(temporary == null ? "/tmp" : temporary, "dms-connect-" + userId, "broker.sock").toString();
    } finally {
      Files.delete(probe);
    }
  }

  private static String defaultWindowsPipe() throws IOException {
    Matcher sid = Pattern.compile("\"(S-1-[0-9-]+)\"").matcher(systemProgram("whoami.exe", "/user", "/fo", "csv", "/nh"));
    String account = System.getenv().getOrDefault("USERDOMAIN", ".") + "\\" + System.getProperty("user.name");
    String identity = sid.find() ? sid.group(1) : account.toLowerCase(Locale.ROOT);
    String filter = "PID eq " + ProcessHandle.current().pid();
    Matcher row = Pattern.compile("(?m)^\"[^\"]*\",\"\\d+\",\"[^\"]*\",\"(\\d+)\"").matcher(systemProgram("tasklist.exe", "/fi", filter, "/fo", "csv", "/nh"));
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(utf8(identity));
      StringBuilder name = new StringBuilder("\\\\.\\pipe\\dms-connect-");
      for (int index = 0; index < 8; index++) name.append(String.format("%02x", hash[index]));
      return name.append('-').append(row.find() ? row.group(1) : "0").toString();
    } catch (GeneralSecurityException impossible) {
      throw new IllegalStateException("every Java has SHA-256");
    }
  }

  /** Runs a program of System32 by its full path, so that no folder on PATH can slip in another one. Empty when it fails. */
  private static String systemProgram(String name, String... arguments) {
    List<String> command = new ArrayList<>(List.of(System.getenv().getOrDefault("SystemRoot", "C:\\Windows") + "\\System32\\" + name));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException notThere) {
      return "";
    }
  }

  /** The credentials in the file; null if there is none, or it cannot be read as one. */
  public static Credentials load(Path file) {
    try {
      if (Json.read(Files.readString(file)) instanceof Map<?, ?> content
          && content.get("clientId") instanceof String clientId
          && content.get("clientKey") instanceof String clientKey) {
        return new Credentials(clientId, clientKey);
      }
    } catch (IOException | Json.Malformed none) {
      // As good as none.
    }
    return null;
  }

  /**
   * Replaces the file; it appears whole and for this user alone, or not at all. On Windows the folder's own permissions
   * protect it: keep it under %LOCALAPPDATA%.
   */
  public static void store(Path file, Credentials credentials) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder, owners("rwx------"));
    Path temporary = folder.resolve(file.getFileName() + "." + java.util.UUID.randomUUID());
    try {
      Files.createFile(temporary, owners("rw-------"));
      Files.writeString(temporary, Json.write(given("clientId", credentials.clientId(), "clientKey", credentials.clientKey())) + "\n", StandardOpenOption.SYNC);
      Files.move(temporary, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static FileAttribute<?>[] owners(String mode) {
    if (isWindows()) return new FileAttribute<?>[0];
    return new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(mode))};
  }

  /** As much JSON as the protocol needs (RFC 8259). Numbers are read as Double. */
  static final class Json {
    /** Answers are three levels deep. */
    private static final int MAX_DEPTH = 64;
    private static final Pattern NUMBER = Pattern.compile("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?");
    private final String text;
    private int at = 0;

    private Json(String text) {
      this.text = text;
    }

    /** Not JSON. Holds nothing of the text, which may be a token. */
    static final class Malformed extends Exception {
      Malformed() {
        super("not JSON", null, false, false);
      }
    }

    static Object read(String text) throws Malformed {
      Json json = new Json(text);
      Object value = json.value(0);
      json.skipBlanks();
      if (json.at < text.length()) throw new Malformed();
      return value;
    }

    static String write(Object value) {
      StringBuilder out = new StringBuilder();
      write(out, value);
      return out.toString();
    }

    private static void write(StringBuilder out, Object value) {
      if (value instanceof Map<?, ?> map) {
        String separator = "{";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
          out.append(separator);
          writeText(out, (String) entry.getKey());
          write(out.append(':'), entry.getValue());
          separator = ",";
        }
        out.append(map.isEmpty() ? "{}" : "}");
      } else if (value instanceof String text) {
        writeText(out, text);
      } else {
        out.append(value);
      }
    }

    private static void writeText(StringBuilder out, String text) {
      out.append('"');
      for (char c : text.toCharArray()) {
        // Everything but plain ASCII is escaped: also half a surrogate pair makes valid JSON so.
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') out.append(String.format("\\u%04x", (int) c));
        else out.append(c);
      }
      out.append('"');
    }

    private Object value(int depth) throws Malformed {
      if (depth > MAX_DEPTH) throw new Malformed();
      skipBlanks();
      switch (peek()) {
        case '{':
          return object(depth);
        case '[':
          return array(depth);
        case '"':
          return string();
        case 't':
          return word("true", Boolean.TRUE);
        case 'f':
          return word("false", Boolean.FALSE);
        case 'n':
          return word("null", null);
        default:
          return number();
      }
    }

    private Map<String, Object> object(int depth) throws Malformed {
      Map<String, Object> fields = new LinkedHashMap<>();
      at += 1;
      skipBlanks();
      if (took('}')) return fields;
      do {
        skipBlanks();
        if (peek() != '"') throw new Malformed();
        String name = string();
        skipBlanks();
        if (!took(':')) throw new Malformed();
        fields.put(name, value(depth + 1));
        skipBlanks();
      } while (took(','));
      if (!took('}')) throw new Malformed();
      return fields;
    }

    private List<Object> array(int depth) throws Malformed {
      List<Object> values = new ArrayList<>();
      at += 1;
      skipBlanks();
      if (took(']')) return values;
      do {
        values.add(value(depth + 1));
        skipBlanks();
      } while (took(','));
      if (!took(']')) throw new Malformed();
      return values;
    }

    private String string() throws Malformed {
      StringBuilder out = new StringBuilder();
      at += 1;
      while (!took('"')) {
        char c = peek();
        at += 1;
        if (c < 0x20) throw new Malformed();
        out.append(c == '\\' ? escaped() : c);
      }
      return out.toString();
    }

    private char escaped() throws Malformed {
      char c = peek();
      at += 1;
      int simple = "\"\\/bfnrt".indexOf(c);
      if (simple >= 0) return "\"\\/\b\f\n\r\t".charAt(simple);
      if (c != 'u' || at + 4 > text.length()) throw new Malformed();
      int code = 0;
      for (int digit = 0; digit < 4; digit++) {
        int value = Character.digit(text.charAt(at++), 16);
        if (value < 0) throw new Malformed();
        code = code * 16 + value;
      }
      return (char) code;
    }

    private Object word(String word, Object value) throws Malformed {
      if (!text.startsWith(word, at)) throw new Malformed();
      at += word.length();
      return value;
    }

    private Double number() throws Malformed {
      Matcher matcher = NUMBER.matcher(text).region(at, text.length());
      if (!matcher.lookingAt()) throw new Malformed();
      at = matcher.end();
      return Double.valueOf(matcher.group());
    }

    private char peek() throws Malformed {
      if (at >= text.length()) throw new Malformed();
      return text.charAt(at);
    }

    private boolean took(char wanted) {
      if (at >= text.length() || text.charAt(at) != wanted) return false;
      at += 1;
      return true;
    }

    private void skipBlanks() {
      while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at += 1;
    }
  }
}
