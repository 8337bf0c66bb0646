#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { extname } from "node:path";
import { parseArgs } from "node:util";
import { SingleBar } from "cli-progress";
import { MAX_INLINE_ITEMS } from "../../shared/contracts/batch.ts";
import { bench } from "./bench.ts";
import type { Load } from "./bench.ts";
import { printBench } from "./print-bench.ts";
import { samplePng } from "./sample-png.ts";
import { ServiceError, openService } from "./service.ts";
import type { ImageFile } from "./service.ts";

const MAX_RATE = 10_000;
const MAX_SECONDS = 3_600;
const MAX_IMAGES = 100_000;

const HELP = `Usage: tresline bench URL [OPTION]...

Puts a load on the service at URL and says how fast it labels, where the time
goes and what to change to make it faster.

  --rate N        images a second, at random moments whether or not the service
                  keeps up; each waits for its labels (default 10)
  --seconds N     for so long (default 10)
  --batch N       instead of that, N images as one batch (${MAX_INLINE_ITEMS} at most)
  --image FILE    what to send; may be given again, then they take turns
                  (default: a picture of 64 by 64 pixels)
  --key KEY       the API key (default: the variable TRESLINE_API_KEY)
  --json          print the result as a JSON object

Exit code: 0 when all images were labelled, 1 when some were not.
`;

const OPTIONS = {
  rate: { type: "string" },
  seconds: { type: "string" },
  batch: { type: "string" },
  image: { type: "string", multiple: true },
  key: { type: "string" },
  json: { type: "boolean" },
  help: { type: "boolean" },
} as const;

/** The command line does not make sense. */
class UsageError extends Error {}

/** The entry of `tresline`. Gives the exit code. */
async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
  const [command, url, ...more] = positionals;
  if (values.help || command === undefined) return print(HELP);
  if (command !== "bench") throw new UsageError(`${command} is no command.`);
  if (url === undefined || !/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new UsageError("bench needs the address of the service, such as http://127.0.0.1:8080.");
  if (more.length > 0) throw new UsageError(`bench takes one address; it was also given ${more.join(" ")}.`);
  const key = values.key ?? process.env["TRESLINE_API_KEY"];
  if (!key) throw new UsageError("the API key is missing: give --key or set TRESLINE_API_KEY.");
  const load = readLoad(values);
  const images = values.image?.map(readImage) ?? [
    { bytes: Buffer.from(samplePng()), mediaType: "image/png" },
  ];

  const bar = progressBar();
  bar.start(load.kind === "batch" ? load.count : Math.round(load.rate * load.seconds), 0);
  const result = await bench(openService(url, key), images, load, (ended) => bar.update(ended)).finally(() =>
    bar.stop(),
  );
  print(values.json ? `${JSON.stringify(result, null, 1)}\n` : printBench(result));
  return result.labelled === result.images ? 0 : 1;
}

function readLoad({ rate, seconds, batch }: { rate?: string; seconds?: string; batch?: string }): Load {
  if (batch !== undefined) {
    if (rate !== undefined || seconds !== undefined)
      throw new UsageError("--batch sends all at once: it takes neither --rate nor --seconds.");
    return { kind: "batch", count: number("--batch", batch, MAX_INLINE_ITEMS) };
  }
  const load = {
    kind: "rate" as const,
    rate: number("--rate", rate ?? "10", MAX_RATE),
    seconds: number("--seconds", seconds ?? "10", MAX_SECONDS),
  };
  if (load.rate * load.seconds > MAX_IMAGES)
    throw new UsageError(
      `${load.rate} images/s for ${load.seconds} s are more than ${MAX_IMAGES} images; send fewer.`,
    );
  return load;
}

function number(option: string, text: string, maximum: number): number {
  if (!/^\d+$/.test(text) || Number(text) < 1 || Number(text) > maximum)
    throw new UsageError(`${option} must be a whole number from 1 to ${maximum}; it is "${text}".`);
  return Number(text);
}

function readImage(path: string): ImageFile {
  const type = extname(path).slice(1).toLowerCase();
  if (type === "")
    throw new UsageError(`${path}: the name says no image format; rename it to end in .jpg or .png.`);
  try {
    return { bytes: readFileSync(path), mediaType: `image/${type === "jpg" ? "jpeg" : type}` };
  } catch (error) {
    throw new UsageError(
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

const progressBar = () =>
  new SingleBar({
    format: "{bar} {value}/{total} images",
    barsize: 40,
    hideCursor: true,
    clearOnComplete: true,
    noTTYOutput: true,
    notTTYSchedule: 5_000,
    stream: process.stderr,
  });

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
  if (!isUsage && !(error instanceof ServiceError)) throw error;
  process.stderr.write(`tresline: ${error.message}${isUsage ? " See tresline --help." : ""}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
