import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openStorage } from "../../../shared/storage/open-storage.ts";
import type { Storage } from "../../../shared/storage/storage.ts";
import { describeStorage } from "./contract.ts";

let folder: string;
let storage: Storage;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tresline-storage-"));
  storage = await openStorage(`file:${folder}/made when needed`);
});

afterAll(async () => {
  await storage.close();
  await rm(folder, { recursive: true, force: true });
});

describe("a directory is a storage:", () => {
  describeStorage(() => storage);
});

test("ordinary keys are ordinary files, and nothing unfinished lies about", async () => {
  const root = join(folder, "readable");
  const readable = await openStorage(`file://${root}`);
  await readable.put("results/acme/2026/cls_1.json", "{}", { contentType: "application/json" });
  await readable.check();
  expect(await readFile(join(root, "results/acme/2026/cls_1.json"), "utf8")).toBe("{}");
  expect(await readdir(join(root, "%tmp"))).toEqual([]);
});

test("a directory that cannot be made is told as an error by every method, and is not absence", async () => {
  await writeFile(join(folder, "file"), "");
  const broken = await openStorage(`file:${folder}/file`);
  await expect(broken.check()).rejects.toThrow("ENOTDIR");
  await expect(broken.get("a")).rejects.toThrow("ENOTDIR");
  await expect(broken.put("a", "", { contentType: "text/plain" })).rejects.toThrow("ENOTDIR");
  await expect(broken.list("").next()).rejects.toThrow("ENOTDIR");
});
