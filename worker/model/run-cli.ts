import type { CliIo, Command } from "./commands/command.ts";
import { errorCode } from "./error-code.ts";
import { ModelError } from "./model-error.ts";

/** Each is loaded when it is asked for: most need neither the image decoder nor the network. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  list: async () => (await import("./commands/list.ts")).list,
  pull: async () => (await import("./commands/pull.ts")).pull,
  build: async () => (await import("./commands/build.ts")).build,
  inspect: async () => (await import("./commands/inspect.ts")).inspect,
  publish: async () => (await import("./commands/publish.ts")).publish,
  classify: async () => (await import("./commands/classify.ts")).classify,
  evaluate: async () => (await import("./commands/evaluate.ts")).evaluate,
};

const HELP = `Usage: tresline-model COMMAND

Makes the model directories that Tresline serves from TResNet checkpoints.

  list       the published models
  pull       download a published model and build its directory
  build      build a model directory from a checkpoint file
  inspect    say what a model directory holds, and check it
  publish    put a model directory in a repository, under its digest
  classify   label image files with a model directory
  evaluate   measure a model directory on labelled images

tresline-model COMMAND --help says more.
`;

/** Runs `tresline-model` with these arguments. Gives its exit code: 0, what the command says, or 2 after the one line that says what the user did wrong went to `err`. */
export async function runCli(args: string[], io: CliIo, err: (text: string) => void): Promise<number> {
  try {
    const [name, ...rest] = args;
    if (name === undefined || name === "--help") return print(io, HELP);
    const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (!load) throw new ModelError(`${name} is no command; see tresline-model --help.`);
    const command = await load();
    if (rest.includes("--help")) return print(io, command.help);
    return (await command.run(rest, io)) ?? 0;
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
