/** What is wrong with a checkpoint, in words that follow "a checkpoint that", its bytes, and what the line about it says. */
export type MalformedCheckpoint = [fault: string, bytes: Buffer, message: RegExp];
