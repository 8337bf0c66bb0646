import { expect, test, vi } from "vitest";
import { openStorage } from "../../../shared/storage/open-storage.ts";

test.each([
  "",
  "data/objects",
  "/data/objects",
  "file:",
  "file://",
  "file://host/path",
  "s3:bucket",
  "s3://",
  "s3://a",
  "s3:///prefix",
  "s3://-bucket",
  "S3://bucket",
  "https://bucket.s3.amazonaws.com/",
  "gs://bucket",
])("the storage URL %j is refused with the forms that are understood", async (url) => {
  await expect(openStorage(url)).rejects.toThrow(
    `The storage URL "${url}" is not understood: write s3://bucket/prefix, file:./directory or file:///directory.`,
  );
});

test.each(["s3://bucket/../other", "s3://bucket//x", "s3://bucket/a//b"])(
  "the prefix of %j is refused",
  async (url) => {
    await expect(openStorage(url)).rejects.toThrow("The storage key");
  },
);

test("S3 without a region is refused with the variable to set", async () => {
  vi.stubEnv("AWS_REGION", undefined);
  vi.stubEnv("AWS_CONFIG_FILE", "/nowhere");
  await expect(openStorage("s3://bucket", { forcePathStyle: true })).rejects.toThrow(
    "S3 needs a region: set AWS_REGION",
  );
  vi.unstubAllEnvs();
});
