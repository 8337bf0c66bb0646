import { readFileSync } from "node:fs";
import { errorCode } from "./error-code.ts";
import { ModelError } from "./model-error.ts";

/** The text of a UTF-8 file. Throws ModelError when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ModelError(`${path}: cannot be read (${errorCode(error)}).`);
  }
}
