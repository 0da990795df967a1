import type { JsonObject, JsonValue, KubeObject } from '../../machinery/json.js';

/** meta.v1.TableColumnDefinition. */
export interface Column extends JsonObject {
  name: string;
  type: string;
  format: string;
  description: string;
  /** 0: always shown; greater: only in wide output. */
  priority: number;
}

/** meta.v1.TableRowCondition: says that what the row shows has finished. */
export interface RowCondition extends JsonObject {
  type: 'Completed';
  status: 'True';
  reason: string;
  message: string;
}

/** What a kind's rows hold. Every function bears objects with nothing in them, as bookmarks are. */
export interface RowPrinter {
  /**
   * One cell per column.
   *
   * @param object at the hub version, as JSON holds it (zero values written)
   * @param now for ages, milliseconds since the epoch
   */
  cells(object: KubeObject, now: number): JsonValue[];
  conditions?(object: KubeObject): RowCondition[] | undefined;
  /** The order of a list's rows, for kinds that are not shown in the order of the list. */
  compare?(a: KubeObject, b: KubeObject): number;
}

/** How `kubectl get` shows a kind: its columns and the cells of one object. */
export interface Printer extends RowPrinter {
  readonly columns: readonly Column[];
  /** A list without objects has `"rows": null`, not `[]`. */
  readonly nullRows?: boolean;
}

/** The printers of a group by kind. */
export type GroupPrinters = Readonly<Record<string, RowPrinter>>;

/** Descriptions of columns by kind, then by the column's name; those that all kinds share are left out. */
export type Descriptions = Readonly<Record<string, Readonly<Record<string, string>>>>;
