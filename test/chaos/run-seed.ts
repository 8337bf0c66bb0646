import { mkdirSync, rmSync } from "node:fs";
import { z } from "zod";
import { Labeler, Run } from "../../shared/contracts/labeler.ts";
import type { Ceph } from "../support/ceph-cluster.ts";
import { openChaosClient } from "./chaos-client.ts";
import type { Answered, ChaosClient } from "./chaos-client.ts";
import { startChaosService } from "./chaos-service.ts";
import type { ChaosService } from "./chaos-service.ts";
import { checkBatches } from "./check-batches.ts";
import { checkClassifications } from "./check-classifications.ts";
import { checkLabeler, unlabelledObjects } from "./check-labeler.ts";
import { checkStrayMessages } from "./check-message.ts";
import { count, violate } from "./checking.ts";
import type { Checking } from "./checking.ts";
import { comeToRest } from "./come-to-rest.ts";
import type { Fault } from "./fault.ts";
import { injectFaults } from "./inject-faults.ts";
import type { Injected } from "./inject-faults.ts";
import type { Ledger } from "./ledger.ts";
import { BROKEN, PICTURES } from "./pictures.ts";
import type { Load } from "./plan-load.ts";
import { sendLoad } from "./send-load.ts";
import { textOf } from "./violation.ts";
import type { Violation } from "./violation.ts";

/** How long the service has to come to rest after the last fault is undone, and a request to be answered, in milliseconds. */
const REST_MS = 120_000;
/** How often a labeler's bucket is run through for objects whose labels S3 could not take. */
const MAX_RUNS = 3;

/** One seed to run. */
export interface Seed {
  number: number;
  faults: readonly Fault[];
  load: Load;
}

/** What became of it. */
export interface SeedReport {
  seed: number;
  seconds: number;
  injected: Injected[];
  counts: Record<string, number>;
  violations: Violation[];
}

/** Where a seed runs: `directory` is removed unless a promise was broken, so that logs can be read. */
export interface SeedPlace {
  ceph: Pick<Ceph, "endpoint" | "accessKeyId" | "secretAccessKey">;
  directory: string;
  modelsDir: string;
  tell: (line: string) => void;
}

/** Runs one seed on processes of its own: sends the load while faults are injected, lets it all come to rest, and accounts for everything. */
export async function runSeed(
  { number, faults, load }: Seed,
  { ceph, directory, modelsDir, tell }: SeedPlace,
): Promise<SeedReport> {
  const began = performance.now();
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const bucketName = `chaos-${number}-${Date.now()}`;
  const service = await startChaosService(ceph, { directory, modelsDir, bucketName });
  let isKept = true;
  try {
    const client = openChaosClient(service.apiUrls, service.apiKey);
    const ledger = await prepare(load, service, client);
    const longest = Math.max(...faults.map(({ atMs, lastsMs }) => atMs + lastsMs), 0);
    const untilMs = performance.now() + longest + REST_MS;
    tell(`ready after ${seconds(began)} s; ${load.requests.length} requests, ${faults.length} faults`);
    const [injected] = await Promise.all([
      injectFaults(faults, service, tell),
      sendLoad(load, {
        client,
        bucket: service.bucket,
        outsideUrl: service.outside.url,
        eventsToken: service.eventsToken,
        ledger,
        untilMs,
      }),
    ]);
    tell(`faults are over and everything is sent after ${seconds(began)} s`);
    const checking: Checking = {
      ledger,
      bucket: service.bucket,
      deliveries: service.outside.deliveries,
      accounted: new Set(),
      get: (path) => client.ask({ path }, performance.now() + REST_MS),
      wasS3Away: faults.some(({ kind }) => kind.startsWith("s3-")),
      violations: [],
      counts: {},
    };
    await check(load, service, client, checking, tell);
    for (const each of service.processes.values()) count(checking, "processes started", each.starts());
    const { counts, violations } = checking;
    isKept = violations.length > 0;
    return { seed: number, seconds: Number(seconds(began)), injected, counts, violations };
  } finally {
    await service.stop();
    if (!isKept) rmSync(directory, { recursive: true, force: true });
  }
}

