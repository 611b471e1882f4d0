// Checks what needs no broker: the document's test vectors, JSON, and the credentials file. Compiled together with
// DmsConnect.cs, whose inner parts it looks at. Run: SelfCheck FOLDER
using System;
using System.Collections.Generic;
using System.IO;
using DmsConnect;

internal static class SelfCheck
{
    private static readonly Credentials credentials = new Credentials("example-client", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    private const string clientNonce = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8";
    private const string serverNonce = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";

    private static int Main(string[] words)
    {
        CheckProofs();
        CheckJson();
        CheckCredentialsFile(words[0]);
        CheckNoSecretIsShown();
        Console.WriteLine("pipe: " + Transport.FindPipe());
        Console.WriteLine("self-check: ok");
        return 0;
    }

    private static void CheckProofs()
    {
        Same("DTveaRRYR3kR1ISJ0ROfVLOjcjPCK7GSuGO45Byuhlg", Proof.Make(credentials, "dms-connect/1 broker", clientNonce, serverNonce));
        Same("f-NGBjus9G4LQZ-Dr-N-ACguBslPl_i-eMBQXZSsNak", Proof.Make(credentials, "dms-connect/1 program", clientNonce, serverNonce));
    }

    private static void CheckJson()
    {
        var read = (Dictionary<string, object>)Json.Read(" {\"a\" : [1,-0.5, 2e2],\"b\":{ },\"c\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\\ud83d\\udd11\",\"d\":[true,false,null]}\r");
        Same("1 -0.5 200", string.Join(" ", ((List<object>)read["a"]).ConvertAll(number => Convert.ToString(number, System.Globalization.CultureInfo.InvariantCulture)).ToArray()));
        Same("\"\\/\b\f\n\r\t\u00e9\ud83d\udd11", read["c"]);
        Same("{\"a\\u000a\":\"\\ud83d\\udd11\",\"b\":{\"c\":1}}", Json.Write(new Dictionary<string, object> { { "a\n", "\ud83d\udd11" }, { "b", new Dictionary<string, object> { { "c", 1 } } } }));
        foreach (var wrong in new[] { "", "{", "[1,]", "{\"a\":}", "01", "1.", "\"\n\"", "\"\\x\"", "nul", "{} {}", "'a'", new string('[', 100000) })
        {
            try
            {
                Json.Read(wrong);
            }
            catch (FormatException)
            {
                continue;
            }
            throw new InvalidOperationException("accepted: " + wrong);
        }
    }

    private static void CheckCredentialsFile(string folder)
    {
        var file = Path.Combine(folder, "new", "credentials.json");
        Same(null, Credentials.Load(file));
        new Credentials("old", "old").Store(file);
        credentials.Store(file);
        Same(credentials.ClientId + credentials.ClientKey, Credentials.Load(file).ClientId + Credentials.Load(file).ClientKey);
        Same(1, Directory.GetFiles(Path.GetDirectoryName(file)).Length);
    }

    private static void CheckNoSecretIsShown()
    {
        var headers = new Dictionary<string, object> { { "Authorization", "Bearer secret" } };
        var token = new Token(new Dictionary<string, object>
        {
            { "accessToken", "secret" }, { "tokenType", "Bearer" }, { "tokenId", "t-1" }, { "expiresAt", 1.0 }, { "expiresInSeconds", 1.0 }, { "headers", headers },
        });
        var shown = token + " " + credentials;
        if (shown.Contains("secret") || shown.Contains(credentials.ClientKey)) throw new InvalidOperationException(shown);
    }

    private static void Same(object expected, object found)
    {
        if (!Equals(expected, found)) throw new InvalidOperationException("expected " + expected + ", found " + found);
    }
}
