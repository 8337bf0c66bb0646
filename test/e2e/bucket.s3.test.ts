import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  GetObjectCommand,
  GetObjectTaggingCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { S3Client } from "@aws-sdk/client-s3";
import pLimit from "p-limit";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { BatchResult } from "../../shared/contracts/batch.ts";
import { Labeler, Run } from "../../shared/contracts/labeler.ts";
import { Sidecar } from "../../shared/contracts/sidecar.ts";
import { sidecarKey } from "../../shared/sidecar-key.ts";
import { sample } from "../support/figures.ts";
import { notifyOfObjects } from "../support/notify-of-objects.ts";
import { makeBuckets, s3Environment } from "../support/test-s3.ts";

const ceph = inject("s3");
let s3: S3Client;
const bucket = `whole-${Date.now()}`;
const eventsToken = "token-of-the-bucket-events";
const dataDir = mkdtempSync(join(tmpdir(), "tresline-bucket-"));
const inParallel = pLimit(24);

let tresline: Tresline;
const notices: string[] = [];
beforeAll(async () => {
  s3 = await makeBuckets(bucket);
  const VersioningConfiguration = { Status: "Enabled" } as const;
  await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration }));
  const env = {
    ...process.env,
    ...s3Environment(),
    PORT: "0",
    S3_SOURCE_BUCKETS: bucket,
    S3_EVENTS_TOKEN: eventsToken,
  };
  tresline = await startTresline({ DATA_DIR: dataDir }, env, (notice) => notices.push(notice));
});
afterAll(async () => {
  await tresline?.stop();
  s3?.destroy();
  rmSync(dataDir, { recursive: true, force: true });
});

/** The bucket has a half whose labels are written as tags, and one whose labels are written beside the objects. */
const HALVES = { tags: "tags/", sidecar: "/beside/" } as const;
type Half = keyof typeof HALVES;
const THERE = 1_000;
const ARRIVING = 100;
const NAMES = ["plain", "a b", "a+b", "é", `"quoted'`, "50%", "x//y"];
const PICTURES = ["table_00.webp", "qr_code_08.png", "bar_chart_06.png"].map((name) => ({
  body: sample(name),
  label: name.replace(/_\d.*/, ""),
}));

interface Lying {
  half: Half;
  key: string;
  body: Uint8Array | string;
  /** Undefined of a file that is no picture. */
  label: string | undefined;
}

/** Number `i` of a half: each twentieth is broken, and each hundredth has the longest key there is. */
function lying(half: Half, i: number): Lying {
  const picture = i % 20 === 7 ? undefined : PICTURES[i % PICTURES.length];
  const name = `${HALVES[half]}${NAMES[i % NAMES.length]}/${String(i).padStart(4, "0")}`;
  const key = i % 100 === 3 ? name.padEnd(1024 - Buffer.byteLength(name) + name.length, "k") : name;
  return { half, key, body: picture?.body ?? "no picture", label: picture?.label };
}
const some = (half: Half, from: number, count: number) =>
  Array.from({ length: count }, (_, i) => lying(half, from + i));
const there = [...some("tags", 0, THERE), ...some("sidecar", 0, THERE)];
const arriving = [...some("tags", THERE, ARRIVING), ...some("sidecar", THERE, ARRIVING)];

const put = ({ key, body }: Pick<Lying, "key" | "body">) =>
  inParallel(() => s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body })));
/** Somebody else's tag, which must stay. */
const OTHERS = { Key: "owner", Value: "somebody else" };
const tagAsOthers = ({ key }: Lying) =>
  inParallel(() =>
    s3.send(new PutObjectTaggingCommand({ Bucket: bucket, Key: key, Tagging: { TagSet: [OTHERS] } })),
  );

async function ask(path: string, body?: object): Promise<string> {
  const headers = { authorization: `Bearer ${tresline.apiKey}`, "content-type": "application/json" };
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(tresline.url + path, { headers, ...sent });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
  return text;
}
const getRun = async ({ labeler_id, id }: Run) =>
  Run.parse(JSON.parse(await ask(`/v1/labelers/${labeler_id}/runs/${id}`)));
const getLabeler = async (id: string) => Labeler.parse(JSON.parse(await ask(`/v1/labelers/${id}`)));

async function startLabeler(write_back: Half): Promise<Run> {
  const body = { bucket, prefix: HALVES[write_back], write_back, on_error: "write_back", top_k: 1 };
  const { id } = Labeler.parse(JSON.parse(await ask("/v1/labelers", body)));
  return Run.parse(JSON.parse(await ask(`/v1/labelers/${id}/runs`, {})));
}

const ended = ({ request_counts: { succeeded, failed, skipped } }: Run) => succeeded + failed + skipped;

