import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Dispatcher } from "undici";
import { z } from "zod";
import { sha256File } from "../digest.ts";
import { errorCode } from "../error-code.ts";
import { ModelError } from "../model-error.ts";
import { requestFile } from "./request-file.ts";
import type { FileAnswer } from "./request-file.ts";

/** What to download, and how. */
export interface Download {
  readonly url: string;
  /** Where the file goes; while it is incomplete it lies beside it as `.part`. */
  readonly target: string;
  readonly dispatcher: Dispatcher;
  /** 64 hex digits, or their beginning. */
  readonly sha256: string | undefined;
  /** Told of the bytes there are and, where the server says it, of how many there will be. */
  readonly onProgress: (done: number, total: number | undefined) => void;
  /** The pause before the second try, doubled for each after it, in milliseconds. */
  readonly retryDelayMs: number;
}

/** Tries without a single new byte before giving up. */
const MAX_FRUITLESS_TRIES = 5;

const NoteFields = z.object({
  url: z.string(),
  validator: z.string().optional(),
  sha256: z.string().optional(),
});
type Note = z.infer<typeof NoteFields>;

/**
 * Downloads a file and gives its sha256 as 64 hex digits. What was broken off, in this call or an earlier one, goes on where it stopped; a file that is
 * there already, complete and unharmed, is not fetched again. Throws ModelError when the server refuses, breaks off too often, or sent another file
 * than `sha256` or the hub says; then nothing is kept of it.
 */
export async function download(task: Download): Promise<string> {
  const { target, url } = task;
  mkdirSync(dirname(target), { recursive: true });
  const known = readNote(target);
  if (existsSync(target) && known?.url === url && known.sha256 === hexOf(target))
    return check(task, known.sha256, undefined);

  const part = `${target}.part`;
  let announced: string | undefined;
  for (let fruitless = 0; ;) {
    const before = sizeOf(part);
    const outcome = await tryOnce(task, part);
    announced = outcome.announced ?? announced;
    if (outcome.complete) break;
    fruitless = sizeOf(part) > before ? 0 : fruitless + 1;
    if (fruitless >= MAX_FRUITLESS_TRIES)
      throw new ModelError(
        `${url}: given up after ${fruitless} tries: ${outcome.reason}. Run the command again to go on.`,
      );
    await sleep(task.retryDelayMs * 2 ** fruitless);
  }
  const sha256 = check(task, hexOf(part), announced);
  renameSync(part, target);
  rmSync(`${part}.json`, { force: true });
  writeNote(target, { url, sha256 });
  return sha256;
}

type Outcome =
  | { readonly complete: true; readonly announced: string | undefined }
  | { readonly complete: false; readonly announced: string | undefined; readonly reason: string };

async function tryOnce(task: Download, part: string): Promise<Outcome> {
  const note = readNote(part);
  if (note?.url !== task.url) rmSync(part, { force: true });
  const from = note?.validator === undefined ? 0 : sizeOf(part);
  let answer: FileAnswer;
  try {
    answer = await requestFile(task.url, task.dispatcher, { from, validator: note?.validator });
  } catch (error) {
    if (error instanceof ModelError) throw error;
    return { complete: false, announced: undefined, reason: reasonOf(error) };
  }
  const announced = answer.announcedSha256;
  if (answer.status === 416) {
    await answer.body.dump();
    if (answer.header("content-range") === `bytes */${from}`) return { complete: true, announced };
    rmSync(part, { force: true });
    return { complete: false, announced, reason: "the server has another file than before" };
  }
  if (answer.status !== 200 && answer.status !== 206) return refusal(task, answer);

  const start = answer.status === 206 ? rangeStart(answer) : 0;
  if (start !== 0 && start !== from) {
    await answer.body.dump();
    rmSync(part, { force: true });
    return {
      complete: false,
      announced,
      reason: `the server answered with bytes from ${start} instead of ${from}`,
    };
  }
  const length = answer.header("content-length");
  const total = length === undefined ? undefined : start + Number(length);
  writeNote(part, { url: task.url, validator: validatorOf(answer) });
  try {
    await append(task, part, answer, start, total);
  } catch (error) {
    if (errorCode(error)?.startsWith("E") && !isNetworkError(error)) throw error;
    return { complete: false, announced, reason: reasonOf(error) };
  }
  if (total !== undefined && sizeOf(part) < total)
    return { complete: false, announced, reason: "the connection ended early" };
  return { complete: true, announced };
}

async function append(
  task: Download,
  part: string,
  { body }: FileAnswer,
  start: number,
  total: number | undefined,
): Promise<void> {
  let done = start;
  task.onProgress(done, total);
  body.on("data", (chunk: Buffer) => task.onProgress((done += chunk.length), total));
  await pipeline(body, createWriteStream(part, { flags: start > 0 ? "a" : "w" }));
}

async function refusal(task: Download, answer: FileAnswer): Promise<Outcome> {
  await answer.body.dump();
  const reason = `the server answered ${answer.status}`;
  if (answer.status >= 500 || answer.status === 429) return { complete: false, announced: undefined, reason };
  throw new ModelError(`${task.url}: ${reason}.`);
}

/** Compares what was downloaded with what was promised; a file that differs is deleted. */
function check(task: Download, actual: string, announced: string | undefined): string {
  for (const expected of [task.sha256, announced]) {
    if (expected === undefined || actual.startsWith(expected)) continue;
    for (const path of [
      task.target,
      `${task.target}.json`,
      `${task.target}.part`,
      `${task.target}.part.json`,
    ])
      rmSync(path, { force: true });
    throw new ModelError(`${task.url}: its sha256 is ${actual}, ${expected} expected; the file was deleted.`);
  }
  return actual;
}

/** What If-Range takes: a strong ETag, or the date. */
function validatorOf(answer: FileAnswer): string | undefined {
  const etag = answer.header("etag");
  return etag === undefined || etag.startsWith("W/") ? answer.header("last-modified") : etag;
}

const rangeStart = (answer: FileAnswer) =>
  Number(/^bytes (\d+)-/.exec(answer.header("content-range") ?? "")?.[1] ?? NaN);
const sizeOf = (path: string) => (existsSync(path) ? statSync(path).size : 0);
const hexOf = (path: string) => sha256File(path).slice("sha256:".length);
const reasonOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
const isNetworkError = (error: unknown) =>
  ["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN"].includes(
    errorCode(error) ?? "",
  );

function readNote(path: string): Note | undefined {
  const file = `${path}.json`;
  if (!existsSync(file)) return undefined;
  try {
    return NoteFields.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined;
  }
}

function writeNote(path: string, note: Note): void {
  writeFileSync(`${path}.json`, `${JSON.stringify(note)}\n`);
}
