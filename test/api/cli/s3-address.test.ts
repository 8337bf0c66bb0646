import { expect, test } from "vitest";
import { parseS3Address } from "../../../api/cli/s3-address.ts";

test.each([
  ["s3://photos/2026/a b+é.jpg", { bucket: "photos", key: "2026/a b+é.jpg" }],
  ["s3://photos/", { bucket: "photos", key: "" }],
  ["s3://photos", { bucket: "photos", key: "" }],
  ["s3:///key", undefined],
  ["https://photos/key", undefined],
])("%s names a place in a bucket, its key as it is: %j", (text, place) => {
  expect(parseS3Address(text)).toEqual(place);
});
