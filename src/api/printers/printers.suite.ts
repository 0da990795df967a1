import type { JsonObject, JsonValue, KubeObject } from '../../machinery/json.js';
import { printerFor } from './index.js';

/** When the tests look at their objects. */
export const NOW = '2026-01-01T00:00:00Z';
/** A time so many seconds before that. */
export const before = (seconds: number): string =>
  new Date(Date.parse(NOW) - seconds * 1000).toISOString().replace('.000Z', 'Z');

/** An object that is five minutes old. */
export function object(name: string, parts: JsonObject = {}, metadata: JsonObject = {}): KubeObject {
  return { metadata: { name, creationTimestamp: before(300), ...metadata }, ...parts };
}

/** The row of an object by column, without those that every kind has. */
export function row(group: string, kind: string, parts: JsonObject, metadata: JsonObject = {}): JsonObject {
  const printer = printerFor(group, kind)!;
  const cells = printer.cells(object('x', parts, metadata), Date.parse(NOW));
  const named = printer.columns.map(({ name }, i): [string, JsonValue | undefined] => [name, cells[i]]);
  return Object.fromEntries(named.filter(([name, cell]) => !(name === 'Name' && cell === 'x') && name !== 'Age'));
}
