import { sample } from "../support/figures.ts";

/** How an image is to end: with this best label, or with this code. */
export type Expected = { label: string } | { code: string };

/** A file that is sent, and how it is to end. */
export interface Picture {
  name: string;
  mediaType: string;
  bytes: Uint8Array<ArrayBuffer>;
  expected: Expected;
}

/** Samples that the demo model labels rightly. */
const SAMPLES = [
  "bar_chart_06.png",
  "barcode_07.png",
  "flowchart_08.webp",
  "heatmap_09.webp",
  "line_chart_08.webp",
  "pie_chart_07.webp",
  "qr_code_09.png",
  "scatter_plot_05.webp",
  "source_code_09.webp",
  "table_06.webp",
];

/** Pictures whose label is known. */
export const PICTURES: readonly Picture[] = SAMPLES.map((name) => ({
  name,
  mediaType: `image/${name.split(".")[1]}`,
  bytes: sample(name),
  expected: { label: name.replace(/_\d.*/, "") },
}));

const broken = (name: string, text: string, code: string): Picture => ({
  name,
  mediaType: "image/png",
  bytes: new TextEncoder().encode(text),
  expected: { code },
});

/** Files that are no picture, each for a reason of its own. */
export const BROKEN: readonly Picture[] = [
  broken("text.png", "this is not an image", "invalid_image"),
  broken("svg.png", '<svg xmlns="http://www.w3.org/2000/svg"/>', "unsupported_media_type"),
];
