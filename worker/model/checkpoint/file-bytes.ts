import { closeSync, openSync, readSync } from "node:fs";
import { ModelError } from "../model-error.ts";

/** `size` bytes of a file from byte `offset`. `what` names them in the ModelError that is thrown when the file ends before. */
export function readBytes(path: string, what: string, offset: number, size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const file = openSync(path, "r");
  try {
    for (let done = 0; done < size;) {
      const count = readSync(file, bytes, done, size - done, offset + done);
      if (count === 0) throw new ModelError(`${path}: ${what} is cut off: the file is truncated.`);
      done += count;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}
