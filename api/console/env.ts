import type { SecureHeadersVariables } from "hono/secure-headers";
import type { ApiEnv } from "../env.ts";
import type { Visitor } from "./session.ts";

/** What middleware leaves in the context of a request to the console. */
export interface ConsoleEnv {
  Variables: ApiEnv["Variables"] &
    SecureHeadersVariables & {
      /** Who has signed in; undefined before the middleware `signedIn`. */
      visitor: Visitor | undefined;
    };
}
