import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { createMetrics as createApiMetrics } from "../../api/metrics.ts";
import { ErrorCode } from "../../shared/contracts/error.ts";
import { Lane } from "../../shared/contracts/lane.ts";
import { serveMetrics } from "../../shared/metrics-server.ts";
import type { MetricsServer } from "../../shared/metrics-server.ts";
import { announceModel } from "../../shared/state/models.ts";
import { WorkerConfig } from "../../worker/config.ts";
import { createMetrics } from "../../worker/metrics.ts";
import type { WorkerMetrics } from "../../worker/metrics.ts";
import { readBacklog } from "../../worker/read-backlog.ts";
import { openLog } from "../support/open-log.ts";
import { readExposition } from "../support/read-exposition.ts";
import type { Sample, ScrapedMetric } from "../support/read-exposition.ts";
import { openWorkerDeps } from "../support/worker-deps.ts";
import type { WorkerTestDeps } from "../support/worker-deps.ts";
import { readPromql } from "./read-promql.ts";

const DOC = readFileSync("docs/monitoring.md", "utf8");

const Alert = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(["warning", "critical"]) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string(), runbook: z.string() }),
});
const Rules = z.strictObject({
  groups: z.tuple([z.strictObject({ name: z.string(), rules: z.array(Alert) })]),
});
const alerts = Rules.parse(parse(readFileSync("infra/monitoring/alerts.yaml", "utf8"))).groups[0].rules;

const DataSource = z.strictObject({ type: z.literal("prometheus"), uid: z.literal("${datasource}") });
const Panel = z.object({
  id: z.int(),
  type: z.enum(["row", "stat", "timeseries"]),
  title: z.string(),
  datasource: DataSource.optional(),
  gridPos: z.strictObject({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
  targets: z
    .array(z.looseObject({ datasource: DataSource, expr: z.string(), legendFormat: z.string() }))
    .default([]),
});
const Dashboard = z.object({
  uid: z.literal("tresline"),
  schemaVersion: z.int().min(39),
  templating: z.object({
    list: z.tuple([z.looseObject({ name: z.literal("datasource"), type: z.literal("datasource") })]),
  }),
  panels: z.array(Panel),
});
const { panels } = Dashboard.parse(JSON.parse(readFileSync("infra/monitoring/dashboard.json", "utf8")));

/** What Prometheus adds to each sample that it scrapes. */
const ADDED = ["job", "instance"];

/** Metrics of both processes, scraped from servers that run as they do in the processes. */
const exported = new Map<string, ScrapedMetric & { of: string[] }>();
const servers: MetricsServer[] = [];
let deps: WorkerTestDeps;

beforeAll(async () => {
  deps = await openWorkerDeps();
  await announceModel(deps.redis, {
    name: "birds",
    digest: "sha256:1",
    num_classes: 2,
    device: "cuda",
    input_size: [4, 4],
    served_at: new Date().toISOString(),
  });
  const worker = createMetrics();
  countEverything(worker);
  // Read before the scrape, which waits for it no longer than two seconds.
  const backlog = await readBacklog({ ...deps, config: WorkerConfig.parse({ MODEL: "birds" }) });
  worker.watchBacklog(async () => backlog);
  worker.watchGpus(async () => ({
    driver: "580.1",
    gpus: [{ name: "NVIDIA H200", memory: 2, free_memory: 1 }],
  }));
  const api = createApiMetrics();
  for (const status of [200, 500])
    api.requestAnswered({ method: "GET", route: "/v1/batches/:id", status, ms: 1 });
  await scrape("worker", worker.registry);
  await scrape("API", api.registry);
});
afterAll(async () => {
  await Promise.all(servers.map((each) => each.close()));
  await deps.stop();
});

async function scrape(of: string, registry: WorkerMetrics["registry"]): Promise<void> {
  const { logger, log } = openLog();
  servers.push(await serveMetrics(registry, { METRICS_HOST: "127.0.0.1", METRICS_PORT: 0 }, logger));
  const text = await (await fetch(String(log.at(-1)?.["url"]))).text();
  for (const [name, metric] of readExposition(text))
    exported.set(name, { ...metric, of: [...(exported.get(name)?.of ?? []), of] });
}

/** Counts each thing that a worker counts, in each way it may happen. */
function countEverything(metrics: WorkerMetrics): void {
  const codes = ErrorCode.options;
  for (const lane of Lane.options) {
    metrics.imageEnded(lane, { status: "succeeded", error: null });
    for (const code of codes) metrics.imageEnded(lane, { status: "failed", error: { code } });
    metrics.imageLabelled(lane, { fetch_ms: 1, decode_ms: 1, batch_wait_ms: 1, inference_ms: 1 });
  }
  metrics.chunkStored([{ status: "succeeded" }], 1);
  metrics.batchEnded("completed");
  metrics.objectEnded("live", "succeeded");
  metrics.microBatchRan({ images: 3, rung: 4, inferenceMs: 1 });
  metrics.engineStarted({ name: "birds", digest: "sha256:1", device: "cuda" }, 1);
  metrics.countJobs("deliver");
}

const samplesOf = (metric: ScrapedMetric): Sample[] => Object.values(metric.samples).flat();
const labelsOf = (metric: ScrapedMetric): string[] =>
  [...new Set(samplesOf(metric).flatMap(({ labels }) => Object.keys(labels)))].filter(
    (label) => label !== "le",
  );
const find = (name: string) => exported.get(name) ?? exported.get(name.replace(/_(bucket|sum|count)$/, ""));
const ours = () => [...exported.values()].filter(({ name }) => name.startsWith("tresline_"));

test("docs/monitoring.md tells of every metric that is exported, in a table that is right", () => {
  const rows = ours().map(({ name, type, help, of, ...metric }) => {
    const labels = labelsOf({ name, type, help, ...metric })
      .map((label) => `\`${label}\``)
      .join(", ");
    return `| \`${name}\` | ${type} | ${labels || "–"} | ${of.join(", ")} | ${help} |`;
  });
  const table = ["| metric | type | labels | of | what it is |", "| --- | --- | --- | --- | --- |", ...rows];
  expect(DOC.slice(DOC.indexOf("| metric |")).split("\n\n")[0]).toBe(table.join("\n"));
});

const queries = () => [
  ...alerts.map(({ alert, expr, annotations }) => ({
    where: alert,
    expr,
    shown: [
      ...Object.values(annotations)
        .join(" ")
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, label = ""]) => label),
  })),
  ...panels.flatMap(({ title, targets }) =>
    targets.map(({ expr, legendFormat }) => ({
      where: title,
      expr,
      shown: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label),
    })),
  ),
];

