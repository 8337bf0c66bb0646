/** The lines of a text that comes in pieces, none of them empty. The last one may lack its line feed. */
export async function* readLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let begun = "";
  for await (const piece of pieces) {
    const lines = decoder.decode(piece, { stream: true }).split("\n");
    lines[0] = begun + (lines[0] ?? "");
    begun = lines.pop() ?? "";
    for (const line of lines) if (line !== "") yield line;
  }
  const last = begun + decoder.decode();
  if (last !== "") yield last;
}
