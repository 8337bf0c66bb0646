import { readFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = "test/fixtures/payloads-0.1.0";

/** A payload as version 0.1.0 put it into a queue or into Redis; its addresses lead to `imagesUrl`. */
export const oldPayload = (name: string, imagesUrl = "http://images.example"): Record<string, unknown> =>
  JSON.parse(
    readFileSync(join(FOLDER, `${name}.json`), "utf8").replaceAll("http://images.example", imagesUrl),
  ) as Record<string, unknown>;
