import { expect } from "vitest";
import { sample } from "../../support/figures.ts";
import { CHART, pathOf, wait } from "../support/behaviour.ts";
import type { Behaviours } from "../support/behaviour.ts";
import type { Answered } from "../support/client.ts";
import { PUBLIC_URL } from "../support/services.ts";

const dataUrl = (name: string) => `data:image/png;base64,${Buffer.from(sample(name)).toString("base64")}`;
const best = ({ json }: Pick<Answered, "json">) =>
  (json["predictions"] as { label: string }[] | null)?.[0]?.label;

/** How one image is labelled, wherever it comes from. */
export const IMAGES: Behaviours = {
  "an image is accepted with 202, where to ask and when, and has its label there": async (client) => {
    const { ask, server, untilEnded } = client;
    const accepted = await ask("/v1/classifications", { body: { image: { url: `${server.url}/${CHART}` } } });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get("location")).toBe(
      `${PUBLIC_URL}/v1/classifications/${String(accepted.json["id"])}`,
    );
    expect(accepted.headers.get("retry-after")).toBe("1");
    expect(best({ json: await untilEnded(pathOf(accepted)) })).toBe("bar_chart");
  },

  "an image in a data URL is labelled while the request waits": async ({ ask }) => {
    const answer = await ask("/v1/classifications", {
      body: { image: { data: dataUrl(CHART) } },
      headers: wait,
    });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
  },

  "an image that is the body is labelled, with its options from the query": async ({ ask }) => {
    const headers = { ...wait, "content-type": "image/png" };
    const answer = await ask("/v1/classifications?top_k=2&threshold=0%2E0", { body: sample(CHART), headers });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
    expect(answer.json["predictions"]).toHaveLength(2);
  },

  "an image that is a form's file is labelled, with its options from the form": async ({ ask }) => {
    const form = new FormData();
    form.set("image", new File([sample(CHART)], "chart.png", { type: "image/png" }));
    form.set("top_k", "1");
    const answer = await ask("/v1/classifications", { body: form, headers: wait });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
    expect(answer.json["predictions"]).toHaveLength(1);
  },

  "an image in a bucket is labelled": async ({ ask, bucket, putObject }) => {
    await putObject("one/é +.png", sample(CHART));
    const body = { image: { s3: { bucket, key: "one/é +.png" } } };
    expect(best(await ask("/v1/classifications", { body, headers: wait }))).toBe("bar_chart");
  },

  "an image that was uploaded to the bucket itself is labelled": async ({ ask }) => {
    const file = sample(CHART);
    const made = await ask("/v1/uploads", { body: { media_type: "image/png", bytes: file.length } });
    expect(made.status).toBe(201);
    const { url, method, headers, id } = made.json as Record<"url" | "method" | "id", string> & {
      headers: Record<string, string>;
    };
    const sent = await fetch(url, { method, headers, body: file });
    expect([sent.status, await sent.text()]).toEqual([200, ""]);
    const answer = await ask("/v1/classifications", { body: { image: { upload_id: id } }, headers: wait });
    expect([answer.status, best(answer)]).toEqual([200, "bar_chart"]);
  },

  "a wait that is over is answered with 202": async ({ ask, server }) => {
    const body = { image: { url: `${server.url}/hang` } };
    const began = performance.now();
    const answer = await ask("/v1/classifications", { body, headers: { prefer: "wait=1" } });
    expect(answer.status).toBe(202);
    expect(performance.now() - began).toBeGreaterThan(900);
    expect(pathOf(answer)).toMatch(/^\/v1\/classifications\/cls_/);
    const canceled = await ask(`${pathOf(answer)}/cancel`, { method: "POST" });
    expect(canceled.status).toBe(200);
  },

  "an image that is none fails with its reason": async ({ ask }) => {
    const headers = { ...wait, "content-type": "image/png" };
    const { status, json } = await ask("/v1/classifications", {
      body: new TextEncoder().encode("no picture"),
      headers,
    });
    expect([status, json["status"]]).toEqual([200, "failed"]);
    expect(json["error"]).toMatchObject({ code: "invalid_image", retryable: false });
  },
};
