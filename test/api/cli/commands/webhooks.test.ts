import { spawn } from "node:child_process";
import { once } from "node:events";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../../../api/client/client.ts";
import type { WebhookEvent } from "../../../../api/client/client.ts";
import { messageId } from "../../../../shared/new-id.ts";
import { newWebhookSecret } from "../../../../shared/signature.ts";
import { startTestServer } from "../../../support/http-server.ts";
import type { TestServer } from "../../../support/http-server.ts";
import { serveApi } from "../../client/serve-api.ts";
import type { ServedApi } from "../../client/serve-api.ts";
import { readFigure } from "../../support/figures.ts";
import { linesOf, runTresline } from "../run-tresline.ts";

let api: ServedApi;
let receiver: TestServer;
let env: Record<string, string>;
/** What the receiver answers from now on. */
let status = 204;
beforeAll(async () => {
  api = await serveApi();
  await api.startWorker();
  env = { TRESLINE_API_KEY: api.apiKey, TRESLINE_URL: api.url };
  receiver = await startTestServer(() => ({ status }));
});
afterAll(async () => {
  await api.close();
  await receiver.stop();
});

const run = (...args: string[]) => runTresline(["webhooks", ...args], env);
const register = async (...args: string[]) => {
  const made = await run("create", `${receiver.url}/hook`, ...args);
  expect(made.code).toBe(0);
  return { ...made, id: /whe_[0-9a-z]{26}/.exec(made.err)?.[0] ?? "" };
};

test("an endpoint is registered, its secret printed alone, and it is tried out, listed and shown", async () => {
  const { id, out, err } = await register("--event", "batch.completed", "--description", "the importer");
  expect(out).toMatch(/^whsec_\S+\n$/);
  expect(err).toBe(`tresline: ${id} at ${receiver.url}/hook. The secret is not shown again:\n`);
  const tried = await run("test", id, "--wait");
  expect(tried.code).toBe(0);
  expect(tried.out).toMatch(
    /^Message +msg_\w+\nEvent +webhook\.test\nTo +whe_\w+\nStatus +delivered\nAttempts +1\n$/,
  );
  expect(linesOf((await run("list")).out)).toEqual([
    expect.stringMatching(/^AT +STATUS +ID$/),
    expect.stringMatching(new RegExp(`^${receiver.url}/hook +enabled +${id}$`)),
  ]);
  expect((await run("status", id)).out).toMatch(
    /^For +the importer\nStatus +enabled\nEvents +batch\.completed$/m,
  );
});

test("an endpoint may be verified by a public key alone", async () => {
  const { out, err } = await register("--ed25519");
  expect(out).toMatch(/^whpk_\S+\n$/);
  expect(err).toMatch(/Its public key:\n$/);
});

test("what failed is in the log, and is sent again by hand or since a time", async () => {
  const { id } = await register();
  status = 500;
  const message = /msg_\w+/.exec((await run("test", id)).out)?.[0] ?? "";
  await expect.poll(async () => (await run("attempts", id)).out).toContain("500");
  status = 204;
  const resent = await run("resend", message, "--wait");
  expect(resent.out).toMatch(/^Status +delivered$/m);
  const log = linesOf((await run("attempts", id)).out);
  expect(log[0]).toMatch(/^EVENT +AT +ANSWER +MESSAGE$/);
  expect(log.slice(1)).toEqual(
    ["204", "500"].map((answer) =>
      expect.stringMatching(
        new RegExp(`^webhook\\.test +\\d\\d-\\d\\d \\d\\d:\\d\\d +${answer} +${message}$`),
      ),
    ),
  );
  await createClient(api).webhookEndpoints.update(id, { status: "disabled" });
  expect((await run("status", id)).code).toBe(1);
  const recovered = await run("recover", id, "--since", "2026-01-01");
  expect(recovered).toMatchObject({ code: 0, out: "0 messages are sent again.\n" });
  expect((await run("status", id)).code).toBe(0);
});

test("a secret is replaced", async () => {
  const { id, out: before } = await register();
  const { out: after } = await run("rotate", id, "--overlap-hours", "0");
  expect(after).toMatch(/^whsec_\S+\n$/);
  expect(after).not.toBe(before);
});

/** `tresline listen` on a free port, until `during` has ended; gives what it printed and how it exited. */
async function listening(args: string[], during: (url: string) => Promise<unknown>) {
  const spare = await startTestServer(() => ({ status: 204 }));
  const port = new URL(spare.url).port;
  await spare.stop();
  const child = spawn(process.execPath, ["api/cli/tresline.ts", "listen", "--port", port, ...args], {
    env: { ...process.env, ...env },
  });
  const closed = once(child, "close");
  let [out, err] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (out += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (err += piece.toString()));
  try {
    const url = `http://127.0.0.1:${port}`;
    await expect.poll(() => err, { timeout: 10_000 }).toBe(`tresline: listening at ${url}\n`);
    await during(url);
  } finally {
    child.kill("SIGINT");
    await closed;
  }
  return { out, err, code: child.exitCode };
}

const label = async (webhook: string) => {
  const client = createClient(api);
  const figure = new Blob([readFigure("bar_chart_06.png")], { type: "image/png" });
  const { id } = await client.classifications.create(figure, { webhook });
  await client.classifications.wait(id);
  return id;
};

test("listen prints a line for each message that the service's own secret verifies, until Ctrl-C", async () => {
  let id = "";
  const { out, err, code } = await listening([], async (url) => {
    id = await label(`${url}/hooks`);
    const message = await messageId(id, "classification.succeeded", `${url}/hooks`);
    expect(await createClient(api).webhookMessages.wait(message)).toMatchObject({ status: "delivered" });
    expect((await fetch(url, { method: "POST", body: "{}" })).status).toBe(400);
  });
  expect(out).toBe(`classification.succeeded ${id} succeeded\n`);
  expect(err).toContain("tresline: a request was refused: The request has no header webhook-id.\n");
  expect(err).toMatch(/tresline: Stopped after 1 messages\.\n$/);
  expect(code).toBe(130);
});

test("listen passes messages on as they came and answers what is answered", async () => {
  status = 503;
  const { secret, id } = await createClient(api).webhookEndpoints.create({ url: receiver.url });
  const { out } = await listening(
    ["--secret", newWebhookSecret(), "--secret", secret ?? "", "--forward", receiver.url, "--json"],
    async (url) => {
      const { webhookEndpoints } = createClient(api);
      await webhookEndpoints.update(id, { url });
      receiver.received.length = 0;
      await webhookEndpoints.test(id);
      await expect
        .poll(() => webhookEndpoints.attempts(id), { timeout: 10_000 })
        .toMatchObject([{ response_status: 503 }]);
    },
  );
  status = 204;
  const event = JSON.parse(out) as WebhookEvent;
  expect(event).toMatchObject({ type: "webhook.test", data: { id } });
  expect(receiver.received.map(({ body }) => JSON.parse(body) as WebhookEvent)).toEqual([event]);
  expect(receiver.received[0]?.headers["webhook-signature"]).toMatch(/^v1,/);
});

test("a port that is taken is told", async () => {
  const port = new URL(receiver.url).port;
  const { code, err } = await runTresline(["listen", "--port", port], env);
  expect(code).toBe(2);
  expect(err).toContain(`Port ${port} cannot be listened at: listen EADDRINUSE`);
});
