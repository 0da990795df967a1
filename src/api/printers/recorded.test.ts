import { describe, expect, it } from 'vitest';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type KubeObject,
  parseApiVersion,
} from '../../machinery/json.js';
import { haveRecordings, NOW, recorded } from '../recorded.suite.js';
import { printerFor } from './index.js';

interface Table extends JsonObject {
  columnDefinitions: JsonObject[];
  rows: { cells: JsonValue[]; conditions?: JsonValue; object?: KubeObject }[];
}

/** Kept at another version than the one recorded, or of another object (Scale): only the columns are compared. */
const CONVERTED = /^(events\.k8s\.io\/|autoscaling\/v1$)/;
const AGE = /^(\d+[smhdy])+$/;
const now = Date.parse(NOW) + 5000;

const realistic = (object: KubeObject): KubeObject =>
  JSON.parse(JSON.stringify(object).replace(/"<nodePort(:\d+)?>"/g, '30000')) as KubeObject;
const placeholders = (cell: JsonValue): JsonValue =>
  typeof cell === 'string' ? cell.replace(AGE, '<age>').replaceAll(':30000/', ':<nodePort>/') : cell;

const isTable = (body: JsonValue | undefined): body is Table => isJsonObject(body) && body.kind === 'Table';
const isObject = (body: JsonValue | undefined): body is KubeObject =>
  isJsonObject(body) && isJsonObject(body.metadata) && typeof body.metadata.name === 'string' && body.kind !== 'Table';

/** Each recorded row with the object that it shows. */
function* rows(
  suite: string,
): Generator<{ name: string; object: KubeObject; table: Table; row: Table['rows'][number] }> {
  for (const { n: name, a: answers } of recorded(suite)) {
    const seen = new Map<string, KubeObject>();
    for (const { b: body } of answers) {
      if (isObject(body) && `${body.kind}` !== 'PartialObjectMetadata') seen.set(`${body.metadata.name}`, body);
      if (!isTable(body)) continue;
      for (const row of body.rows ?? []) {
        const whole = row.object && row.object.kind !== 'PartialObjectMetadata' ? row.object : undefined;
        const object = whole ?? seen.get(`${row.object?.metadata?.name}`);
        if (object) yield { name, object, table: body, row };
      }
    }
  }
}

describe.runIf(haveRecordings)('tables of a real server', () => {
  it.each([
    ['crud', 80],
    ['discovery', 10],
    ['negotiation', 10],
    ['nodes', 2],
    ['subresources', 2],
  ])('%s', (suite, least) => {
    let compared = 0;
    for (const { name, object, table, row } of rows(suite)) {
      const apiVersion = `${object.apiVersion}`;
      const printer = printerFor(parseApiVersion(apiVersion).group, `${object.kind}`);
      expect(printer?.columns, name).toEqual(table.columnDefinitions);
      if (CONVERTED.test(apiVersion)) continue;
      const cells = printer!.cells(realistic(object), now).map(placeholders);
      expect(cells, name).toEqual(row.cells);
      expect(printer!.conditions?.(object), name).toEqual(row.conditions);
      compared++;
    }
    expect(compared).toBeGreaterThanOrEqual(least);
  });
});
