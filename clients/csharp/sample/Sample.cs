// A small DMS program: pairs, and gets tokens. It speaks the commands of clients/conformance.md.
// A real program does not print tokens: it sends token.Headers with its API call.
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using DmsConnect;

internal static class Sample
{
    private const string usage = @"usage: Sample pair NAME               shows the code, waits for approval, stores the credentials
       Sample token PROVIDER USER     prints an access token, and nothing else
       Sample rejected PROVIDER USER  reports that token as refused by the API, prints the new one
       Sample session                 reads ""PROVIDER USER"" lines, prints ""USER ok TOKEN"" or ""USER error WORD""
       Sample watch                   prints ""USER STATE"" for each connection and change, until DMS Connect ends
The credentials are kept in the file DMS_CONNECT_CREDENTIALS, else below the user's application data.";

    // The console's own character set may not know every letter of a name.
    private static readonly TextWriter output = TextWriter.Synchronized(Utf8(Console.OpenStandardOutput()));
    private static readonly TextWriter errors = TextWriter.Synchronized(Utf8(Console.OpenStandardError()));

    private static int Main(string[] words)
    {
        return RunAsync(words).GetAwaiter().GetResult();
    }

    private static async Task<int> RunAsync(string[] words)
    {
        var order = words.Length == 0 ? "" : words[0] + " " + (words.Length - 1);
        if (Array.IndexOf(new[] { "pair 1", "token 2", "rejected 2", "session 0", "watch 0" }, order) < 0)
        {
            errors.WriteLine(usage);
            return 2;
        }
        var seconds = Environment.GetEnvironmentVariable("DMS_CONNECT_TIMEOUT_SECONDS");
        var timeout = seconds == null ? Client.DefaultTimeout : TimeSpan.FromSeconds(double.Parse(seconds, CultureInfo.InvariantCulture));
        using (var broker = new Client(Credentials.Load(CredentialsFile()), null, timeout))
        {
            try
            {
                if (words[0] == "pair") await PairAsync(broker, words[1]);
                else if (words[0] == "session") await ServeAsync(broker);
                else if (words[0] == "watch") await WatchAsync(broker);
                else output.WriteLine((await TokenAsync(broker, words)).AccessToken);
                return 0;
            }
            catch (DmsConnectException failure)
            {
                Report(failure);
                return 1;
            }
        }
    }

    private static async Task<Token> TokenAsync(Client broker, string[] words)
    {
        var user = new Selector(words[1], words[2]);
        var token = await broker.TokenAsync(user);
        return words[0] == "token" ? token : await broker.TokenRejectedAsync(user, token.TokenId);
    }

    private static async Task PairAsync(Client broker, string name)
    {
        using (var pairing = await broker.RequestPairingAsync(name, null, "Sample program"))
        {
            errors.WriteLine("Code: " + pairing.Code + ". Compare it with DMS Connect's window and approve within " + pairing.ExpiresInSeconds + " seconds.");
            (await pairing.WaitAsync()).Store(CredentialsFile());
            errors.WriteLine("Paired.");
        }
    }

    /// <summary>Starts each answer without waiting for the last: a user whose token takes long holds up nobody.</summary>
    private static async Task ServeAsync(Client broker)
    {
        var answers = new List<Task>();
        using (var input = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false)))
        {
            for (var line = await input.ReadLineAsync(); line != null; line = await input.ReadLineAsync())
            {
                var words = line.Trim().Split(' ');
                answers.Add(AnswerAsync(broker, words[0], words[1]));
            }
        }
        await Task.WhenAll(answers);
    }

    private static async Task AnswerAsync(Client broker, string provider, string user)
    {
        try
        {
            var token = await broker.TokenAsync(new Selector(provider, user));
            output.WriteLine(user + " ok " + token.AccessToken);
        }
        catch (DmsConnectException failure)
        {
            Report(failure);
            output.WriteLine(user + " error " + failure.Code);
        }
    }

    private static async Task WatchAsync(Client broker)
    {
        var ended = new TaskCompletionSource<bool>();
        var snapshot = await broker.SubscribeAsync(change =>
        {
            if (change == null) ended.SetResult(true);
            else if ("connection.changed".Equals(change["type"])) Show(change["connection"]);
        });
        foreach (var connection in (List<object>)snapshot["connections"]) Show(connection);
        await ended.Task;
    }

    private static void Show(object connection)
    {
        var fields = (Dictionary<string, object>)connection;
        output.WriteLine(fields["user"] + " " + fields["state"]);
    }

    private static void Report(DmsConnectException failure)
    {
        errors.WriteLine("sample: " + failure.Message + " " + failure.Remedy + " [" + failure.Code + "]");
        if (failure.RetryAfterSeconds != null) errors.WriteLine("Try again in " + failure.RetryAfterSeconds + " seconds.");
    }

    private static string CredentialsFile()
    {
        var folder = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
        return Environment.GetEnvironmentVariable("DMS_CONNECT_CREDENTIALS") ?? Path.Combine(folder, "dms-connect-sample", "credentials.json");
    }

    private static TextWriter Utf8(Stream stream)
    {
        return new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true };
    }
}
