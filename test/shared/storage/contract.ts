import { expect, test } from "vitest";
import type { Storage, StoredObject } from "../../../shared/storage/storage.ts";

const TEXT = { contentType: "text/plain" };

/** What every kind of storage promises. `open` gives a storage that is empty at first and the same for all tests. */
export function describeStorage(open: () => Storage): void {
  test("what was put is got back, byte by byte, and a second put replaces it", async () => {
    const storage = open();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    await storage.put("put/bytes", bytes, { contentType: "application/octet-stream" });
    expect(await storage.get("put/bytes")).toStrictEqual(bytes);
    await storage.put("put/bytes", "naïve ☃", TEXT);
    expect(await text(storage, "put/bytes")).toBe("naïve ☃");
    await storage.put("put/bytes", "", TEXT);
    expect(await storage.get("put/bytes")).toStrictEqual(new Uint8Array());
  });

  test("the size of an object is known without reading it", async () => {
    const storage = open();
    await storage.put("size/a", "naïve", TEXT);
    expect(await storage.size("size/a")).toBe(6);
    await storage.put("size/a", "", TEXT);
    expect(await storage.size("size/a")).toBe(0);
  });

  test("absence is an answer and not an error", async () => {
    const storage = open();
    expect(await storage.size("absent/a")).toBeUndefined();
    expect(await storage.get("absent/a")).toBeUndefined();
    expect(await storage.get("absent/a", { maxBytes: 1 })).toBeUndefined();
    expect(await storage.getStream("absent/a")).toBeUndefined();
    expect(await keys(storage, "absent/")).toEqual([]);
    await storage.delete("absent/a");
  });

  test("the folders right below a prefix are told once each, however many objects they hold", async () => {
    const storage = open();
    const names = ["a", "b.c", "ü +", "x".repeat(250)];
    for (const name of names)
      for (const file of ["1.json", "deep/2"]) await storage.put(`folders/${name}/${file}`, "1", TEXT);
    await storage.put("folders/no-folder", "1", TEXT);
    const folders = async (prefix: string) => {
      const found: string[] = [];
      for await (const folder of storage.folders(prefix)) found.push(folder);
      return found.toSorted();
    };
    expect(await folders("folders/")).toEqual(names.map((name) => `folders/${name}/`).toSorted());
    expect(await folders("folders/a/")).toEqual(["folders/a/deep/"]);
    expect(await folders("absent/")).toEqual([]);
    for (const file of ["1.json", "deep/2"]) await storage.delete(`folders/b.c/${file}`);
    expect(await folders("folders/")).not.toContain("folders/b.c/");
    expect(await folders("")).toContain("folders/");
  });

  test("a deleted object is gone, and its neighbours are not", async () => {
    const storage = open();
    await storage.put("delete/a", "1", TEXT);
    await storage.put("delete/ab", "2", TEXT);
    await storage.delete("delete/a");
    expect(await storage.get("delete/a")).toBeUndefined();
    expect(await keys(storage, "delete/")).toEqual(["delete/ab"]);
    await storage.delete("delete/a");
  });

  test("a conditional put writes an absent key and leaves a present one as it is", async () => {
    const storage = open();
    expect(await storage.putIfAbsent("once/a.json", "first", TEXT)).toBe(true);
    expect(await storage.putIfAbsent("once/a.json", "second", TEXT)).toBe(false);
    expect(await text(storage, "once/a.json")).toBe("first");
    await storage.delete("once/a.json");
    expect(await storage.putIfAbsent("once/a.json", "third", TEXT)).toBe(true);
    expect(await text(storage, "once/a.json")).toBe("third");
  });

  test("of 20 conditional puts at once exactly one wins, and its bytes are kept whole", async () => {
    const storage = open();
    for (const round of ["a", "b", "c"]) {
      const key = `race/${round}`;
      const bodies = Array.from({ length: 20 }, (_, i) => `${i}`.padStart(2, "0").repeat(5_000));
      const won = await Promise.all(bodies.map((body) => storage.putIfAbsent(key, body, TEXT)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await text(storage, key)).toBe(bodies[won.indexOf(true)]);
      expect(await keys(storage, key)).toEqual([key]);
    }
  });

  test("a reader beside a writer sees the old object or the new one, never a piece of either", async () => {
    const storage = open();
    const [old, fresh] = ["a".repeat(300_000), "b".repeat(200_000)];
    await storage.put("whole", old, TEXT);
    const writing = storage.put("whole", fresh, TEXT);
    const seen = await Promise.all(Array.from({ length: 10 }, () => text(storage, "whole")));
    await writing;
    expect(seen.every((body) => body === old || body === fresh)).toBe(true);
    expect(await text(storage, "whole")).toBe(fresh);
  });

  test("a limited get returns an object of just that size and refuses one byte more", async () => {
    const storage = open();
    await storage.put("limit", "x".repeat(1_000), TEXT);
    expect(await storage.get("limit", { maxBytes: 1_000 })).toHaveLength(1_000);
    await expect(storage.get("limit", { maxBytes: 999 })).rejects.toThrow(
      'The object "limit" has more than 999 bytes.',
    );
    expect(await storage.get("limit")).toHaveLength(1_000);
  });

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

  test("odd keys are kept and listed back as they were", async () => {
    const storage = open();
    const odd = [
      "a space",
      "plus+percent%25and%",
      "naïve é (composed) é (not)",
      `quote'"\`<&>;`,
      "日本語/🦊.jpg",
      "?query#fragment=1",
      "-leading/--dash",
      ".hidden/...",
      "UPPER/lower",
      "key:with:colons|*~$!@^{}[]",
      "%tmp",
      "%2e%2e",
      "same",
      "same/below",
      "same.json",
      "same.json/below",
      "same.json/below/same.json",
      `long/${"x".repeat(894)}`,
      `long/${"x".repeat(894)}/${"y".repeat(100)}`,
      `long/${"é".repeat(447)}`,
      `long.${"x".repeat(235)}/240`,
      `long.${"x".repeat(236)}/241`,
      "z".repeat(1_000),
    ].map((key) => `odd/${key}`);
    for (const key of odd) await storage.put(key, key, TEXT);
    expect(await keys(storage, "odd/")).toEqual(odd.toSorted());
    for (const key of odd) expect(await text(storage, key)).toBe(key);
    for (const key of odd) await storage.delete(key);
    expect(await keys(storage, "odd/")).toEqual([]);
  });

  test.each([
    ["", "is empty or has an empty segment"],
    ["/leading", "is empty or has an empty segment"],
    ["trailing/", "is empty or has an empty segment"],
    ["a//b", "is empty or has an empty segment"],
    ["..", "has a segment that is . or .."],
    ["../../etc/passwd", "has a segment that is . or .."],
    ["a/../../b", "has a segment that is . or .."],
    ["a/./b", "has a segment that is . or .."],
    ["nul\0byte", "has a control character or a backslash"],
    ["line\nbreak", "has a control character or a backslash"],
    ["..\\windows", "has a control character or a backslash"],
    ["lone \ud800 surrogate", "is not well-formed Unicode"],
    ["x".repeat(1_025), "is longer than 1024 bytes"],
    ["é".repeat(513), "is longer than 1024 bytes"],
  ])("the key %j is refused by every method", async (key, why) => {
    const storage = open();
    await expect(storage.put(key, "x", TEXT)).rejects.toThrow(why);
    await expect(storage.putStream(key, repeated(new Uint8Array(1), 1), TEXT)).rejects.toThrow(why);
    await expect(storage.putIfAbsent(key, "x", TEXT)).rejects.toThrow(why);
    await expect(storage.get(key)).rejects.toThrow(why);
    await expect(storage.getStream(key)).rejects.toThrow(why);
    await expect(storage.delete(key)).rejects.toThrow(why);
  });

  test("a listing gives every object under its prefix, page after page, with size and time", async () => {
    const storage = open();
    const started = Date.now();
    const all = Array.from({ length: 1_203 }, (_, i) => `many/${i % 7}/object-${i}.json`);
    for (let i = 0; i < all.length; i += 100) {
      await Promise.all(all.slice(i, i + 100).map((key) => storage.put(key, key, TEXT)));
    }
    const listed = await listing(storage, "many/");
    expect(listed.map(({ key }) => key)).toEqual(all.toSorted());
    for (const { key, size, modifiedAt } of listed) {
      expect(size).toBe(key.length);
      expect(Math.abs(modifiedAt.getTime() - started)).toBeLessThan(120_000);
    }
  });

  test("a prefix is text and may end anywhere in a name", async () => {
    const storage = open();
    const all = ["prefix/ab/c", "prefix/ab.d", "prefix/a", "prefix/b", "prefix/é/1", "prefix+/a"];
    for (const key of all) await storage.put(key, "", TEXT);
    expect(await keys(storage, "prefix/a")).toEqual(["prefix/a", "prefix/ab.d", "prefix/ab/c"]);
    expect(await keys(storage, "prefix/ab/")).toEqual(["prefix/ab/c"]);
    expect(await keys(storage, "prefix/é")).toEqual(["prefix/é/1"]);
    expect(await keys(storage, "prefix")).toEqual(all.toSorted());
    expect(await keys(storage, "prefix/ab/c")).toEqual(["prefix/ab/c"]);
    expect(await keys(storage, "prefix/ab/c/")).toEqual([]);
  });

  test("a listing may be given up at any time, and sees objects go without failing", async () => {
    const storage = open();
    for (let i = 0; i < 40; i++) await storage.put(`going/${i}`, "", TEXT);
    for await (const first of storage.list("going/")) {
      expect(first.key.startsWith("going/")).toBe(true);
      break;
    }
    for await (const { key } of storage.list("going/")) await storage.delete(key);
    expect(await keys(storage, "going/")).toEqual([]);
  });

  test("a working store passes its check, again and again", async () => {
    const storage = open();
    await expect(storage.check()).resolves.toBeUndefined();
    await expect(storage.check()).resolves.toBeUndefined();
  });
}

async function* repeated(piece: Uint8Array, times: number, error?: Error): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < times; i++) yield piece;
  if (error) throw error;
}

async function text(storage: Storage, key: string): Promise<string | undefined> {
  const body = await storage.get(key);
  return body && new TextDecoder().decode(body);
}

async function listing(storage: Storage, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = [];
  for await (const object of storage.list(prefix)) objects.push(object);
  return objects.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

/** The keys under a prefix, sorted. */
export async function keys(storage: Storage, prefix: string): Promise<string[]> {
  return (await listing(storage, prefix)).map(({ key }) => key);
}
