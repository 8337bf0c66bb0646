import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { z } from "zod";
import { bundle } from "../../../infra/bundle/bundle.ts";
import type { Runtime, StartRuntime } from "./runtime.ts";

/** What the deployment says of how workerd is to run. */
const Wrangler = z.object({
  main: z.string(),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
});

/** What the deployment is configured as: JSON with comments on lines of their own and commas at ends. */
export const readWrangler = () =>
  Wrangler.parse(
    JSON.parse(
      readFileSync("infra/cloudflare/wrangler.jsonc", "utf8")
        .replaceAll(/^\s*\/\/.*$/gm, "")
        .replaceAll(/,(?=\s*[}\]])/g, ""),
    ),
  );

/** The bundle in Cloudflare's own runtime, workerd. */
export interface CloudflareRuntime extends Runtime {
  /** Hands messages to its queue consumer: the ids, in alphabetical order, of those it took, and of those that are to be brought again. */
  deliver: (messages: { id: string; body: unknown }[]) => Promise<{ taken: string[]; again: string[] }>;
}

interface QueueConsumer {
  queue: (
    name: string,
    messages: object[],
  ) => Promise<{ explicitAcks: string[]; retryMessages: { msgId: string }[] }>;
}

/** Bundles `api/cloudflare.ts` and starts workerd as `wrangler.jsonc` says. */
export const startCloudflareRuntime: StartRuntime<CloudflareRuntime> = async (env) => {
  const root = mkdtempSync(join(tmpdir(), "tresline-cloudflare-"));
  const { file } = await bundle("cloudflare", root);
  const { compatibility_date, compatibility_flags } = readWrangler();
  const began = performance.now();
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents: readFileSync(file, "utf8") }],
    compatibilityDate: compatibility_date,
    compatibilityFlags: compatibility_flags,
    bindings: env,
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      stdout.resume();
      // It tells of every client that went.
      stderr.resume();
    },
  });
  const url = (await miniflare.ready).origin;
  return {
    url,
    coldStartMs: performance.now() - began,
    async deliver(messages) {
      const worker = (await miniflare.getWorker()) as unknown as QueueConsumer;
      const timestamp = new Date();
      const outcome = await worker.queue(
        "tresline-bucket-events",
        messages.map((message) => ({ ...message, timestamp, attempts: 1 })),
      );
      return {
        taken: outcome.explicitAcks.toSorted(),
        again: outcome.retryMessages.map(({ msgId }) => msgId),
      };
    },
    async stop() {
      await miniflare.dispose();
      rmSync(root, { recursive: true, force: true });
    },
  };
};
