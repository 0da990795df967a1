import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../json.js';
import { catalog } from '../scheme/catalog.js';
import { checkUnstructured } from './unstructured.js';

const DEPLOYMENT = catalog().byGvk('apps', 'v1', 'Deployment')!;
const SECRET = catalog().byGvk('', 'v1', 'Secret')!;
const spec = (s: JsonObject): JsonObject => ({ spec: s });

describe('a patched object must fit its type', () => {
  it.each<[JsonValue, string]>([
    [spec({ template: { spec: { containers: {} } } }), 'cannot restore slice from map'],
    [spec({ selector: { matchLabels: 'text' } }), 'cannot restore map from string'],
    [spec({ selector: { matchLabels: { a: 5 } } }), 'cannot convert int64 to string'],
    [spec({ replicas: 'three' }), 'cannot convert string to int32'],
    [spec({ replicas: 1.5 }), 'cannot convert float64 to int32'],
    [spec({ paused: 'yes' }), 'cannot convert string to bool'],
    [spec({ template: [] }), 'cannot restore struct from: slice'],
    [{ spec: 5 }, 'cannot restore struct from: int64'],
  ])('%j', (value, message) => expect(() => checkUnstructured(value, DEPLOYMENT)).toThrow(message));

  it('takes what Go takes', () => {
    checkUnstructured(spec({ replicas: null, strategy: null, template: { spec: { containers: [null] } } }), DEPLOYMENT);
    checkUnstructured(spec({ replicas: 3.0, strategy: { rollingUpdate: { maxSurge: '25%' } } }), DEPLOYMENT);
    checkUnstructured({ data: { k: 'YQ==' } }, SECRET);
    expect(() => checkUnstructured({ data: { k: 5 } }, SECRET)).toThrow('cannot restore slice from int64');
  });

  it('names unknown members, sorted', () => {
    const found: string[] = [];
    checkUnstructured(
      { bogus: 1, spec: { zzz: 1, template: { spec: { containers: [{ name: 'a' }, { x: 1 }] } } } },
      DEPLOYMENT,
      (text) => found.push(text),
    );
    expect(found).toEqual([
      'unknown field "bogus"',
      'unknown field "spec.template.spec.containers[1].x"',
      'unknown field "spec.zzz"',
    ]);
  });
});
