const LINE_FEED = 10;

/** A line of a stream: its bytes without the line feed, undefined when they are too many, and the byte at which the next one begins. */
export interface Line {
  bytes: Buffer | undefined;
  end: number;
}

/** The lines of a stream, of which at most `maxBytes` bytes and a piece of the stream are in memory. The last one may lack its line feed. */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Line, void, undefined> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let at = 0;
  const hold = (bytes: Uint8Array) => {
    heldBytes += bytes.byteLength;
    if (heldBytes <= maxBytes) held.push(bytes);
    else held = [];
  };
  const take = (end: number): Line => {
    const bytes = heldBytes <= maxBytes ? Buffer.concat(held) : undefined;
    held = [];
    heldBytes = 0;
    return { bytes, end };
  };
  for await (const piece of stream) {
    let from = 0;
    for (let to = piece.indexOf(LINE_FEED); to >= 0; to = piece.indexOf(LINE_FEED, from)) {
      hold(piece.subarray(from, to));
      from = to + 1;
      yield take(at + from);
    }
    hold(piece.subarray(from));
    at += piece.byteLength;
  }
  if (heldBytes > 0) yield take(at);
}
