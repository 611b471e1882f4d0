/** A call that was made and waits for the test to answer it. */
export interface Held<Input, Output> {
  readonly input: Input;
  readonly answer: (output: Output) => void;
}

/** Keeps each call with the promise it waits on. */
export class HeldCalls<Input, Output> {
  readonly all: Held<Input, Output>[] = [];
  /** Answers calls at once instead of holding them. */
  answerAtOnce: ((input: Input) => Output) | undefined;

  call(input: Input): Promise<Output> {
    return new Promise((answer) => {
      this.all.push({ input, answer });
      if (this.answerAtOnce !== undefined) answer(this.answerAtOnce(input));
    });
  }

  get count(): number {
    return this.all.length;
  }

  /** The latest call; throws when there was none, which fails the test. */
  get last(): Held<Input, Output> {
    const last = this.all.at(-1);
    if (last === undefined) throw new Error("no such call was made");
    return last;
  }
}
