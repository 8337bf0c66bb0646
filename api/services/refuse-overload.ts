import type { Lane } from "../../shared/contracts/lane.ts";
import { AppError } from "../../shared/errors.ts";
import type { ApiDeps } from "../deps.ts";

/** The longest that a caller is told to stay away, in seconds. */
const LONGEST_RETRY_S = 60;

/** Throws AppError overloaded when the oldest job of a model has waited in a lane for longer than `MAX_BACKLOG_SECONDS`. */
export async function refuseOverload(
  { config, backlog }: Pick<ApiDeps, "config" | "backlog">,
  model: string,
  lane: Lane,
): Promise<void> {
  const longest = config.MAX_BACKLOG_SECONDS;
  if (longest === 0) return;
  const seconds = Math.floor((await backlog.ageMs(model, lane)) / 1_000);
  if (seconds <= longest) return;
  throw new AppError(
    "overloaded",
    `Nothing more is taken for the model "${model}" in the lane ${lane}: its oldest image has waited ${seconds} s for a worker. Send it again later.`,
    [],
    Math.min(seconds - longest, LONGEST_RETRY_S),
  );
}
