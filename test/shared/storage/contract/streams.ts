import { expect, test } from "vitest";
import type { Storage } from "../../../../shared/storage/storage.ts";
import { TEXT, keys, repeated, text } from "./stored.ts";

/** What every kind of storage promises of objects that come and go in pieces. */
export function describeStreams(open: () => Storage): void {
  test("a large object is streamed in pieces, and many streams may be given up half-way", async () => {
    const storage = open();
    const large = new Uint8Array(9_000_000).map((_, i) => i % 251);
    await storage.put("large", large, { contentType: "application/octet-stream" });
    const pieces: Uint8Array[] = [];
    for await (const piece of (await storage.getStream("large")) ?? []) pieces.push(piece);
    expect(pieces.length).toBeGreaterThan(1);
    expect(Buffer.concat(pieces).equals(large)).toBe(true);

    for (let i = 0; i < 60; i++) {
      const reader = (await storage.getStream("large"))?.getReader();
      expect((await reader?.read())?.value?.length).toBeGreaterThan(0);
      await reader?.cancel();
    }
    expect(await storage.get("large", { maxBytes: 9_000_000 })).toHaveLength(9_000_000);
  });

  test("an object is written as its bytes come, whatever its size and the size of its pieces", async () => {
    const storage = open();
    for (const [pieces, pieceBytes] of [
      [0, 0],
      [3, 5],
      [1, 9_000_000],
      [4_500, 4_001],
      [2, 8 * 1024 * 1024],
    ] as const) {
      const piece = new Uint8Array(pieceBytes).map((_, i) => i % 251);
      await storage.putStream("streamed", repeated(piece, pieces), TEXT);
      const whole = Buffer.concat(Array.from({ length: pieces }, () => piece));
      expect(whole.equals((await storage.get("streamed")) ?? Buffer.alloc(1))).toBe(true);
    }
  });

  test("a stream begins at the byte that it is asked for from, and is empty when there is none", async () => {
    const storage = open();
    await storage.put("range/a", "0123456789", TEXT);
    const from = async (byte?: number) => {
      const stream = await storage.getStream("range/a", byte);
      return stream && (await new Response(stream).text());
    };
    expect(await from()).toBe("0123456789");
    expect(await from(0)).toBe("0123456789");
    expect(await from(7)).toBe("789");
    expect([await from(10), await from(11)]).toEqual(["", ""]);
    expect(await storage.getStream("range/absent", 3)).toBeUndefined();
  });

  test("a stream that ends in an error leaves what was there, and nothing beside it", async () => {
    const storage = open();
    await storage.put("broken/off", "before", TEXT);
    for (const pieces of [0, 3, 25]) {
      const stream = repeated(new Uint8Array(1_000_000), pieces, new Error("no more"));
      await expect(storage.putStream("broken/off", stream, TEXT)).rejects.toThrow("no more");
    }
    expect(await text(storage, "broken/off")).toBe("before");
    expect(await keys(storage, "broken/")).toEqual(["broken/off"]);
  });
}
