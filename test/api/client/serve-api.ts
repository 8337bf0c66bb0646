import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { API_KEY, startTestApi } from "../support/test-api.ts";
import type { TestApi } from "../support/test-api.ts";

/** What becomes of one request instead of being handled: an answer, or a connection that is torn down before or after the app has handled it. */
export type Trouble = Response | "drop" | "drop the answer";

/** The real API on a port of the loopback address. */
export interface ServedApi extends TestApi {
  url: string;
  apiKey: string;
  /** What becomes of the next requests, in their order; none of it when empty. */
  troubles: Trouble[];
  /** Every request that came, as it came. */
  received: Request[];
}

/** Serves it; to be closed in `afterAll`. */
export async function serveApi(settings: Record<string, string> = {}): Promise<ServedApi> {
  const api = await startTestApi(settings);
  const troubles: Trouble[] = [];
  const received: Request[] = [];
  const handle = async (request: Request, { incoming }: { incoming: IncomingMessage }) => {
    received.push(request.clone());
    const trouble = troubles.shift();
    if (trouble instanceof Response) return trouble;
    if (trouble === "drop") incoming.socket.destroy();
    const response = await api.app.fetch(request);
    if (trouble === "drop the answer") incoming.socket.destroy();
    return response;
  };
  const server = serve({ fetch: handle as never, port: 0, hostname: "127.0.0.1" });
  await once(server, "listening");
  return {
    ...api,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    apiKey: API_KEY,
    troubles,
    received,
    async close() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await api.close();
    },
  };
}
