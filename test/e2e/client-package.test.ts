import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serveApi } from "../api/client/serve-api.ts";
import type { ServedApi } from "../api/client/serve-api.ts";
import { readFigure, toDataUrl } from "../api/support/figures.ts";

const run = promisify(execFile);

/** All that the client needs of others at run time. */
const NEEDED = ["zod", "eventsource-parser"];

/** What a program does with the client: a picture labelled by itself and in a batch, and a refusal. */
const PROGRAM = `
import { TreslineError, createClient, verifyWebhook } from "tresline/client";

export async function use(url, apiKey, picture) {
  const tresline = createClient({ url, apiKey });
  const { id } = await tresline.classifications.create({ data: picture });
  const { predictions } = await tresline.classifications.wait(id);
  const batch = await tresline.batches.create({ items: [{ custom_id: "a", image: { data: picture } }] });
  await tresline.batches.wait(batch.id);
  const names = [];
  for await (const { custom_id } of tresline.batches.results(batch.id)) names.push(custom_id);
  const refusal = await verifyWebhook("{}", {}, "whsec_").catch((error) => error);
  return { label: predictions[0].label, names, refused: refusal instanceof TreslineError };
}
`;
const USED = { label: "bar_chart", names: ["a"], refused: true };

let folder: string;
let api: ServedApi;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tresline-package-"));
  const installed = join(folder, "node_modules/tresline");
  mkdirSync(installed, { recursive: true });
  // The scripts of this very package are meant, which .npmrc forbids those of others.
  await run("npm", ["pack", "--silent", "--ignore-scripts=false", "--pack-destination", folder]);
  await run("tar", ["xzf", join(folder, "tresline-0.1.0.tgz"), "-C", installed, "--strip-components=1"]);
  for (const name of NEEDED) symlinkSync(resolve("node_modules", name), join(folder, "node_modules", name));
  writeFileSync(join(folder, "use.mjs"), PROGRAM);
  api = await serveApi();
  await api.startWorker();
});
afterAll(async () => {
  await api?.close();
  rmSync(folder, { recursive: true, force: true });
});

const picture = toDataUrl(readFigure("bar_chart_06.png"));

test("the package is installed and used by a program without a build", async () => {
  const given = JSON.stringify([api.url, api.apiKey, picture]).slice(1, -1);
  writeFileSync(
    join(folder, "main.mjs"),
    `import { use } from "./use.mjs";\nprocess.stdout.write(JSON.stringify(await use(${given})));\n`,
  );
  const { stdout } = await run(process.execPath, [join(folder, "main.mjs")]);
  expect(JSON.parse(stdout)).toEqual(USED);
});

test("it brings its types, which tell what an event's data is", async () => {
  writeFileSync(
    join(folder, "typed.mts"),
    `import type { Client, WebhookEvent } from "tresline/client";
export const total = async (client: Client): Promise<number> =>
  (await client.batches.get("bat_1")).request_counts.total;
export const results = (event: WebhookEvent): string | undefined =>
  event.type === "batch.completed" ? event.data.urls.results : undefined;
// @ts-expect-error A classification has no results.
export const none = (event: WebhookEvent) => event.type === "classification.failed" && event.data.urls.results;
`,
  );
  const options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024"];
  const lib = ["--lib", "es2024,dom,dom.asynciterable"];
  const tsc = resolve("node_modules/.bin/tsc");
  await expect(run(tsc, [...options, ...lib, "typed.mts"], { cwd: folder })).resolves.toMatchObject({
    stdout: "",
  });
});

test("nothing in it is for Node alone: it is bundled for browsers, and that runs in workerd", async () => {
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `import { use } from "./use.mjs";
        export default { fetch: async (request) => Response.json(await use(...(await request.json()))) };`,
      resolveDir: folder,
    },
    bundle: true,
    platform: "browser",
    format: "esm",
    outdir: folder,
    write: false,
    metafile: true,
    preserveSymlinks: true,
  });
  const packages = Object.keys(metafile.inputs).map((path) => /node_modules\/([^/]+)/.exec(path)?.[1]);
  expect(new Set(packages.filter((name) => name !== undefined))).toEqual(new Set(["tresline", ...NEEDED]));
  const [output] = Object.values(metafile.outputs);
  const languages = Object.entries(output?.inputs ?? {}).filter(
    ([path, { bytesInOutput }]) => path.includes("/locales/") && bytesInOutput > 0,
  );
  expect(languages.map(([path]) => path)).toEqual([expect.stringMatching(/\/en\.js$/)]);
  const workerd = new Miniflare({
    modules: true,
    script: outputFiles[0]?.text ?? "",
    compatibilityDate: "2026-05-01",
  });
  try {
    const body = JSON.stringify([api.url, api.apiKey, picture]);
    const response = await workerd.dispatchFetch("http://worker/", { method: "POST", body });
    expect(await response.json()).toEqual(USED);
  } finally {
    await workerd.dispose();
  }
});
