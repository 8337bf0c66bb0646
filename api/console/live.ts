import type { Context } from "hono";
import { AppError } from "../../shared/errors.ts";
import { sha256Hex } from "../../shared/sha256-hex.ts";
import type { ApiDeps } from "../deps.ts";
import { STREAM_LIMITS, openEventStreams } from "../event-streams.ts";
import type { ConsoleEnv } from "./env.ts";
import type { Html } from "./page.ts";
import { findVisitor } from "./session.ts";
import { readSessionCookie } from "./session-cookie.ts";

/** The most elements that one stream tells of. */
const MOST = 100;

/** How a piece of a page is now; `moves` until it is at its end. */
export interface LiveElement {
  /** The `id` of the element, and of what it shows. */
  id: string;
  element: Html;
  moves: boolean;
}

/** Answers a stream of what the elements of the query's `ids` look like, until none of them moves. */
export type AnswerLive = (
  c: Context<ConsoleEnv>,
  look: (id: string) => Promise<LiveElement>,
) => Promise<Response>;

/**
 * Opens the streams that make pages live: server-sent events, the data of each an object of HTML by element id. A page
 * takes part by an element with `data-live="/path/of/the/stream"` around elements with an `id` and `data-moving`, each of
 * them whole in what `look` answers. A stream ends with the session that asked for it.
 */
export function openLive(deps: ApiDeps): AnswerLive {
  const longestMs = deps.config.MAX_ANSWER_SECONDS * 1_000;
  const streams = openEventStreams(deps, { ...STREAM_LIMITS, longestMs });
  return (c, look) => {
    const ids = (c.req.query("ids") ?? "").split(",").slice(0, MOST);
    return streams.answer(c, async () => {
      await refuseStrangers(deps, c);
      const elements = await Promise.all(ids.map(look));
      const resource: Record<string, string> = {};
      for (const { id, element } of elements) resource[id] = String(await element);
      const hasEnded = !elements.some(({ moves }) => moves);
      return { id: await sha256Hex(JSON.stringify(resource)), resource, hasEnded };
    });
  };
}

async function refuseStrangers(deps: ApiDeps, c: Context<ConsoleEnv>): Promise<void> {
  const visitor = await findVisitor(deps, readSessionCookie(c) ?? "");
  if (visitor === undefined) throw new AppError("unauthorized", "The session has ended; sign in again.");
}
