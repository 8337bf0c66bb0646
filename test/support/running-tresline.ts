import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { Batch, BatchResult } from "../../shared/contracts/batch.ts";
import type { CreateBatch } from "../../shared/contracts/batch.ts";
import { Classification } from "../../shared/contracts/classification.ts";

/** All of Tresline in processes of its own, on a data directory of its own, and a client for it. */
export interface RunningTresline extends Tresline {
  /** Gets a path of the API, or posts a body to it, and answers what came back. Throws when that is a refusal. */
  ask: (path: string, body?: unknown) => Promise<string>;
  /** Accepts a classification of an image URL and answers when Redis has it. */
  classify: (imageUrl: string, webhook?: string) => Promise<string>;
  /** The classification once it has ended. */
  ended: (id: string) => Promise<Classification>;
  /** Accepts a batch. */
  createBatch: (body: Pick<CreateBatch, "items"> & { webhook?: string; top_k?: number }) => Promise<string>;
  batch: (id: string) => Promise<Batch>;
  /** The results of a batch once it is completed, one for each line. */
  results: (id: string) => Promise<BatchResult[]>;
  webhookSecret: () => Promise<string>;
  /** What was noticed of parts that ended by themselves. */
  notices: string[];
}

const PAUSE_MS = 200;
const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** Starts it, allowed to reach servers on 127.0.0.1; to be stopped in `afterAll`, which forgets its data too. `settings` are environment variables. */
export async function startTestTresline(settings: Record<string, string> = {}): Promise<RunningTresline> {
  const dataDir = mkdtempSync(join(tmpdir(), "tresline-data-"));
  const notices: string[] = [];
  const env = { ...process.env, PORT: "0", ALLOWED_PRIVATE_NETWORKS: "127.0.0.1/32", ...settings };
  const tresline = await startTresline({ DATA_DIR: dataDir }, env, (notice) => notices.push(notice));
  const ask = async (path: string, body?: unknown): Promise<string> => {
    const headers = { authorization: `Bearer ${tresline.apiKey}`, "content-type": "application/json" };
    const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const response = await fetch(tresline.url + path, { headers, ...sent });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} was answered ${response.status}: ${text}`);
    return text;
  };
  const batch = async (id: string) => Batch.parse(JSON.parse(await ask(`/v1/batches/${id}`)));
  return {
    ...tresline,
    ask,
    notices,
    batch,
    async classify(url, webhook) {
      const accepted = await ask("/v1/classifications", { image: { url }, webhook });
      return Classification.parse(JSON.parse(accepted)).id;
    },
    async ended(id) {
      for (;;) {
        const classification = Classification.parse(JSON.parse(await ask(`/v1/classifications/${id}`)));
        if (classification.completed_at !== null) return classification;
        await pause();
      }
    },
    createBatch: async (body) => Batch.parse(JSON.parse(await ask("/v1/batches", body))).id,
    async results(id) {
      while ((await batch(id)).status !== "completed") await pause();
      const lines = (await ask(`/v1/batches/${id}/results`)).trimEnd().split("\n");
      return lines.map((line) => BatchResult.parse(JSON.parse(line)));
    },
    async webhookSecret() {
      const { secret } = JSON.parse(await ask("/v1/webhook-secret")) as { secret: string };
      return secret;
    },
    async stop() {
      await tresline.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
