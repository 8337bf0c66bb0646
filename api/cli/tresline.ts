#!/usr/bin/env node
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { parseArgs } from "node:util";
import { createClient } from "../client/client.ts";
import { TreslineError } from "../client/tresline-error.ts";
import { COMMANDS, COMMON_HELP, HELP, noCommand } from "./commands.ts";
import { Interrupted, UsageError } from "./command.ts";
import type { Context, OptionSpecs, Values } from "./command.ts";

const COMMON = {
  url: { type: "string" },
  key: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** How often the service is asked again before a command gives up: a person waits for it. */
const RETRIES = 2;

/** The entry of `tresline`. Gives the exit code. */
async function main(args: string[]): Promise<number> {
  const [first] = args;
  if (first === undefined || first === "--help") return print(HELP);
  const name = [args.slice(0, 2).join(" "), first].find((each) => Object.hasOwn(COMMANDS, each));
  const load = name === undefined ? undefined : COMMANDS[name];
  if (name === undefined || load === undefined)
    throw new UsageError(`${noCommand(first)} See tresline --help.`);
  const { help, options, run } = await load();
  const rest = args.slice(name.split(" ").length);
  if (rest.includes("--help")) return print(help + COMMON_HELP);
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      options: { ...options, ...COMMON },
      allowPositionals: true,
    });
    const { url, key, json = false } = values;
    const given = { values: values as Values<OptionSpecs>, positionals };
    return (await run(given, contextOf(url, key, json))) ?? 0;
  } catch (error) {
    const isUsers = error instanceof UsageError || hasCode(error, "ERR_PARSE_ARGS");
    throw isUsers
      ? new UsageError(`${error.message.replaceAll("\n", " ")} See tresline ${name} --help.`)
      : error;
  }
}

function contextOf(url: string | undefined, key: string | undefined, asJson: boolean): Context {
  const address = url ?? process.env["TRESLINE_URL"] ?? "http://127.0.0.1:8080";
  const apiKey = key ?? process.env["TRESLINE_API_KEY"];
  return {
    asJson,
    err: process.stderr,
    connect(settings = {}) {
      if (!apiKey) throw new UsageError("The API key is missing: give --key or set TRESLINE_API_KEY.");
      const options = { url: address, apiKey, retries: RETRIES, ...settings };
      if (!/^https?:\/\//.test(options.url) || !URL.canParse(options.url))
        throw new UsageError(
          `The service's address must begin with http:// or https://; it is "${options.url}".`,
        );
      return createClient(options);
    },
    async out(result) {
      if (!process.stdout.write(result)) await once(process.stdout, "drain");
    },
    async readFile(path) {
      try {
        return await (path === "-" ? buffer(process.stdin) : readFile(path));
      } catch (error) {
        throw new UsageError(`The file cannot be read: ${(error as Error).message}.`);
      }
    },
  };
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

const hasCode = (error: unknown, begins: string): error is Error =>
  error instanceof Error && "code" in error && String(error.code).startsWith(begins);

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  if (error instanceof Interrupted) return 130;
  if (error instanceof TreslineError) return 1;
  throw error;
}

// Whoever reads the output may have enough of it, as head has.
process.stdout.on("error", (error) => process.exit(hasCode(error, "EPIPE") ? 0 : 1));
try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = exitCodeOf(error);
  process.stderr.write(`tresline: ${(error as Error).message}\n`);
}
