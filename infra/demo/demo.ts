import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { SingleBar } from "cli-progress";
import { z } from "zod";
import { Batch, BatchResult, MAX_INLINE_ITEMS } from "../../shared/contracts/batch.ts";
import { StartError } from "../local/start-error.ts";
import { startTresline } from "../local/tresline.ts";
import type { Tresline } from "../local/tresline.ts";
import { demoSource } from "../../worker/model/demo.ts";
import { findImages } from "./find-images.ts";
import type { DemoImage } from "./find-images.ts";
import { startReceiver } from "./receiver.ts";
import type { Receiver } from "./receiver.ts";
import { report } from "./report.ts";

const POLL_MS = 150;

/** `make demo`: starts everything, labels a folder of pictures as one batch, verifies the callback, shows what came out, stops everything. */
async function main(): Promise<void> {
  const figures = demoSource("figures");
  const { labels } = z
    .object({ labels: z.array(z.string()) })
    .parse(JSON.parse(readFileSync(join(figures, "config.json"), "utf8")));
  const folder = process.env["IMAGES"] ? resolve(process.env["IMAGES"]) : join(figures, "samples");
  const images = findImages(folder, labels, MAX_INLINE_ITEMS);
  const dataDir = mkdtempSync(join(tmpdir(), "tresline-demo-"));
  const receiver = await startReceiver(images);
  let tresline: Tresline | undefined;
  try {
    say(`Starting Redis, the API and a worker in ${dataDir} …`);
    const env = { ...process.env, PORT: "0", MODEL: "figures", ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32" };
    tresline = await startTresline({ DATA_DIR: dataDir }, env, say);
    say(`Ready at ${tresline.url}. Labelling ${images.length} pictures of ${folder} as one batch.\n`);
    await label(images, receiver, tresline);
  } finally {
    receiver.close();
    await tresline?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
  say("Stopped everything.");
}

async function label(
  images: readonly DemoImage[],
  receiver: Receiver,
  { url, apiKey }: Tresline,
): Promise<void> {
  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
    const response = await fetch(url + path, { ...init, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
  const items = images.map(({ name }, index) => ({
    custom_id: name,
    image: { url: receiver.imageUrl(index) },
  }));
  const body = JSON.stringify({ items, webhook: receiver.callbackUrl });
  const { secret } = z.object({ secret: z.string() }).parse(JSON.parse(await ask("/v1/webhook-secret")));
  const { id } = Batch.parse(JSON.parse(await ask("/v1/batches", { method: "POST", body })));
  const batch = await followed(images.length, async () =>
    Batch.parse(JSON.parse(await ask(`/v1/batches/${id}`))),
  );
  const callback = await receiver.callback(secret);
  say(
    `\nCallback ${callback.type} received as ${callback.id}; its signature is right (checked by the package standardwebhooks).\n`,
  );
  const lines = (await ask(`/v1/batches/${id}/results`)).trimEnd().split("\n");
  say(
    report(
      images,
      lines.map((line) => BatchResult.parse(JSON.parse(line))),
      batch,
    ),
  );
}

/** Shows a progress bar until the batch is completed. */
async function followed(total: number, getBatch: () => Promise<Batch>): Promise<Batch> {
  const bar = new SingleBar({
    format: "{bar} {value}/{total} pictures, {failed} failed",
    barsize: 40,
    hideCursor: true,
    noTTYOutput: true,
    notTTYSchedule: 1_000,
  });
  bar.start(total, 0, { failed: 0 });
  for (;;) {
    const batch = await getBatch();
    const { succeeded, failed } = batch.request_counts;
    bar.update(succeeded + failed, { failed });
    if (batch.status === "completed") {
      bar.stop();
      return batch;
    }
    await new Promise((wake) => setTimeout(wake, POLL_MS));
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(
    `${error instanceof Error ? (error instanceof StartError ? error.message : error.stack) : String(error)}\n`,
  );
  process.exit(1);
});
