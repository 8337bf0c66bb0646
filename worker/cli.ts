#!/usr/bin/env node
import { parseArgs } from "node:util";
import { ConfigError, readConfig } from "../shared/config.ts";

// ONNX Runtime for Linux would otherwise keep a device id in ~/.cache and a database of what it means to send home.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

const HELP = `Usage: tresline-worker COMMAND

  start    take jobs from the queue and do them, until told to stop
  doctor   say whether this machine can classify, how fast, and what is missing

Both read the environment; the README lists its variables.

  doctor --json   everything that was found, as a JSON object

Exit code of doctor: 0 when a worker would be ready here, 1 when it would not.
`;

/** The entry of `tresline-worker`. Gives the exit code, or nothing while a worker runs. */
async function main(args: string[]): Promise<number | undefined> {
  const options = { json: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const [command, ...more] = positionals;
  if (values.help || command === undefined) return print(HELP);
  if (more.length > 0) throw new UsageError(`${command} takes no argument; it was given ${more.join(" ")}.`);
  if (command === "doctor") return doctor(values.json ?? false);
  if (command !== "start") throw new UsageError(`${command} is no command.`);
  await import("./main.ts");
  return undefined;
}

async function doctor(asJson: boolean): Promise<number> {
  const [{ WorkerConfig }, { diagnose }, { printDiagnosis }] = await Promise.all([
    import("./config.ts"),
    import("./doctor/doctor.ts"),
    import("./doctor/print-diagnosis.ts"),
  ]);
  const found = await diagnose(readConfig(WorkerConfig, process.env), process.env);
  print(asJson ? `${JSON.stringify(found, null, 1)}\n` : printDiagnosis(found));
  return found.ready ? 0 : 1;
}

/** The command line does not make sense. */
class UsageError extends Error {}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const isUsage =
    error instanceof UsageError || ("code" in error && String(error.code).startsWith("ERR_PARSE_ARGS"));
  if (!isUsage && !(error instanceof ConfigError)) throw error;
  process.stderr.write(`tresline-worker: ${error.message}${isUsage ? " See tresline-worker --help." : ""}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
