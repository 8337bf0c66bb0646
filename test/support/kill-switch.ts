/** Kills at a chosen call of any of the parts it was laid on: just before it is made, or just after it was done. */
export interface KillSwitch {
  lay: <Part extends object>(part: Part, methods: readonly (keyof Part)[]) => Part;
  /** How many calls there were. */
  calls: () => number;
}

/** Makes one that kills at call number `fatal`, counted from 1. */
export function killSwitch(fatal: number, when: "before" | "after"): KillSwitch {
  let calls = 0;
  const killed = new Error("killed");
  return {
    lay: (part, methods) =>
      new Proxy(part, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== "function") return member;
          if (!methods.some((method) => method === name)) return member.bind(target) as unknown;
          return async (...args: unknown[]): Promise<unknown> => {
            const isFatal = ++calls === fatal;
            // Whoever was killed does nothing any more.
            if (calls > fatal || (isFatal && when === "before")) throw killed;
            const result: unknown = await Reflect.apply(member, target, args);
            if (isFatal) throw killed;
            return result;
          };
        },
      }),
    calls: () => calls,
  };
}
