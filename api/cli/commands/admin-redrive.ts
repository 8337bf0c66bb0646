import { command } from "../command.ts";
import { DEAD_LETTER_OPTIONS, endDeadLetters } from "../end-dead-letters.ts";

/** `tresline admin redrive`. */
export const adminRedrive = command({
  help: `Usage: tresline admin redrive QUEUE --id JOB...|--all [OPTION]...

Tries dead letters of a queue again, as if they had never been tried. Do it once
what they died of is mended: tresline admin inspect QUEUE tells.

  --id JOB           this one; may be given several times
  --all              all that are there now
`,
  options: DEAD_LETTER_OPTIONS,
  run: ({ values, positionals }, context) => endDeadLetters("redrive", positionals, values, context),
});
