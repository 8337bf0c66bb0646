import { expect, test } from "vitest";
import type { Storage } from "../../../../shared/storage/storage.ts";
import { TEXT, keys, text } from "./stored.ts";

/** What every kind of storage promises of one object: how it is put, got and deleted. */
export function describeObjects(open: () => Storage): void {
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

  test("a working store passes its check, again and again", async () => {
    const storage = open();
    await expect(storage.check()).resolves.toBeUndefined();
    await expect(storage.check()).resolves.toBeUndefined();
  });
}
