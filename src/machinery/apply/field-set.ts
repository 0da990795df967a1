import type { JsonObject } from '../json.js';

/**
 * A set of field paths in the form that `fieldsV1` has on the wire: a tree whose keys are `f:<name>`, `k:<JSON keys>`,
 * `v:<JSON value>` or `i:<index>`. A node that is empty or has `.` is itself a member; `{}` at the top is the empty set.
 * Immutable: operations share what they do not change.
 */
export type FieldSet = JsonObject;
