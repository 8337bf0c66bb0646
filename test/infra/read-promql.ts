/** The metrics that a query asks for, and the labels that it groups or joins by. */
export interface Promql {
  selectors: {
    name: string;
    /** What is asked of labels: each value is a regular expression, and those that are excluded are left out. */
    matchers: { label: string; values: string[] }[];
  }[];
  grouping: string[];
}

const SELECTOR = /\b((?:tresline|nodejs|process)_\w+)(?:\{([^}]*)\})?/g;
const MATCHER = /(\w+)(=~|!~|!=|=)"([^"]*)"/g;
const GROUPING = /\b(?:by|on|without|ignoring|group_left|group_right) \(([^)]*)\)/g;

/** Reads as much of a PromQL query as dashboards and alerts here are made of. */
export function readPromql(query: string): Promql {
  const selectors = [...query.matchAll(SELECTOR)].map(([, name = "", matchers = ""]) => ({
    name,
    matchers: [...matchers.matchAll(MATCHER)].map(([, label = "", operator = "", value = ""]) => ({
      label,
      values: operator.startsWith("!") ? [] : operator === "=~" ? value.split("|") : [escape(value)],
    })),
  }));
  const grouping = [...query.matchAll(GROUPING)].flatMap(([, labels = ""]) => labels.split(/,\s*/));
  return { selectors, grouping: [...new Set(grouping)].filter((label) => label !== "") };
}

const escape = (value: string) => value.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
