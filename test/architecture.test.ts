import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

/** Which folders a file or folder may import from. The most specific row wins. */
const MAY_IMPORT: Record<string, string[]> = {
  api: ["api", "shared"],
  worker: ["worker", "shared"],
  "worker/model": ["worker/model"],
  // Classifying and evaluating files needs no queue, and so no more of the worker than this.
  "worker/model/commands/publish.ts": ["worker/model", "shared/storage/open-storage.ts"],
  "worker/model/commands/classify.ts": ["worker/model", "worker/classify/rank.ts"],
  "worker/model/score-files.ts": ["worker/model", "worker/engine/session.ts", "worker/image/preprocess.ts"],
  shared: ["shared"],
  "shared/contracts": ["shared/contracts"],
  // Spans tell of which version they are.
  "shared/version.ts": ["package.json"],
  infra: ["infra", "shared", "worker/model/demo.ts"],
  // The environment that a deployment gives to the API is held against what the API reads.
  "infra/aws/settings.ts": ["api/config.ts", "shared"],
};

/** Each vendor has its doors: the only files and folders that may import it. */
const DOORS: Record<string, string[]> = {
  bullmq: ["shared/queue.ts", "shared/queue-admin.ts", "worker/consume.ts"],
  ioredis: ["shared/redis.ts"],
  "@bull-board/api": ["api/console/board.ts"],
  "@bull-board/api/bullMQAdapter": ["api/console/board.ts"],
  "@bull-board/hono": ["api/console/board.ts"],
  "onnxruntime-node": ["worker/engine/session.ts"],
  "@aws-sdk/client-s3": [
    "shared/storage/s3-client.ts",
    "shared/storage/s3-failure.ts",
    "shared/storage/s3-label-writer.ts",
    "shared/storage/s3-multipart.ts",
    "shared/storage/s3-presign.ts",
    "shared/storage/s3-storage.ts",
    "shared/storage/s3-source-buckets.ts",
  ],
  "@aws-sdk/s3-request-presigner": ["shared/storage/s3-presign.ts"],
  sharp: ["worker/image/preprocess.ts"],
  "@smithy/fetch-http-handler": ["api/cloudflare.ts"],
  esbuild: ["infra/bundle/bundle.ts"],
  "aws-cdk-lib": ["infra/aws"],
  constructs: ["infra/aws"],
  undici: ["worker/net", "worker/model"],
  pino: ["shared/logger.ts"],
  ulid: ["shared/new-id.ts"],
  "@opentelemetry/api": ["shared/open-tracer.ts"],
  "@opentelemetry/exporter-trace-otlp-http": ["shared/open-tracer.ts"],
  "@opentelemetry/resources": ["shared/open-tracer.ts"],
  "@opentelemetry/sdk-trace": ["shared/open-tracer.ts"],
  "hyparquet-writer": ["worker/scan/to-parquet.ts"],
  "prom-client": [
    "shared/metrics-server.ts",
    "worker/metrics.ts",
    "worker/asked-gauges.ts",
    "worker/quick-histogram.ts",
    "api/metrics.ts",
  ],
};

/** Folders that must also run on Cloudflare Workers, and the files in them that are for Node alone. */
const RUNS_ANYWHERE = ["api", "shared"];
const NODE_ONLY = [
  "api/node.ts",
  "api/answer-before-close.ts",
  "api/listen.ts",
  "api/cli/tresline.ts",
  "api/cli/sample-png.ts",
  "shared/storage/directory-storage.ts",
  "shared/storage/durable-file.ts",
  "shared/metrics-server.ts",
];

/** Where the environment may be read: entries, and nothing else. */
const ENTRIES = [
  "api/node.ts",
  "api/lambda.ts",
  "api/cli/tresline.ts",
  "worker/main.ts",
  "worker/cli.ts",
  "worker/model/cli.ts",
  "infra/local",
  "infra/aws/main.ts",
  "infra/demo",
];

const TREE = ["api", "worker", "shared", "infra"];
const NO_DRAWERS = /(^|\/)(utils?|helpers?|lib|common|misc|index)(\.ts)?(\/|$)/;

const within = (path: string, folder: string) => path === folder || path.startsWith(`${folder}/`);

const files = TREE.flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => ({ file: join(root, name), source: readFileSync(join(root, name), "utf8") })),
);

const imports = files.flatMap(({ file, source }) =>
  [...source.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => {
    const to = match[1] ?? "";
    const local = to.startsWith(".");
    return { file, local, to: local ? join(dirname(file), to) : to };
  }),
);

test("there is a tree to look at", () => {
  expect(files.length).toBeGreaterThan(50);
  expect(imports.length).toBeGreaterThan(100);
});

test.each(imports.filter((i) => i.local))("$file may import $to", ({ file, to }) => {
  const row = Object.keys(MAY_IMPORT)
    .filter((candidate) => within(file, candidate))
    .toSorted((a, b) => b.length - a.length)[0];
  expect(MAY_IMPORT[row ?? ""]?.some((allowed) => within(to, allowed))).toBe(true);
});

/** The package that an import is of: `aws-cdk-lib/aws-s3` is of `aws-cdk-lib`. */
const packageOf = (to: string) =>
  to
    .split("/")
    .slice(0, to.startsWith("@") ? 2 : 1)
    .join("/");

test.each(imports.filter((i) => packageOf(i.to) in DOORS))("$file is a door to $to", ({ file, to }) => {
  expect(DOORS[packageOf(to)]?.some((door) => within(file, door))).toBe(true);
});

test.each(imports.filter((i) => within(i.file, "shared/contracts") && !i.local))(
  "the contract $file imports zod and nothing else: $to",
  ({ to }) => {
    expect(to).toBe("zod");
  },
);

test.each(imports.filter((i) => i.to.startsWith("node:")))("$file may use $to", ({ file }) => {
  const anywhere = RUNS_ANYWHERE.some((f) => within(file, f)) && !NODE_ONLY.some((f) => within(file, f));
  expect(anywhere).toBe(false);
});

test.each(files.filter(({ source }) => source.includes("process.env")))(
  "$file may read the environment",
  ({ file }) => {
    expect(ENTRIES.some((entry) => within(file, entry))).toBe(true);
  },
);

test("no file or folder is a drawer", () => {
  expect(files.map(({ file }) => file).filter((file) => NO_DRAWERS.test(file))).toEqual([]);
});
