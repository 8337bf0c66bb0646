import type { Scope } from "../shared/contracts/api-key.ts";
import type { ErrorCode } from "../shared/contracts/error.ts";
import type { IdPrefix } from "../shared/contracts/ids.ts";

/** What middleware leaves in the context of a request. */
export interface ApiEnv {
  Variables: {
    /** `req_…`, or the client's own `X-Request-Id`. */
    requestId: string;
    /** Who asks; set on every route under /v1, like `scopes`. */
    tenant: string;
    /** What the key of the request allows. */
    scopes: readonly Scope[];
    /** `key_…`; undefined for the service's own `API_KEY`, which who runs the service has. */
    keyId: string | undefined;
    /** What the request causes goes under this place of its trace. */
    traceparent: string;
    /** Makes the id of what the request makes, the same however often it is sent under its Idempotency-Key; set on every route that takes one. */
    newId: (prefix: IdPrefix) => string;
    /** What the request has made. */
    createdId: string | undefined;
    /** Why it was refused or failed. */
    problemCode: ErrorCode | undefined;
  };
}
