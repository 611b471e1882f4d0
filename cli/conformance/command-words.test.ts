import { describe, expect, it } from "vitest";
import { programCommand, splitWords } from "./command-words.ts";

describe("the words of --exec", () => {
  it.each([
    ["program", ["program"]],
    ["  java -cp out  Sample ", ["java", "-cp", "out", "Sample"]],
    ['"C:\\Program Files\\dms.exe" token', ["C:\\Program Files\\dms.exe", "token"]],
    ["sh -c 'echo \"a b\"'", ["sh", "-c", 'echo "a b"']],
    ['--name="a b"c ""', ["--name=a bc", ""]],
  ])("of %j are %j", (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it.each(["", "  ", 'program "not closed', "it's"])("are not guessed from %j", (text) => {
    expect(splitWords(text)).toBeUndefined();
    expect(programCommand(text)).toBeUndefined();
  });
});

describe("the words of a run", () => {
  it("are the program's and the order's", () => {
    expect(programCommand("python3 sample.py")?.wordsFor(["token", "mazda", "joe"], "file")).toEqual([
      "python3",
      "sample.py",
      "token",
      "mazda",
      "joe",
    ]);
  });

  it("have the order where {words} is, and the file where {credentials} is", () => {
    const command = programCommand("cli {words} --credentials={credentials}");
    expect(command?.wordsFor(["session"], "/a file")).toEqual(["cli", "session", "--credentials=/a file"]);
  });

  it("leave a program that takes provider and user alone with every other order", () => {
    const command = programCommand("dms-token --user {user} {provider}");
    expect(command?.wordsFor(["token", "mazda", "joe {provider}"], "file")).toEqual(["dms-token", "--user", "joe {provider}", "mazda"]);
    expect(command?.wordsFor(["session"], "file")).toBeUndefined();
  });
});
