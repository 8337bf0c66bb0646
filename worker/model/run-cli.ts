import { build } from "./commands/build.ts";
import type { CliIo, Command } from "./commands/command.ts";
import { inspect } from "./commands/inspect.ts";
import { list } from "./commands/list.ts";
import { pull } from "./commands/pull.ts";
import { errorCode } from "./error-code.ts";
import { ModelError } from "./model-error.ts";

const COMMANDS: Readonly<Record<string, Command>> = { list, pull, build, inspect };

const HELP = `Usage: tresline-model COMMAND

Makes the model directories that Tresline serves from TResNet checkpoints.

  list       the published models
  pull       download a published model and build its directory
  build      build a model directory from a checkpoint file
  inspect    say what a model directory holds, and check it

tresline-model COMMAND --help says more.
`;

/** Runs `tresline-model` with these arguments. Gives its exit code: 0, or 2 after the one line that says what the user did wrong went to `err`. */
export async function runCli(args: string[], io: CliIo, err: (text: string) => void): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "--help") return print(io, HELP);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!command) throw new ModelError(`${name} is no command; see tresline-model --help.`);
    if (rest.includes("--help")) return print(io, command.help);
    await command.run(rest, io);
    return 0;
  } catch (error) {
    if (!isUsersFault(error)) throw error;
    err(`tresline-model: ${error.message.replaceAll("\n", " ")}\n`);
    return 2;
  }
}

function print(io: CliIo, text: string): number {
  io.out(text);
  return 0;
}

function isUsersFault(error: unknown): error is Error {
  if (error instanceof ModelError) return true;
  const isSystemError = error instanceof Error && "syscall" in error;
  return isSystemError || (errorCode(error)?.startsWith("ERR_PARSE_ARGS") ?? false);
}
