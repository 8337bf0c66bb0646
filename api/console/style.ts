import { CONTROLS_STYLE } from "./style/controls.ts";
import { DATA_STYLE } from "./style/data.ts";
import { FRAME_STYLE } from "./style/frame.ts";
import { OPERATIONS_STYLE } from "./style/operations.ts";
import { PICTURES_STYLE } from "./style/pictures.ts";

/** The style of the console: light or dark as the reader has it, one column on a phone. Pages use its classes and have no style of their own. */
export const CONSOLE_STYLE = FRAME_STYLE + CONTROLS_STYLE + DATA_STYLE + PICTURES_STYLE + OPERATIONS_STYLE;
