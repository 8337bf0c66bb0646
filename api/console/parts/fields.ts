import { html } from "hono/html";
import type { AppError } from "../../../shared/errors.ts";
import type { Html } from "../page.ts";
import { textOf } from "./read-form.ts";
import type { Sent } from "./read-form.ts";

/** A form as it was sent and refused; a new one has neither. */
export interface Filled {
  sent: Sent;
  error?: AppError | undefined;
}

/** One field of a form. */
export interface Field {
  name: string;
  label: string;
  help?: string;
  isOptional?: boolean;
}

/** A field for a line of text. `value` is what stands in it at first. */
export function textField(
  { sent, error }: Filled,
  {
    placeholder,
    value,
    type = "text",
    ...field
  }: Field & { placeholder?: string; value?: string; type?: string },
): Html {
  const { name, isOptional = false } = field;
  return framed(
    error,
    field,
    html`<input
      id="${name}"
      name="${name}"
      type="${type}"
      value="${textOf(sent, name) ?? value ?? ""}"
      placeholder="${placeholder ?? ""}"
      ${!isOptional && "required"}
      autocomplete="off"
      spellcheck="false"
      aria-describedby="${name}-more"
      aria-invalid="${String(faultOf(error, name) !== undefined)}"
    />`,
  );
}

/** A field for one of a few: each is what is sent and what is shown. */
export function choiceField(
  { sent, error }: Filled,
  { options, ...field }: Field & { options: readonly (readonly [value: string, shown: string])[] },
): Html {
  const chosen = textOf(sent, field.name) ?? options[0]?.[0];
  return framed(
    error,
    field,
    html`<select id="${field.name}" name="${field.name}" aria-describedby="${field.name}-more">
      ${options.map(([value, shown]) => html`<option value="${value}" ${value === chosen && "selected"}>${shown}</option>`)}
    </select>`,
  );
}

/** What was wrong with a form as a whole: what none of these fields is told of. */
export function formFault({ error }: Filled, names: readonly string[]): Html | undefined {
  if (error === undefined) return undefined;
  const isTold =
    error.errors.length > 0 && error.errors.every(({ pointer }) => names.includes(nameOf(pointer)));
  return html`<p class="notice bad" role="alert">
    ${isTold ? "Something is not right yet: see below." : error.message}
  </p>`;
}

function framed(error: AppError | undefined, { name, label, help, isOptional }: Field, control: Html): Html {
  const fault = faultOf(error, name);
  return html`<div class="field">
    <label for="${name}">${label} ${isOptional && html`<small>optional</small>`}</label>
    ${control}
    <div id="${name}-more">
      ${fault !== undefined && html`<span class="fault">${fault}</span>`}
      ${help !== undefined && html`<span class="help">${help}</span>`}
    </div>
  </div>`;
}

const faultOf = (error: AppError | undefined, name: string) =>
  error?.errors.find(({ pointer }) => nameOf(pointer) === name)?.detail;

/** The field that a JSON pointer is in. */
const nameOf = (pointer = "") => pointer.split("/")[1] ?? "";
