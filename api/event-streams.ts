import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import { AppError } from "../shared/errors.ts";
import type { ApiDeps } from "./deps.ts";

/** How a resource is now. */
export interface Look {
  /** Another one for whatever is worth telling, and the same in every process: a client names the last one it has seen. */
  id: string;
  resource: object;
  hasEnded: boolean;
}

/**
 * Milliseconds between two looks, and after which a quiet stream is written to so that no proxy ends it; how many streams a
 * process has at most; milliseconds after which a stream ends in any case, 0 for never.
 */
export const STREAM_LIMITS = { lookMs: 1_000, quietMs: 15_000, streams: 1_000, longestMs: 0 };

/** Tells how resources change by server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function openEventStreams(
  { stopping, logger }: Pick<ApiDeps, "stopping" | "logger">,
  { lookMs, quietMs, streams, longestMs } = STREAM_LIMITS,
) {
  let open = 0;
  return {
    /**
     * Answers with an event now, unless the client has seen that one, and with one for each change until the resource has
     * ended, the client has gone, the process is to stop or the stream has lasted long enough. However a stream ends early, the
     * client goes on where it was by asking again. Throws what the first look throws, and AppError overloaded when there are too many streams.
     */
    async answer(c: Context, look: () => Promise<Look>): Promise<Response> {
      const first = await look();
      const seen = c.req.header("last-event-id");
      // What makes an EventSource stop asking.
      if (first.hasEnded && first.id === seen) return c.body(null, 204);
      if (c.req.method === "HEAD") return c.body(null, 200, { "content-type": "text/event-stream" });
      if (open >= streams)
        throw new AppError(
          "overloaded",
          `There are ${streams} streams of events open here already. Poll instead.`,
        );
      open++;
      return streamSSE(c, async (stream) => {
        const gone = new AbortController();
        stream.onAbort(() => gone.abort());
        const late = longestMs > 0 ? [AbortSignal.timeout(longestMs)] : [];
        const end = AbortSignal.any([gone.signal, stopping, ...late]);
        let told = seen;
        let toldAt = Date.now();
        try {
          for (let now = first; ; now = await look()) {
            if (now.id !== told) {
              await stream.writeSSE({ id: now.id, data: JSON.stringify(now.resource) });
              told = now.id;
              toldAt = Date.now();
            } else if (Date.now() - toldAt >= quietMs) {
              await stream.write(": nothing new\n\n");
              toldAt = Date.now();
            }
            if (now.hasEnded || end.aborted) return;
            await pause(lookMs, end);
            if (end.aborted) return;
          }
        } catch (err) {
          if (!(err instanceof AppError))
            logger.warn({ request_id: c.get("requestId"), err }, "a stream broke off");
        } finally {
          open--;
        }
      });
    },
  };
}

/** Waits so many milliseconds, or until the signal is aborted. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
