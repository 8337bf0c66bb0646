/** Where the jobs of all queues are looked into, where there is something to do that with. */
export const BOARD_PATH = "/console/queues/board";
