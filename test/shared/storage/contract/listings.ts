import { expect, test } from "vitest";
import type { Storage } from "../../../../shared/storage/storage.ts";
import { TEXT, keys, listing } from "./stored.ts";

/** What every kind of storage promises of listings. */
export function describeListings(open: () => Storage): void {
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
}
