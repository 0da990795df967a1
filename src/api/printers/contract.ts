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

/** How `kubectl get` shows a kind: its columns and the cells of one object. */
export interface Printer {
  readonly columns: readonly Column[];
  /**
   * One cell per column.
   *
   * @param object at the hub version, as JSON holds it (zero values written)
   * @param now for ages, milliseconds since the epoch
   */
  cells(object: KubeObject, now: number): JsonValue[];
}
