import { expect, test } from "vitest";
import { parseManifestLine } from "../../../worker/scan/parse-manifest-line.ts";

const parse = (text: string, line = 7) => parseManifestLine(Buffer.from(text), line);
const object = (bucket: string, key: string, more: object = {}) => ({
  custom_id: `s3://${bucket}/${key}`,
  image: { type: "s3", bucket, key, ...more },
});

test.each([
  [
    '{"custom_id": "a", "image": {"url": "https://example.com/a.jpg"}}',
    { custom_id: "a", image: { type: "url", url: "https://example.com/a.jpg" } },
  ],
  [
    ' {"custom_id": "a", "image": {"s3": {"bucket": "photos", "key": "/a b+é.jpg", "version_id": "1"}}, "more": 1}\r',
    { custom_id: "a", image: { type: "s3", bucket: "photos", key: "/a b+é.jpg", version_id: "1" } },
  ],
  ['{"source-ref": "s3://photos/a/b c+%20é.jpg", "label": 3}', object("photos", "a/b c+%20é.jpg")],
  ['{"source-ref": "s3://photos//leading.jpg"}', object("photos", "/leading.jpg")],
  ["photos,a b+%20é'.jpg", object("photos", "a b+%20é'.jpg")],
  ['photos,"a, ""b"".jpg"\r', object("photos", 'a, "b".jpg')],
  ['"photos","a.jpg","v1"', object("photos", "a.jpg", { version_id: "v1" })],
  ["photos,a.jpg,", object("photos", "a.jpg")],
  ["photos, spaces ", object("photos", " spaces ")],
])("%s is an item", (text, item) => {
  expect(parse(text)).toEqual(item);
});

test("blank lines are nothing, and so is the header of CSV, but only in the first line", () => {
  for (const text of ["", "\r", "   "]) expect(parse(text)).toBeUndefined();
  expect(parse("\ufeffBucket,Key", 1)).toBeUndefined();
  expect(parse("bucket,key")).toEqual(object("bucket", "key"));
});

test.each([
  ['{"custom_id": ', "is not valid JSON"],
  ['{"custom_id": "a"}', "is not understood: image: must be"],
  ['{"image": {"url": "https://example.com/a.jpg"}}', "is not understood: custom_id: "],
  ['{"custom_id": "a", "image": {"url": "ftp://example.com"}}', "must be an http or https URL"],
  ['{"custom_id": "a", "image": {"data": "data:image/png;base64,aaaa"}}', "has the image itself"],
  ['{"source-ref": "https://example.com/a.jpg"}', "is not a source-ref such as s3://bucket/key"],
  ['{"source-ref": "s3://photos/"}', "is not a source-ref such as s3://bucket/key"],
  ["photos", "is not bucket,key: key: "],
  ["photos,", "is not bucket,key: key: "],
  ["../photos,a.jpg", "is not bucket,key: bucket: must be the name of a bucket"],
  ["photos,a,b,c", "has more than bucket, key and version"],
  ['photos,"a.jpg', "is neither JSON nor CSV"],
  ['photos,a"b.jpg', "is neither JSON nor CSV"],
])("%s is an item that tells its fault and its line", (text, fault) => {
  expect(parse(text)).toEqual({ custom_id: "line 7", fault: expect.stringContaining(fault) });
  expect(parse(text)).toMatchObject({ fault: expect.stringMatching(/^Line 7 of the manifest .*\.$/) });
});

test("a line that is too long or no UTF-8 is an item that tells so", () => {
  expect(parseManifestLine(undefined, 3)).toEqual({
    custom_id: "line 3",
    fault: "Line 3 of the manifest is too long.",
  });
  expect(parseManifestLine(Uint8Array.of(0x61, 0xff), 3)).toMatchObject({
    fault: "Line 3 of the manifest is not UTF-8.",
  });
});
