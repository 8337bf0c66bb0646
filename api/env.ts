/** What middleware leaves in the context of a request. */
export interface ApiEnv {
  Variables: {
    /** `req_…`, or the client's own `X-Request-Id`. */
    requestId: string;
    /** Who asks; set on every route under /v1. */
    tenant: string;
  };
}
