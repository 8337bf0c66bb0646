import { UsageError, command } from "../command.ts";
import { DEAD_LETTER_OPTIONS, endDeadLetters } from "../end-dead-letters.ts";

/** `tresline admin discard`. */
export const adminDiscard = command({
  help: `Usage: tresline admin discard QUEUE --id JOB...|--all --yes [OPTION]...

Removes dead letters of a queue for good: what they ask for is never done, and
nobody is told.

  --id JOB           this one; may be given several times
  --all              all that are there now
  --yes              you mean it
`,
  options: { ...DEAD_LETTER_OPTIONS, yes: { type: "boolean" } },
  run({ values: { yes = false, ...values }, positionals }, context) {
    if (!yes) throw new UsageError("admin discard removes dead letters for good: say --yes if you mean it.");
    return endDeadLetters("discard", positionals, values, context);
  },
});