/** Kills the worker, which lists and labels, once so many objects of the runs have ended, and waits for the next worker. */
async function killWorkerAfter(objects: number, runs: readonly Run[]): Promise<void> {
  const done = async () => {
    const counts = (await Promise.all(runs.map(getRun))).map(ended);
    return counts.reduce((sum, count) => sum + count, 0);
  };
  await expect.poll(done, { timeout: 180_000, interval: 50 }).toBeGreaterThanOrEqual(objects);
  const pid = tresline.workerPid();
  if (pid === undefined) throw new Error("no worker runs");
  process.kill(pid, "SIGKILL");
  await vi.waitFor(() => expect(tresline.workerPid()).not.toBe(pid), { timeout: 60_000 });
}

/** How often each key was written: the bucket keeps a version of each write. */
async function writes(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let after = {}; ;) {
    const page = await s3.send(new ListObjectVersionsCommand({ Bucket: bucket, ...after }));
    for (const { Key = "" } of page.Versions ?? []) counts.set(Key, (counts.get(Key) ?? 0) + 1);
    if (page.IsTruncated !== true) return counts;
    after = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
}

test(
  "a bucket of 2 000 is labelled while 200 more arrive and the worker is killed twice: each has its labels once, the broken ones their error",
  { timeout: 900_000 },
  async () => {
    await Promise.all(there.map(put));
    await Promise.all(there.filter(({ half }) => half === "tags").map(tagAsOthers));
    await notifyOfObjects(ceph, s3, bucket, `${tresline.url}/v1/events/s3?token=${eventsToken}`);
    const runs = [await startLabeler("tags"), await startLabeler("sidecar")];
    const arrived = Promise.all(arriving.map(put));
    await killWorkerAfter(200, runs);
    await arrived;
    await killWorkerAfter(1_000, runs);

    const finished = async () => (await Promise.all(runs.map(getRun))).map(({ status }) => status);
    await expect.poll(finished, { timeout: 300_000, interval: 500 }).toEqual(["completed", "completed"]);
    const haveTaken = async () =>
      Promise.all(
        runs.map(async ({ labeler_id }) => {
          const { labelled, failed, skipped } = (await getLabeler(labeler_id)).event_counts;
          return labelled + failed + skipped >= ARRIVING;
        }),
      );
    await expect.poll(haveTaken, { timeout: 120_000, interval: 500 }).toEqual([true, true]);
    expect(notices).toEqual(Array(2).fill("The worker ended (SIGKILL); starting it again."));

    const all = [...there, ...arriving];
    const tagged = await Promise.all(all.filter(({ half }) => half === "tags").map(tagsOf));
    expect(tagged.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
    const besides = await Promise.all(all.filter(({ half }) => half === "sidecar").map(sidecarOf));
    expect(besides.filter(({ wrong }) => wrong !== undefined)).toEqual([]);

    const sidecars = await Promise.all(besides.map(({ key }) => sidecarKey(key)));
    const written = await writes();
    expect(sidecars.filter((key) => written.get(key) !== 1)).toEqual([]);
    expect([...written.keys()].filter((key) => key.includes("tresline"))).toHaveLength(sidecars.length);

    for (const run of runs) {
      const lines = (await ask(`/v1/labelers/${run.labeler_id}/runs/${run.id}/results`))
        .trimEnd()
        .split("\n");
      const results = lines.map((line) => BatchResult.parse(JSON.parse(line)));
      expect(new Set(results.map(({ custom_id }) => custom_id)).size).toBe(results.length);
      const outcomes = new Map(results.map(({ custom_id, status }) => [custom_id, status]));
      const half = there.filter(({ key }) => outcomes.has(key));
      expect(half).toHaveLength(THERE);
      expect(
        half.filter(({ key, label }) => (outcomes.get(key) === "failed") !== (label === undefined)),
      ).toEqual([]);
    }
  },
);

/** What is wrong with the tags of an object, if anything. */
async function tagsOf({ key, label }: Lying): Promise<{ key: string; wrong: unknown }> {
  const { TagSet = [] } = await inParallel(() =>
    s3.send(new GetObjectTaggingCommand({ Bucket: bucket, Key: key })),
  );
  const tags = Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]));
  const kept = tags["owner"] === (there.some((each) => each.key === key) ? OTHERS.Value : undefined);
  const right =
    label === undefined
      ? tags["tresline.error"] === "invalid_image" && tags["tresline.label"] === undefined
      : tags["tresline.label"] === label && tags["tresline.error"] === undefined;
  return { key, wrong: right && kept ? undefined : tags };
}

/** What is wrong with the file beside an object, if anything. */
async function sidecarOf({ key, label }: Lying): Promise<{ key: string; wrong: unknown }> {
  const Key = await sidecarKey(key);
  try {
    const { Body } = await inParallel(() => s3.send(new GetObjectCommand({ Bucket: bucket, Key })));
    const sidecar = Sidecar.parse(JSON.parse((await Body?.transformToString()) ?? ""));
    const right =
      label === undefined
        ? sidecar.error?.code === "invalid_image" && sidecar.predictions === null
        : sidecar.predictions?.[0]?.label === label && sidecar.error === null;
    return { key, wrong: right && sidecar.key === key ? undefined : sidecar };
  } catch (error) {
    return { key, wrong: error };
  }
}