describe.each(queries())("the query of $where: $expr", ({ expr, shown }) => {
  const { selectors, grouping } = readPromql(expr);

  test("asks for metrics, labels and values that there are", () => {
    expect(selectors.length).toBeGreaterThan(0);
    for (const { name, matchers } of selectors) {
      const metric = find(name);
      if (metric === undefined) throw new Error(`Nobody exports ${name}.`);
      for (const { label, values } of matchers) {
        expect([...labelsOf(metric), ...ADDED], name).toContain(label);
        for (const value of values) {
          const pattern = new RegExp(`^(?:${value})$`);
          const known = samplesOf(metric).map(({ labels }) => labels[label] ?? "");
          expect(
            known.some((each) => pattern.test(each)),
            `${name}{${label}="${value}"}`,
          ).toBe(true);
        }
      }
    }
  });

  test("groups by labels that there are, and shows some of these", () => {
    const labels = selectors.flatMap(({ name }) => {
      const metric = find(name);
      return metric === undefined
        ? []
        : [...labelsOf(metric), ...(metric.type === "histogram" ? ["le"] : [])];
    });
    expect(grouping.filter((label) => ![...labels, ...ADDED].includes(label))).toEqual([]);
    const left = grouping.length > 0 ? [...grouping, ...ADDED] : [...labels, ...ADDED];
    expect(shown.filter((label) => !left.includes(label))).toEqual([]);
  });
});

test("every metric of ours is on the dashboard", () => {
  const asked = panels
    .flatMap(({ targets }) => targets.flatMap(({ expr }) => readPromql(expr).selectors))
    .map(({ name }) => find(name)?.name);
  expect(ours().filter(({ name }) => !asked.includes(name))).toEqual([]);
});

test("the panels of the dashboard have ids of their own and do not lie on one another", () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
});

test("each alert has a section of docs/monitoring.md that says what to do, and each section an alert", () => {
  const sections = DOC.split(/^### /m)
    .slice(1)
    .map((section) => section.split("\n"));
  expect(sections.map(([title]) => title)).toEqual(alerts.map(({ alert }) => alert));
  for (const [title, ...text] of sections) {
    expect(text.join("\n"), title).toMatch(/\*\*Means:\*\* .+[^]*\*\*Do:\*\* .+/);
  }
  for (const { alert, annotations } of alerts)
    expect(annotations.runbook).toBe(`docs/monitoring.md#${alert.toLowerCase()}`);
});

test("each alert has a case in infra/monitoring/alerts.test.yaml that raises it", () => {
  const Cases = z.looseObject({
    tests: z.array(
      z.looseObject({
        alert_rule_test: z.array(z.looseObject({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
      }),
    ),
  });
  const { tests } = Cases.parse(parse(readFileSync("infra/monitoring/alerts.test.yaml", "utf8")));
  const raised = tests.flatMap(({ alert_rule_test }) =>
    alert_rule_test.filter(({ exp_alerts }) => exp_alerts.length > 0).map(({ alertname }) => alertname),
  );
  expect([...new Set(raised)].toSorted()).toEqual(alerts.map(({ alert }) => alert).toSorted());
});
