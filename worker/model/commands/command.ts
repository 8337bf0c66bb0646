/** Where a command writes, and the environment it may look at. */
export interface CliIo {
  /** Results: text that ends in a newline. */
  readonly out: (text: string) => void;
  /** The terminal that progress is drawn on; without one, no progress is drawn. */
  readonly terminal: NodeJS.WriteStream | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One verb of `tresline-model`. */
export interface Command {
  /** The text of `--help`, at most 80 columns. */
  readonly help: string;
  /** Does it, and gives the exit code when that is not 0. Throws ModelError, or parseArgs' own error, for the user's fault. */
  readonly run: (args: string[], io: CliIo) => void | Promise<void | number>;
}
