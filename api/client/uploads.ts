import { Upload } from "../../shared/contracts/upload.ts";
import { sendingJson } from "./sending-json.ts";
import type { Call, Transport } from "./transport.ts";

/** Images that are sent before they are classified, larger than a request may be. */
export interface Uploads {
  /** Sends an image, a Blob whose type is `image/…`. Within a day its id is an image: `{ upload_id: id }`. */
  send(image: Blob, call?: Call): Promise<Upload>;
  /** A place for an image that somebody else sends, such as a browser: to `url`, by `method`, with `headers`. */
  create(announced: { media_type: string; bytes: number }, call?: Call): Promise<Upload>;
}

const PATH = "/v1/uploads";

/** The calls about uploads. */
export function uploads(transport: Transport): Uploads {
  const create: Uploads["create"] = async (announced, call = {}) => {
    const sending = { method: "POST", path: PATH, ...sendingJson(announced, call) } as const;
    return (await transport.ask(Upload, sending)).value;
  };
  return {
    create,
    async send(image, call = {}) {
      const upload = await create({ media_type: image.type, bytes: image.size }, call);
      const path = `${PATH}/${upload.id}`;
      const signedUrl = upload.url.endsWith(path) ? undefined : upload.url;
      // How long it is says the body itself: browsers let nobody else do that.
      const { "content-length": _, ...headers } = upload.headers;
      await transport.tell({ method: "PUT", path, signedUrl, headers, body: image, signal: call.signal });
      return upload;
    },
  };
}
