import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/**
 * A small DMS program: pairs, and gets tokens. It speaks the commands of clients/conformance.md.
 *
 * <p>A real program does not print tokens: it sends {@code token.headers()} with its API call.
 */
public final class Sample {
  private static final String USAGE = """
      usage: java Sample pair NAME               shows the code, waits for approval, stores the credentials
             java Sample token PROVIDER USER     prints an access token, and nothing else
             java Sample rejected PROVIDER USER  reports that token as refused by the API, prints the new one
             java Sample session                 reads "PROVIDER USER" lines, prints "USER ok TOKEN" or "USER error WORD"
             java Sample watch                   prints "USER STATE" for each connection and change, until DMS Connect ends
      The credentials are kept in the file DMS_CONNECT_CREDENTIALS, else below the user's configuration folder.""";

  // The console's own character set may not know every letter of a name.
  private static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
  private static final PrintStream ERR = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);

  public static void main(String[] arguments) throws IOException, InterruptedException {
    System.exit(run(arguments));
  }

  private static int run(String[] words) throws IOException, InterruptedException {
    String order = words.length == 0 ? "" : words[0] + " " + (words.length - 1);
    if (!List.of("pair 1", "token 2", "rejected 2", "session 0", "watch 0").contains(order)) {
      ERR.println(USAGE);
      return 2;
    }
    String seconds = System.getenv("DMS_CONNECT_TIMEOUT_SECONDS");
    Duration timeout = seconds == null ? DmsConnect.DEFAULT_TIMEOUT : Duration.ofSeconds(Long.parseLong(seconds));
    try (DmsConnect broker = new DmsConnect(DmsConnect.load(credentialsFile()), null, timeout)) {
      switch (words[0]) {
        case "pair" -> pair(broker, words[1]);
        case "session" -> serve(broker);
        case "watch" -> watch(broker);
        case "token" -> OUT.println(broker.token(words[1], words[2]).accessToken());
        default -> {
          DmsConnect.Selector user = new DmsConnect.Selector(words[1], words[2]);
          String tokenId = broker.token(words[1], words[2]).tokenId();
          OUT.println(broker.tokenRejected(user, tokenId, null).accessToken());
        }
      }
      return 0;
    } catch (DmsConnect.Failure failure) {
      report(failure);
      return 1;
    }
  }

  private static void pair(DmsConnect broker, String name) throws DmsConnect.Failure, IOException {
    DmsConnect.Credentials credentials = broker.pair(name, null, "Sample program", (code, seconds) ->
        ERR.println("Code: " + code + ". Compare it with DMS Connect's window and approve within " + seconds + " seconds."));
    DmsConnect.store(credentialsFile(), credentials);
    ERR.println("Paired.");
  }

  /** Answers each line on a thread of its own: a user whose token takes long holds up nobody. */
  private static void serve(DmsConnect broker) throws IOException, InterruptedException {
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    List<Thread> threads = new ArrayList<>();
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      String[] words = line.trim().split(" ");
      Thread thread = new Thread(() -> {
        String outcome;
        try {
          outcome = "ok " + broker.token(words[0], words[1]).accessToken();
        } catch (DmsConnect.Failure failure) {
          report(failure);
          outcome = "error " + failure.code;
        }
        OUT.println(words[1] + " " + outcome);
      });
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) thread.join();
  }

  private static void watch(DmsConnect broker) throws DmsConnect.Failure, InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    Object snapshot = broker.subscribe(event -> {
      if (event == null) ended.countDown();
      else if ("connection.changed".equals(event.get("type"))) show(event.get("connection"));
    }).get("connections");
    if (snapshot instanceof List<?> connections) connections.forEach(Sample::show);
    ended.await();
  }

  private static void show(Object connection) {
    if (connection instanceof Map<?, ?> fields) OUT.println(fields.get("user") + " " + fields.get("state"));
  }

  private static Path credentialsFile() {
    String chosen = System.getenv("DMS_CONNECT_CREDENTIALS");
    if (chosen != null) return Path.of(chosen);
    String folder = System.getenv(System.getenv("LOCALAPPDATA") == null ? "XDG_CONFIG_HOME" : "LOCALAPPDATA");
    return Path.of(folder == null ? System.getProperty("user.home") + "/.config" : folder, "dms-connect-sample", "credentials.json");
  }

  private static void report(DmsConnect.Failure failure) {
    ERR.println("sample: " + failure.getMessage() + " " + failure.remedy + " [" + failure.code + "]");
    if (failure.retryAfterSeconds != null) ERR.println("Try again in " + failure.retryAfterSeconds + " seconds.");
  }
}
