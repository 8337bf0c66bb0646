import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../../api/client/client.ts";
import type { Client } from "../../../api/client/client.ts";
import { startTestServer } from "../../support/http-server.ts";
import { readFigure } from "../support/figures.ts";
import { serveApi } from "./serve-api.ts";
import type { ServedApi } from "./serve-api.ts";

let api: ServedApi;
let client: Client;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  client = createClient(api);
});
afterAll(() => api.close());

const figure = () => new Blob([readFigure("bar_chart_06.png")], { type: "image/png" });

test("an image is sent beforehand and labelled by its id", async () => {
  const { id, bytes } = await client.uploads.send(figure());
  expect(bytes).toBe(figure().size);
  const ended = await client.classifications.create({ upload_id: id }, {}, { waitS: 20 });
  expect(ended.predictions?.[0]?.label).toBe("bar_chart");
});

test("to a bucket it is sent by the address that is signed for it, without the key, and its failure does not show that", async () => {
  let status = 503;
  const bucket = await startTestServer(() => {
    const answer = { status };
    status = status === 503 ? 200 : 403;
    return answer;
  });
  try {
    const signing = createClient({
      ...api,
      async fetch(...sent) {
        const response = await fetch(...sent);
        const [address] = sent;
        if (typeof address !== "string" || !address.endsWith("/v1/uploads")) return response;
        const upload = (await response.json()) as { id: string };
        return Response.json({ ...upload, url: `${bucket.url}/photos/${upload.id}?signature=secret` });
      },
    });
    const { id } = await signing.uploads.send(figure());
    expect(bucket.received).toHaveLength(2);
    for (const { path, headers } of bucket.received) {
      expect(path).toBe(`/photos/${id}?signature=secret`);
      expect(headers).toMatchObject({ "content-type": "image/png", "content-length": `${figure().size}` });
      expect(headers.authorization).toBeUndefined();
    }
    await expect(signing.uploads.send(figure())).rejects.toMatchObject({
      code: "http_403",
      detail: `${bucket.url} answered 403.`,
    });
  } finally {
    await bucket.stop();
  }
});

test("models are listed, and shown with the names of their classes", async () => {
  const [model] = await client.models.list();
  expect(model).toMatchObject({ id: "figures", is_served: true, is_default: true, num_classes: 12 });
  expect((await client.models.get("figures")).labels).toContain("bar_chart");
});
