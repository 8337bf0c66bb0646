import type { Client, ClientOptions } from "../client/client.ts";

/** The options of a command, as node:util's parseArgs takes them. */
export type OptionSpecs = Readonly<
  Record<string, { readonly type: "boolean" } | { readonly type: "string"; readonly multiple?: boolean }>
>;

/** What was given of these options. */
export type Values<Specs extends OptionSpecs> = {
  [Name in keyof Specs]: Specs[Name] extends { type: "boolean" }
    ? boolean | undefined
    : Specs[Name] extends { multiple: true }
      ? string[] | undefined
      : string | undefined;
};

/** What a command works with. */
export interface Context {
  /** A client of the service at `--url`, with `--key`. Throws UsageError without a key. */
  connect: (options?: Partial<ClientOptions>) => Client;
  /** Whether `--json` was given. */
  asJson: boolean;
  /** Writes a result to the standard output, no faster than it is taken. */
  out: (result: string | Uint8Array) => Promise<void>;
  /** Where progress is shown and what is not a result is said. */
  err: NodeJS.WriteStream;
  /** The bytes of a file, `-` being the standard input. Throws UsageError when it cannot be read. */
  readFile: (path: string) => Promise<Buffer<ArrayBuffer>>;
}

/** One verb of `tresline`. */
export interface Command<Specs extends OptionSpecs = OptionSpecs> {
  /** What `--help` says before the options that all commands have; 80 columns at most. */
  help: string;
  options: Specs;
  /** Does it. Gives the exit code when that is not 0. Throws UsageError, TreslineError or Interrupted. */
  run(
    this: void,
    given: { values: Values<Specs>; positionals: string[] },
    context: Context,
  ): Promise<number | void>;
}

/** A command whose options are typed by their specification. */
export const command = <const Specs extends OptionSpecs>(each: Command<Specs>): Command => each;

/** The command line does not make sense: one sentence that says why. */
export class UsageError extends Error {}

/** The user has stopped waiting: one sentence that says what goes on and how to see it. */
export class Interrupted extends Error {}
