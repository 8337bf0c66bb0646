import sharp from "sharp";
import { expect, test } from "vitest";
import { samplePng } from "../../../api/cli/sample-png.ts";

test("the picture that is sent by default is a PNG that an independent decoder reads", async () => {
  const { data, info } = await sharp(samplePng(), { failOn: "warning" })
    .raw()
    .toBuffer({ resolveWithObject: true });
  expect(info).toMatchObject({ width: 64, height: 64, channels: 3 });
  expect([...data.subarray(0, 3)]).toEqual([0, 0, 0]);
  expect([...data.subarray(3, 6)]).toEqual([4, 0, 8]);
});
