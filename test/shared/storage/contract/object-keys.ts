import { expect, test } from "vitest";
import type { Storage } from "../../../../shared/storage/storage.ts";
import { TEXT, keys, repeated, text } from "./stored.ts";

/** What every kind of storage promises of keys: which it takes and which it refuses. */
export function describeObjectKeys(open: () => Storage): void {
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
}