const seconds = (since: number) => ((performance.now() - since) / 1_000).toFixed(1);

/** Puts pictures into the bucket, makes a labeler and starts its run, and learns how messages are signed. */
async function prepare(load: Load, { bucket, outside }: ChaosService, client: ChaosClient): Promise<Ledger> {
  const pictures = new Map([...PICTURES, ...BROKEN].map((picture) => [`pictures/${picture.name}`, picture]));
  for (const objects of [pictures, load.listed, load.present])
    await Promise.all([...objects].map(([key, picture]) => bucket.putPicture(key, picture)));
  const untilMs = performance.now() + REST_MS;
  const { secret } = z
    .object({ secret: z.string() })
    .parse(json(await client.ask({ path: "/v1/webhook-secret" }, untilMs)));
  outside.trust(secret);
  const runHook = `${outside.url}/hooks/run`;
  const body = {
    bucket: bucket.name,
    prefix: "album/",
    write_back: "sidecar",
    on_error: "write_back",
    top_k: 1,
    webhook: runHook,
  };
  const labeler = Labeler.parse(json(await client.ask({ path: "/v1/labelers", body }, untilMs)));
  const run = await startRun(labeler.id, client, "first-run");
  return {
    classifications: [],
    batches: [],
    objects: [...load.present].map(([key, { expected }]) => ({ key, expected })),
    labelerId: labeler.id,
    runIds: new Set([run.id]),
    runHook,
    repeats: 0,
    refusals: [],
  };
}

async function startRun(labelerId: string, client: ChaosClient, idempotencyKey: string): Promise<Run> {
  const asking = { path: `/v1/labelers/${labelerId}/runs`, body: {}, idempotencyKey };
  return Run.parse(json(await client.ask(asking, performance.now() + REST_MS)));
}

function json({ status, text }: Answered): unknown {
  if (status >= 300) throw new Error(`The service answered ${status}: ${text}`);
  return JSON.parse(text);
}

/** Waits for rest, labels what S3 could not take as an operator would, and accounts for everything. */
async function check(
  load: Load,
  { redis, bucket }: ChaosService,
  client: ChaosClient,
  checking: Checking,
  tell: (line: string) => void,
): Promise<void> {
  const { ledger } = checking;
  const began = performance.now();
  let left = await comeToRest(redis.client, REST_MS);
  for (let runs = 1; runs < MAX_RUNS; runs++) {
    const unlabelled = await unlabelledObjects(ledger.objects, bucket);
    if (unlabelled.length === 0) break;
    if (!checking.wasS3Away)
      violate(checking, "everything else", "labeler", `${unlabelled.length} objects need another run`);
    count(checking, "objects that needed another run", unlabelled.length);
    ledger.runIds.add((await startRun(ledger.labelerId, client, `run-${runs}`)).id);
    left = await comeToRest(redis.client, REST_MS);
  }
  tell(`at rest ${seconds(began)} s later`);
  for (const [queue, { toDo, dead }] of Object.entries(left)) {
    if (toDo > 0) violate(checking, "an accepted id ends", queue, `${toDo} jobs are left in the queue`);
    if (dead > 0) violate(checking, "everything else", queue, `${dead} dead letters are in the queue`);
  }
  for (const refusal of ledger.refusals) violate(checking, "everything else", "request", refusal);
  const present = ledger.objects.filter(({ key }) => load.present.has(key));
  for (const checkPart of [
    checkClassifications,
    checkBatches,
    (each: Checking) => checkLabeler(present, each),
  ])
    await checkPart(checking).catch((error: unknown) =>
      violate(checking, "everything else", "checker", textOf(error)),
    );
  checkStrayMessages(checking);
  count(checking, "requests sent again", ledger.repeats);
}
