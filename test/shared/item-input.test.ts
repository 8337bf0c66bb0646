import { expect, test } from "vitest";
import { ImagePointer, ImageSource } from "../../shared/contracts/image.ts";
import { storageKeys } from "../../shared/keys.ts";
import { inputOf, pointerOf } from "../../shared/item-input.ts";

const object = { type: "s3" as const, bucket: "photos", key: "2026/a.jpg", version_id: "7" };
const POINTERS: ImagePointer[] = [
  { type: "url", url: "https://images.example/a.png?token=1" },
  { type: "data", key: storageKeys.upload("cls_1"), media_type: "image/png", bytes: 70 },
  { type: "data", key: storageKeys.upload("upl_1"), media_type: "image/png", bytes: 70 },
  object,
];

test.each(POINTERS)("what a line says of an image of type $type leads back to it", (pointer) => {
  const input = inputOf(pointer);
  expect(ImageSource.parse(input)).toEqual(input);
  expect(pointerOf(input)).toEqual(pointer);
});

test("it does not pin the version that was there when the object was listed", () => {
  expect(inputOf({ ...object, etag: '"1"' })).toEqual(object);
});

test("data of which nothing says where it is stored leads nowhere", () => {
  expect(pointerOf({ type: "data", media_type: "image/png", bytes: 70 })).toBeUndefined();
});
