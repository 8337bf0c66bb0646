import { Webhook } from "standardwebhooks";
import { expect } from "vitest";
import { newTraceparent } from "../../../shared/traceparent.ts";
import { CHART, pathOf, wait } from "../support/behaviour.ts";
import type { Behaviours } from "../support/behaviour.ts";

/** How clients are told of what happens. */
export const NOTIFICATIONS: Behaviours = {
  "a callback comes, signed with the secret that the API shows and in the trace of its request": async ({
    ask,
    server,
  }) => {
    const {
      json: { secret },
    } = await ask("/v1/webhook-secret");
    const body = { image: { url: `${server.url}/${CHART}` }, webhook: `${server.url}/callback` };
    const traceparent = newTraceparent();
    const {
      json: { id },
    } = await ask("/v1/classifications", { body, headers: { ...wait, traceparent } });
    const callbacks = () =>
      server.received.filter((each) => each.path === "/callback" && each.body.includes(String(id)));
    await expect.poll(callbacks, { timeout: 10_000 }).toHaveLength(1);
    for (const { body: sent, headers } of callbacks()) {
      new Webhook(String(secret)).verify(sent, headers as Record<string, string>);
      expect(headers["traceparent"]).toBe(traceparent);
    }
  },

  "how a classification changes is told by server-sent events until it has ended": async ({
    ask,
    server,
  }) => {
    const accepted = await ask("/v1/classifications", { body: { image: { url: `${server.url}/${CHART}` } } });
    const { status, headers, text } = await ask(`${pathOf(accepted)}/events`);
    expect([status, headers.get("content-type")]).toEqual([200, "text/event-stream"]);
    const told = [...text.matchAll(/^data: (.*)$/gm)].map(
      ([, data = ""]) => (JSON.parse(data) as { status: string }).status,
    );
    expect(told.at(-1)).toBe("succeeded");
  },

  "webhook endpoints are made, shown, changed, rotated, tested and deleted": async ({ ask, server }) => {
    const made = await ask("/v1/webhook-endpoints", { body: { url: `${server.url}/endpoint` } });
    const path = `/v1/webhook-endpoints/${String(made.json["id"])}`;
    expect([made.status, made.json["secret"]]).toEqual([201, expect.stringMatching(/^whsec_/)]);
    expect((await ask("/v1/webhook-endpoints")).json["data"]).toContainEqual(
      expect.objectContaining({ id: made.json["id"] }),
    );
    const changed = await ask(path, { method: "PATCH", body: { description: "changed" } });
    expect(changed.json["description"]).toBe("changed");
    const rotated = await ask(`${path}/rotate-secret`, { method: "POST" });
    expect(rotated.json["secret"]).not.toBe(made.json["secret"]);
    expect((await ask(`${path}/test`, { method: "POST" })).status).toBe(202);
    const tested = () => server.received.filter((each) => each.path === "/endpoint");
    await expect.poll(tested, { timeout: 10_000 }).not.toHaveLength(0);
    expect((await ask(path, { method: "DELETE" })).status).toBe(200);
    expect((await ask(path)).status).toBe(404);
  },
};
