import { expect, test } from "vitest";
import { isOwnKey } from "../../shared/keys.ts";
import { sidecarKey } from "../../shared/sidecar-key.ts";

test("a sidecar lies beside its object", async () => {
  expect(await sidecarKey("2026/cat.jpg")).toBe("2026/cat.jpg.tresline.json");
  expect(await sidecarKey("a".repeat(1010))).toBe(`${"a".repeat(1010)}.tresline.json`);
});

test("where its key would be too long, in bytes, it lies at the root of the bucket", async () => {
  const [one, other] = [await sidecarKey("a".repeat(1011)), await sidecarKey("é".repeat(506))];
  expect(one).toMatch(/^\.tresline\/[0-9a-f]{64}\.json$/);
  expect(other).toMatch(/^\.tresline\/[0-9a-f]{64}\.json$/);
  expect(one).not.toBe(other);
});

test("no sidecar is taken for an object to label", async () => {
  for (const key of ["cat.jpg", "/", "é".repeat(512)]) expect(isOwnKey(await sidecarKey(key))).toBe(true);
});
