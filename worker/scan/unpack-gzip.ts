import { Readable, pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { PermanentError } from "../../shared/errors.ts";

const GZIP_MAGIC = [0x1f, 0x8b];

/** Whether a stream begins as gzip does, and the whole of it. */
export async function sniffGzip(
  stream: AsyncIterable<Uint8Array>,
): Promise<[boolean, AsyncIterable<Uint8Array>]> {
  const pieces = stream[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let head = new Uint8Array();
  while (head.byteLength < GZIP_MAGIC.length) {
    const next = await pieces.next();
    if (next.done === true) break;
    first.push(next.value);
    head = new Uint8Array(Buffer.concat([head, next.value.subarray(0, GZIP_MAGIC.length)]));
  }
  async function* whole() {
    try {
      yield* first;
      for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
    } finally {
      await pieces.return?.();
    }
  }
  return [GZIP_MAGIC.every((byte, i) => head[i] === byte), whole()];
}

/** What gzip has packed. Throws PermanentError when it is damaged; `name` is what the error calls it. */
export async function* unpackGzip(
  stream: AsyncIterable<Uint8Array>,
  name: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  const gunzip = createGunzip();
  // Its errors come out of the loop below.
  pipeline(Readable.from(stream), gunzip, () => {});
  try {
    yield* gunzip as AsyncIterable<Uint8Array>;
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
    if (!code.startsWith("Z_")) throw cause;
    throw new PermanentError("fetch_failed", `The gzip data of ${name} is damaged.`, { cause });
  }
}
