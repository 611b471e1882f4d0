import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** Checks what needs no broker: the document's test vectors, JSON, and the credentials file. Run: java SelfCheck FOLDER */
public final class SelfCheck {
  private static final DmsConnect.Credentials CREDENTIALS =
      new DmsConnect.Credentials("example-client", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  private static final String CLIENT_NONCE = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
  private static final String SERVER_NONCE = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";

  public static void main(String[] arguments) throws Exception {
    checkProofs();
    checkJson();
    checkCredentialsFile(Path.of(arguments[0]));
    checkNoSecretIsShown();
    // With DMS_CONNECT_PIPE empty, this is broker.json or the default name.
    System.out.println("pipe: " + DmsConnect.findPipe());
    System.out.println("self-check: ok");
  }

  private static void checkProofs() throws DmsConnect.Failure {
    same("DTveaRRYR3kR1ISJ0ROfVLOjcjPCK7GSuGO45Byuhlg", DmsConnect.proof(CREDENTIALS, "dms-connect/1 broker", CLIENT_NONCE, SERVER_NONCE));
    same("f-NGBjus9G4LQZ-Dr-N-ACguBslPl_i-eMBQXZSsNak", DmsConnect.proof(CREDENTIALS, "dms-connect/1 program", CLIENT_NONCE, SERVER_NONCE));
  }

  private static void checkJson() throws DmsConnect.Json.Malformed {
    same(Map.of("a", List.of(1.0, -0.5, 200.0), "b", Map.of(), "c", ""), DmsConnect.Json.read(" {\"a\" : [1,-0.5, 2e2],\"b\":{ },\"c\":\"\"}\r"));
    same("\"\\/\b\f\n\r\t\u00e9\ud83d\udd11", DmsConnect.Json.read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83d\\udd11\""));
    same("{\"a\\u000a\":\"\\ud83d\\udd11\"}", DmsConnect.Json.write(Map.of("a\n", "\ud83d\udd11")));
    for (String wrong : List.of("", "{", "[1,]", "{\"a\":}", "01", "1.", "\"\n\"", "\"\\x\"", "nul", "{} {}", "'a'", "[".repeat(100_000))) {
      try {
        DmsConnect.Json.read(wrong);
      } catch (DmsConnect.Json.Malformed refused) {
        continue;
      }
      throw new AssertionError("accepted: " + wrong);
    }
  }

  private static void checkCredentialsFile(Path folder) throws IOException {
    Path file = folder.resolve("new").resolve("credentials.json");
    same(null, DmsConnect.load(file));
    DmsConnect.store(file, new DmsConnect.Credentials("old", "old"));
    DmsConnect.store(file, CREDENTIALS);
    same(CREDENTIALS, DmsConnect.load(file));
    try (var files = Files.list(file.getParent())) {
      same(List.of(file), files.toList());
    }
    if (file.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      same("rw-------", java.nio.file.attribute.PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
    }
  }

  private static void checkNoSecretIsShown() {
    DmsConnect.Token token = new DmsConnect.Token("secret", "Bearer", "t-1", 1, 1, Map.of("Authorization", "Bearer secret"));
    String shown = token + " " + CREDENTIALS;
    if (shown.contains("secret") || shown.contains(CREDENTIALS.clientKey())) throw new AssertionError(shown);
  }

  private static void same(Object expected, Object found) {
    if (expected == null ? found != null : !expected.equals(found)) throw new AssertionError("expected " + expected + ", found " + found);
  }
}
