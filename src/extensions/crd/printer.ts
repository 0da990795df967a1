import { humanDuration } from '../../api/printers/age.js';
import { columnsOf } from '../../api/printers/columns.js';
import type { Column, Printer } from '../../api/printers/contract.js';
import { DecodeError } from '../../machinery/codec/errors.js';
import { parseTime } from '../../machinery/codec/time.js';
import { goJson, goValue } from '../../machinery/go-format.js';
import type { JsonValue, KubeObject } from '../../machinery/json.js';
import { evaluatePath, JsonPathError, type PathNode, parsePath } from '../../machinery/jsonpath/index.js';
import type { DefinedVersion, PrinterColumn } from './definition.js';

interface ReadColumn {
  readonly column: Column;
  readonly path: readonly PathNode[];
}

const AGE = '.metadata.creationTimestamp';

/** How a version's objects are shown: its columns, or their age where it defines none. */
export function customPrinter(columns: readonly PrinterColumn[] | undefined): Printer {
  return new ColumnPrinter(columns && columns.length > 0 ? columns : [ageColumn()]);
}

/** How Scales of a version's objects are shown. */
export function scalePrinter(version: DefinedVersion): Printer {
  const scale = version.subresources?.scale;
  const column = (name: string, description: string, jsonPath: string): PrinterColumn => ({
    name,
    type: 'integer',
    description,
    jsonPath,
  });
  return new ColumnPrinter([
    ...(scale?.specReplicasPath ? [column('Desired', 'Number of desired replicas', '.spec.replicas')] : []),
    ...(scale?.statusReplicasPath ? [column('Available', 'Number of actual replicas', '.status.replicas')] : []),
    ageColumn(),
  ]);
}

function ageColumn(): PrinterColumn {
  return { ...columnsOf([['Age', 'date', '', 0]])[0]!, jsonPath: AGE };
}

/** Reads its paths at first use. */
class ColumnPrinter implements Printer {
  readonly #defined: readonly PrinterColumn[];
  #read: readonly ReadColumn[] | undefined;

  constructor(defined: readonly PrinterColumn[]) {
    this.#defined = defined;
  }

  get columns(): Column[] {
    return [...columnsOf([['Name', 'string', 'name', 0]]), ...this.#columns().map((c) => c.column)];
  }

  cells(object: KubeObject, now: number): JsonValue[] {
    const cells = this.#columns().map(({ column, path }) => cell(object, path, column.type, now));
    return [object.metadata.name ?? '', ...cells];
  }

  #columns(): readonly ReadColumn[] {
    this.#read ??= readColumns(this.#defined);
    return this.#read;
  }
}

/** From the first path on that can't be parsed, nothing is shown. */
function readColumns(defined: readonly PrinterColumn[]): ReadColumn[] {
  const out: ReadColumn[] = [];
  for (const { name, type, format, description, priority, jsonPath } of defined) {
    const shown = description || `Custom resource definition column (in JSONPath format): ${jsonPath}`;
    const column = { name, type, format: format ?? '', description: shown, priority: priority ?? 0 };
    try {
      out.push({ column, path: parsePath(jsonPath) });
    } catch (e) {
      if (e instanceof JsonPathError) return out;
      throw e;
    }
  }
  return out;
}

function cell(object: KubeObject, path: readonly PathNode[], type: string, now: number): JsonValue {
  let value: JsonValue | undefined;
  try {
    value = evaluatePath(path, object)[0];
  } catch (e) {
    if (!(e instanceof JsonPathError)) throw e;
  }
  if (value === undefined) return null;
  switch (type) {
    case 'string':
      return asText(value);
    case 'integer':
      return typeof value === 'bigint' ? value : typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? agoText(value, now) : null;
    default:
      return null;
  }
}

function asText(value: JsonValue): string {
  if (value === null) return '<no value>';
  return typeof value === 'object' ? goJson(value) : goValue(value);
}

function agoText(text: string, now: number): string {
  try {
    const time = text === '' || text === 'null' ? undefined : parseTime(text);
    return time === undefined ? '<unknown>' : humanDuration(now - Date.parse(time));
  } catch (e) {
    if (e instanceof DecodeError) return '<invalid>';
    throw e;
  }
}
