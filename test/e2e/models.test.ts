import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTresline } from "../../infra/local/tresline.ts";
import type { Tresline } from "../../infra/local/tresline.ts";
import { Classification } from "../../shared/contracts/classification.ts";
import { Problem } from "../../shared/contracts/error.ts";
import { buildManyClasses, sortedLabels } from "../support/many-classes.ts";
import { tresline as model } from "../worker/model/run-cli.ts";

const SAMPLE = "worker/model/demo/figures/samples/table_00.webp";
const root = mkdtempSync(join(tmpdir(), "tresline-models-"));
const built = buildManyClasses(root);
let tresline: Tresline;

beforeAll(async () => {
  const repository = `file:${join(root, "repository")}`;
  await model("publish", built.dir, repository, "--alias", "species");
  const env = { ...process.env, PORT: "0", MODEL: "species", MODELS_URL: repository };
  tresline = await startTresline({ DATA_DIR: join(root, "data") }, env, () => {});
});

afterAll(async () => {
  await tresline?.stop();
  rmSync(root, { recursive: true, force: true });
});

const classify = (query: string) =>
  fetch(`${tresline.url}/v1/classifications?${query}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${tresline.apiKey}`,
      "content-type": "image/webp",
      prefer: "wait=30",
    },
    body: new Uint8Array(readFileSync(SAMPLE)),
  });
const answer = async (query: string) => Classification.parse(await (await classify(query)).json());
const labels = ({ predictions }: Classification) => predictions?.map(({ label }) => label);

test("an image is labelled with the best of 2000 classes of the model the repository's alias means", async () => {
  const classification = await answer("top_k=7");
  expect(classification).toMatchObject({
    status: "succeeded",
    model: "species",
    model_digest: built.manifest.digest,
  });
  expect(labels(classification)).toEqual((await sortedLabels(built, SAMPLE)).slice(0, 7));
});

test("asked for more than the model tells, the answer has as many as it tells", async () => {
  const classification = await answer("top_k=1000");
  expect(built.manifest.top_k).toBe(100);
  expect(labels(classification)).toEqual((await sortedLabels(built, SAMPLE)).slice(0, 100));
});

test("a threshold leaves out what is below it", async () => {
  const [first, second, third] = (await answer("top_k=3")).predictions ?? [];
  expect(Number(second?.score)).toBeGreaterThan(Number(third?.score));
  const between = (Number(second?.score) + Number(third?.score)) / 2;
  expect((await answer(`top_k=50&threshold=${between.toFixed(9)}`)).predictions).toEqual([first, second]);
});

test("the model's own name is not served when the worker serves its alias", async () => {
  const response = await classify("model=many_classes");
  expect(response.status).toBe(404);
  expect(Problem.parse(await response.json()).detail).toMatch(/many_classes/);
});
