import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { ApiConfig } from "../api/config.ts";
import { LocalConfig } from "../infra/local/tresline.ts";
import { WorkerConfig } from "../worker/config.ts";
import { RESULT_COLUMNS } from "../worker/scan/result-rows.ts";

const readme = readFileSync("README.md", "utf8");
const shape = { ...LocalConfig.shape, ...ApiConfig.shape, ...WorkerConfig.shape };

/** A default as a person would write it in the environment. */
function defaultOf(schema: z.ZodType): string {
  const { data } = schema.safeParse(undefined);
  const text = [data].flat().join(",");
  return text === "" ? "–" : `\`${text}\``;
}

const table = [
  "| variable | default | what it is |",
  "| --- | --- | --- |",
  ...Object.entries(shape).map(
    ([name, schema]) => `| \`${name}\` | ${defaultOf(schema)} | ${schema.meta()?.description} |`,
  ),
].join("\n");

test("the README's configuration table is what the code reads", () => {
  expect(readme.slice(readme.indexOf("| variable |")).split("\n\n")[0]).toBe(table);
});

test("every variable says what it is", () => {
  expect(Object.entries(shape).filter(([, schema]) => !schema.meta()?.description)).toEqual([]);
});

const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "SECURITY.md",
  "docs/api-keys.md",
  "docs/api.md",
  "docs/aws.md",
  "docs/batches.md",
  "docs/chaos.md",
  "docs/cli.md",
  "docs/client.md",
  "docs/console.md",
  "docs/edge.md",
  "docs/gpu.md",
  "docs/kubernetes.md",
  "docs/labelers.md",
  "docs/models.md",
  "docs/monitoring.md",
  "docs/observability.md",
  "docs/operations.md",
  "docs/performance.md",
  "docs/preprocessing.md",
  "docs/scale.md",
  "docs/redis.md",
  "docs/webhooks.md",
];

test.each(documents)("the links of %s to files lead somewhere", (document) => {
  const links = [...readFileSync(document, "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    ([, link]) => link ?? "",
  );
  expect(links.filter((link) => !existsSync(join(dirname(document), link)))).toEqual([]);
});

test("the files and folders that ARCHITECTURE.md names exist", () => {
  const named = [
    ...readFileSync("ARCHITECTURE.md", "utf8").matchAll(/`((?:api|worker|shared|infra|test)\/[\w./-]+)`/g),
  ];
  expect(named.length).toBeGreaterThan(20);
  expect(named.map(([, path]) => path ?? "").filter((path) => !existsSync(path))).toEqual([]);
});

test("docs/batches.md describes the columns of the results' tables, all of them and in their order", () => {
  const columnTable = readFileSync("docs/batches.md", "utf8").split("| column |")[1]?.split("\n\n")[0] ?? "";
  const columns = [...columnTable.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(columns).toEqual(RESULT_COLUMNS);
});

test("each attack that SECURITY.md says is defended has a test that shows it", () => {
  const defended = readFileSync("SECURITY.md", "utf8").split("| attack |")[1]?.split("\n\n")[0] ?? "";
  const rows = defended.split("\n").slice(2);
  expect(rows.length).toBeGreaterThan(20);
  expect(rows.filter((row) => !/\]\(test\/[\w./-]+\.test\.ts\) \|$/.test(row))).toEqual([]);
  const shown = readdirSync("test/security").filter((name) => name.endsWith(".test.ts"));
  expect(shown.filter((name) => !defended.includes(`](test/security/${name})`))).toEqual([]);
});
