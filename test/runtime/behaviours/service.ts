import { expect } from "vitest";
import { openapiDocument } from "../../../api/openapi.ts";
import { sample } from "../../support/figures.ts";
import { CHART } from "../support/behaviour.ts";
import type { Behaviours } from "../support/behaviour.ts";
import { API_KEY, PUBLIC_URL } from "../support/services.ts";

/** What the service shows of itself: its document, whether it is ready, and its console. */
export const SERVICE: Behaviours = {
  "the document is the same everywhere, and so is the page made of it": async ({ ask, described }) => {
    const { json } = await ask("/openapi.json");
    expect(json).toEqual(JSON.parse(JSON.stringify(openapiDocument(described))));
    const page = await ask("/docs");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.text).toContain("createClassification");
  },

  "whether it runs and whether it is ready are told without a key": async ({ ask }) => {
    const nobody = { authorization: undefined };
    expect((await ask("/healthz", nobody)).json).toEqual({ status: "ok" });
    expect((await ask("/readyz", nobody)).json).toEqual({
      status: "ready",
      checks: { redis: "ok", storage: "ok" },
    });
  },

  async "people sign in to the console, send an image, and see it and its label appear"({ url }) {
    const visit = (path: string, init: RequestInit = {}) =>
      fetch(url + path, { redirect: "manual", ...init });
    const origin = PUBLIC_URL;
    const body = new URLSearchParams({ key: API_KEY });
    const signedIn = await visit("/console/sign-in", { method: "POST", headers: { origin }, body });
    const cookie = signedIn.headers.get("set-cookie")?.split(";")[0] ?? "";
    expect([signedIn.status, cookie]).toEqual([
      303,
      expect.stringMatching(/^tresline_console=[0-9a-f]{64}$/),
    ]);
    const form = new FormData();
    form.set("images", new File([sample(CHART)], "chart.png", { type: "image/png" }));
    const sent = await visit("/console", { method: "POST", headers: { origin, cookie }, body: form });
    const [, id = ""] = /^\/console\?ids=(cls_\w+)$/.exec(sent.headers.get("location") ?? "") ?? [];
    const stream = await visit(`/console/classifications/cards?ids=${id}`, { headers: { cookie } });
    expect(await stream.text()).toMatch(/bar_chart[^\n]*<meter[^\n]*\n/);
    const page = await visit(`/console?ids=${id}`, { headers: { cookie } });
    expect(await page.text()).toContain(`<img src="/console/images/${id}"`);
    const image = await visit(`/console/images/${id}`, { headers: { cookie } });
    expect(Buffer.from(await image.arrayBuffer()).equals(Buffer.from(sample(CHART)))).toBe(true);
    expect((await visit("/console/classifications")).status).toBe(303);
  },
};
