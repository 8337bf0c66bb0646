/** The API running somewhere: as a process of Node, or as a bundle on AWS Lambda or Cloudflare Workers. */
export interface Runtime {
  /** Where it answers HTTP requests, without a slash at the end. */
  url: string;
  /** Milliseconds from nothing until it could take its first request. */
  coldStartMs: number;
  stop: () => Promise<void>;
}

/** Starts it with these environment variables and no others. */
export type StartRuntime<Started extends Runtime = Runtime> = (
  env: Record<string, string>,
) => Promise<Started>;
