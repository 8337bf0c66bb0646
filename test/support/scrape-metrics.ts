import type { WorkerMetrics } from "../../worker/metrics.ts";
import { readExposition, valueOf } from "./read-exposition.ts";

/** What a scrape of a worker shows. */
export const scrapeMetrics = async ({ registry }: WorkerMetrics) => readExposition(await registry.metrics());

/** The value with these labels in what a scrape would show. */
export const shownBy = async (metrics: WorkerMetrics, name: string, labels: Record<string, string> = {}) =>
  valueOf(await scrapeMetrics(metrics), name, labels);
