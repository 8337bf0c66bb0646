/** One value of a metric. */
export interface Sample {
  labels: Record<string, string>;
  value: number;
}

/** A metric as it was scraped. */
export interface ScrapedMetric {
  name: string;
  type: string;
  help: string;
  /** The values by the names that they stand under: a histogram's are under `_bucket`, `_sum` and `_count`. */
  samples: Record<string, Sample[]>;
}

const SUFFIX = /_(bucket|sum|count)$/;
const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"(?:,|$)/g;

/** Reads the text that Prometheus scrapes, version 0.0.4. Throws at a line that it would not take. */
export function readExposition(text: string): Map<string, ScrapedMetric> {
  const metrics = new Map<string, ScrapedMetric>();
  const find = (name: string) => {
    const known = metrics.get(name) ?? { name, type: "", help: "", samples: {} };
    metrics.set(name, known);
    return known;
  };
  for (const line of text.split("\n")) {
    const [, about, of = "", rest = ""] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (about === "HELP") find(of).help = rest;
    else if (about === "TYPE") find(of).type = rest;
    else if (line !== "") {
      const [, name = "", labels = "", value = ""] = LINE.exec(line) ?? [];
      const metric = metrics.get(name) ?? metrics.get(name.replace(SUFFIX, ""));
      if (metric === undefined || !isValue(value))
        throw new Error(`Prometheus would not take this line: ${line}`);
      (metric.samples[name] ??= []).push({ labels: readLabels(labels), value: Number(value) });
    }
  }
  return metrics;
}

// As Go reads numbers.
const isValue = (text: string) =>
  /^(nan|[+-]?inf)$/i.test(text) || (text !== "" && !Number.isNaN(Number(text)));

function readLabels(text: string): Record<string, string> {
  const found = [...text.matchAll(LABEL)];
  if (found.map(([all]) => all).join("") !== text) throw new Error(`These are no labels: ${text}`);
  return Object.fromEntries(found.map(([, name = "", value = ""]) => [name, value]));
}

/** The one value of a metric that has these labels, beside others; undefined when none has. */
export function valueOf(
  metrics: Map<string, ScrapedMetric>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const metric = metrics.get(name) ?? metrics.get(name.replace(SUFFIX, ""));
  const fits = (sample: Sample) =>
    Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return metric?.samples[name]?.find(fits)?.value;
}
