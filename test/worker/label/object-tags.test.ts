import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ObjectTag } from "../../../shared/storage/label-writer.ts";
import {
  MAX_TAGS,
  areSameTags,
  errorTags,
  labelTags,
  withOurTags,
} from "../../../worker/label/object-tags.ts";

const MODEL = { name: "figures", digest: `sha256:0123456789abcdef${"0".repeat(48)}` };
const predictions = (...labels: string[]) =>
  labels.map((label, index) => ({ index, label, score: 0.9 / (index + 1) }));
const valueOf = (tags: readonly ObjectTag[], key: string) => tags.find((tag) => tag.key === key)?.value;
const bytesOf = (text: string) => new TextEncoder().encode(text).length;
const others = (count: number): ObjectTag[] =>
  Array.from({ length: count }, (_, i) => ({ key: `theirs-${i}`, value: String(i) }));

describe("the tags of labels", () => {
  test("tell the best label, its score, all labels and the model", () => {
    expect(labelTags(predictions("swan", "great white shark"), MODEL)).toEqual([
      { key: "tresline.label", value: "swan" },
      { key: "tresline.score", value: "0.9" },
      { key: "tresline.labels", value: "swan/great white shark" },
      { key: "tresline.model", value: "figures@0123456789ab" },
    ]);
  });

  test("without a prediction tell that it was looked at, and no label", () => {
    expect(labelTags([], MODEL)).toEqual([
      { key: "tresline.labels", value: "" },
      { key: "tresline.model", value: "figures@0123456789ab" },
    ]);
  });

  test("keep letters and digits of any language, and have _ for what S3 does not take", () => {
    const tags = labelTags(predictions("naïve 日本 é ½", `a,b/c(d)'"🦊\n`), MODEL);
    expect(valueOf(tags, "tresline.labels")).toBe("naïve 日本 é ½/a_b_c_d_____");
  });

  test("compose letters that come as a letter and an accent", () => {
    expect(valueOf(labelTags(predictions("e\u0301"), MODEL), "tresline.label")).toBe("é");
  });

  test("name as many labels as fit whole", () => {
    const long = ["a", "b", "c"].map((letter) => letter.repeat(100));
    expect(valueOf(labelTags(predictions(...long), MODEL), "tresline.labels")).toBe(`${long[0]}/${long[1]}`);
  });

  test("whatever the labels are, are what AWS and Ceph take", () => {
    const label = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme", maxLength: 600 }));
    fc.assert(
      fc.property(fc.array(label, { maxLength: 40 }), (labels) => {
        const tags = labelTags(predictions(...labels), MODEL);
        for (const { key, value } of tags) {
          expect(key.length).toBeLessThanOrEqual(128);
          expect(bytesOf(value)).toBeLessThanOrEqual(256);
          expect(value).toMatch(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u);
        }
        const all = valueOf(tags, "tresline.labels") ?? "";
        expect(all.split("/")[0]).toBe(valueOf(tags, "tresline.label") ?? "");
        expect(all.split("/").length).toBeLessThanOrEqual(Math.max(1, labels.length));
      }),
    );
  });
});

describe("all tags of an object", () => {
  const ours = labelTags(predictions("swan", "raven"), MODEL);

  test("are those of others, and ours in place of what we set before", () => {
    const before = [...others(2), { key: "tresline.error", value: "invalid_image" }];
    expect(withOurTags(before, ours)).toEqual([...others(2), ...ours]);
    expect(withOurTags([...others(2), ...ours], errorTags("timeout"))).toEqual([
      ...others(2),
      { key: "tresline.error", value: "timeout" },
    ]);
  });

  test("have the most important of ours when there is little room", () => {
    expect(withOurTags(others(8), ours).slice(8)).toEqual(ours.slice(0, 2));
    expect(withOurTags(others(9), ours).slice(9)).toEqual([{ key: "tresline.label", value: "swan" }]);
  });

  test("cannot have ours when there is no room at all", () => {
    expect(() => withOurTags(others(10), ours)).toThrow(
      "The object has 10 tags of others and S3 allows 10, so there is no room for its labels",
    );
  });

  test("never lack one of others, never are too many, and are the same when made again", () => {
    const key = fc.oneof(fc.constantFrom(...ours.map((tag) => tag.key), "tresline.other"), fc.string());
    const present = fc.uniqueArray(fc.record({ key, value: fc.string() }), {
      selector: (tag) => tag.key,
      maxLength: MAX_TAGS - 1,
    });
    fc.assert(
      fc.property(present, (before) => {
        const after = withOurTags(before, ours);
        const theirs = before.filter((tag) => !ours.some(({ key: our }) => our === tag.key));
        expect(after.filter((tag) => theirs.includes(tag))).toEqual(theirs);
        expect(after.length).toBeLessThanOrEqual(MAX_TAGS);
        expect(after).toContainEqual({ key: "tresline.label", value: "swan" });
        expect(areSameTags(withOurTags(after.toReversed(), ours), after)).toBe(true);
      }),
    );
  });
});

test("sets of tags are compared whatever their order", () => {
  const [a, b] = [
    { key: "a", value: "1" },
    { key: "b", value: "2" },
  ];
  expect(areSameTags([a, b], [b, a])).toBe(true);
  expect(areSameTags([a], [a, b])).toBe(false);
  expect(areSameTags([a, b], [a, { key: "b", value: "3" }])).toBe(false);
  expect(areSameTags([a, b], [a, { key: "c", value: "2" }])).toBe(false);
});
