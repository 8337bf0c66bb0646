import { readFileSync } from "node:fs";

/** A held-out picture of the demo model `figures`; its class is the beginning of its name. */
export function readFigure(name: string): Buffer<ArrayBuffer> {
  const file = new URL(`../../../worker/model/demo/figures/samples/${name}`, import.meta.url);
  return Buffer.from(readFileSync(file));
}

/** The bytes as a data URL. */
export const toDataUrl = (bytes: Buffer, mediaType = "image/png"): string =>
  `data:${mediaType};base64,${bytes.toString("base64")}`;
