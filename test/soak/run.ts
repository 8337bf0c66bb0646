// A soak: MINUTES=10 node test/soak/run.ts. A steady mixed load on all of Tresline in processes of its own, which are looked at
// every few seconds. Prints what they grew by and exits with 1 when something grew; one of ten minutes or more is written to
// docs/bench/soak.json and plots beside it.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../api/client/client.ts";
import { openProgress } from "../../api/cli/open-progress.ts";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { openRedis } from "../../shared/redis.ts";
import { demoSource } from "../../worker/model/demo.ts";
import { isMet } from "../bench/support/bench.ts";
import { describeMachine, machineLine } from "../bench/support/machine.ts";
import { printFigures } from "../bench/support/print-figures.ts";
import { writeReport } from "../bench/support/write-report.ts";
import { startTestServer } from "../support/http-server.ts";
import { sendMixedLoad } from "./mixed-load.ts";
import type { Ended } from "./mixed-load.ts";
import { soakFigures } from "./soak-figures.ts";
import type { Look } from "./soak-figures.ts";
import { processVitals, redisVitals } from "./vitals.ts";
import type { WatchedProcess } from "./vitals.ts";

/** Milliseconds between two looks. */
const LOOK_MS = 5_000;
const SAMPLES = ["bar_chart_06.png", "qr_code_08.png", "table_00.webp"];

const minutes = Number(process.env["MINUTES"] || 10);
if (!(minutes >= 1 && minutes <= 24 * 60)) {
  process.stderr.write(
    `MINUTES is how long the soak takes, from 1 to 1440; it is "${process.env["MINUTES"]}".\n`,
  );
  process.exit(2);
}

const dataDir = mkdtempSync(join(tmpdir(), "tresline-soak-"));
const receiver = await startTestServer(() => ({ status: 204 }));
const env = { ...process.env, PORT: "0", METRICS_PORT: "0", ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32" };
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => stop.abort(new Error("The soak was stopped.")));
const machine = describeMachine();
process.stderr.write(`${machineLine(machine)}\n`);

const tresline = await startTresline({ DATA_DIR: dataDir }, env, (notice) => stop.abort(new Error(notice)));
const progress = openProgress(process.stderr);
try {
  const ended: Ended = { succeeded: 0, failed: 0, canceled: 0, batches: 0 };
  const client = createClient({ url: tresline.url, apiKey: tresline.apiKey });
  const load = { client, images: images(), webhook: receiver.url, stop };
  const looks: Look[] = [];
  const loading = sendMixedLoad(load, minutes * 60, ended, progress);
  await Promise.all([loading, look(looks, loading)]);
  progress.stop();
  const { succeeded, failed, canceled, batches } = ended;
  process.stdout.write(
    `${succeeded} images labelled, ${failed} broken, ${canceled} canceled; ${batches} batches; ${receiver.received.length} callbacks.\n`,
  );
  const figures = soakFigures(looks, minutes);
  process.stdout.write(printFigures(figures, { isDetailed: true }));
  if (minutes >= 10) writeReport("soak", { measuredAt: new Date(), machine, figures });
  process.exitCode = figures.every(isMet) ? 0 : 1;
} catch (error) {
  stop.abort(error);
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  progress.stop();
  await tresline.stop();
  await receiver.stop();
  rmSync(dataDir, { recursive: true, force: true });
}

/** Samples of the demo model, as a client would send them. */
function images(): Blob[] {
  const folder = join(demoSource("figures"), "samples");
  return SAMPLES.map(
    (name) => new Blob([readFileSync(join(folder, name))], { type: `image/${name.split(".")[1]}` }),
  );
}

/** The API and the worker, and where they said in the log that they tell their metrics. */
function watched({ apiPid, workerPid, logFile }: Tresline): WatchedProcess[] {
  const lines = readFileSync(logFile, "utf8").trimEnd().split("\n");
  const ready = lines.map((line) => JSON.parse(line) as Record<string, string>);
  return Object.entries({ api: apiPid(), worker: workerPid() }).map(([service, pid]) => {
    const line = ready.find((each) => each["service"] === service && each["msg"] === "metrics ready");
    if (pid === undefined || line?.["url"] === undefined) throw new Error(`The ${service} tells no metrics.`);
    return { name: service === "api" ? "API" : service, pid, metricsUrl: line["url"] };
  });
}

/** Looks at everything until the load has ended. */
async function look(looks: Look[], loading: Promise<void>): Promise<void> {
  const processes = watched(tresline);
  const redis = openRedis(readFileSync(join(dataDir, "redis", "url"), "utf8"), "fail-fast", () => {});
  const began = performance.now();
  const over = new AbortController();
  const end = () => over.abort();
  loading.then(end, end);
  try {
    while (!over.signal.aborted) {
      const vitals = processes.map(async (each) => [each.name, await processVitals(each)] as const);
      const minute = (performance.now() - began) / 60_000;
      looks.push({
        minute,
        processes: Object.fromEntries(await Promise.all(vitals)),
        redis: await redisVitals(redis),
      });
      await sleep(LOOK_MS, undefined, { signal: over.signal }).catch(() => {});
    }
  } finally {
    redis.disconnect();
  }
}
