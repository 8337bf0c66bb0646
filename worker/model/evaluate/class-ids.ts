import { join } from "node:path";
import { readText } from "../read-text.ts";

const LISTS = ["imagenet-1k.tsv", "imagenet-21k-p.tsv"];

/** The WordNet ids of a model's classes when its labels are one of the lists that come with Tresline, else none. */
export function wordNetIds(labels: readonly string[]): string[] {
  for (const list of LISTS) {
    const rows = readText(join(import.meta.dirname, "../labels", list))
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
    if (rows.length === labels.length && rows.every(([, , name], index) => name === labels[index]))
      return rows.map(([, id]) => id ?? "");
  }
  return [];
}
