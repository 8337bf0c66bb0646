import { IMAGES } from "./behaviours/images.ts";
import { MANY_IMAGES } from "./behaviours/many-images.ts";
import { NOTIFICATIONS } from "./behaviours/notifications.ts";
import { REQUESTS } from "./behaviours/requests.ts";
import { SERVICE } from "./behaviours/service.ts";
import type { Behaviours } from "./support/behaviour.ts";

/** What the API does, by a sentence each, in whatever it runs. Fails by throwing. */
export const BEHAVIOURS: Behaviours = {
  ...IMAGES,
  ...NOTIFICATIONS,
  ...REQUESTS,
  ...SERVICE,
  // The last of these counts the connections that are left, and so comes at the very end.
  ...MANY_IMAGES,
};
