/** Anything that answers requests, as Hono does in the same process. */
interface App {
  request: (path: string, init: RequestInit) => Response | Promise<Response>;
}

/**
 * Takes bucket events that a platform hands over itself instead of posting them to `/v1/events/s3`, in whichever envelope that
 * route knows, and returns what it answers. Throws when they are not safely queued, so that the platform brings them again.
 */
export async function takeBucketEvents(app: App, apiKey: string, envelope: unknown): Promise<unknown> {
  const response = await app.request("/v1/events/s3", {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify(envelope),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The bucket events were answered ${response.status}: ${text}`);
  return JSON.parse(text);
}
