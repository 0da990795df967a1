import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedPaths } from './changed-paths.js';
import { cloneJson, type JsonObject, type JsonValue } from './json.js';

it.each<[JsonValue | undefined, JsonValue | undefined, string[]]>([
  [{ a: 1 }, { a: 1 }, []],
  [{ a: { b: 1, c: 2 } }, { a: { b: 2, c: 2 } }, ['/a/b']],
  [{ a: 1 }, { b: { c: 1 } }, ['/a', '/b']],
  [{ l: [1, { x: 1 }] }, { l: [1, { x: 2 }, 3] }, ['/l/1/x', '/l/2']],
  [{ l: [1, 2] }, { l: [2] }, ['/l/0', '/l/1']],
  [{ 'a/b~c': 1 }, { 'a/b~c': null }, ['/a~1b~0c']],
  [{ a: {} }, { a: [] }, ['/a']],
  [undefined, { a: 1 }, ['']],
])('between %j and %j: %j', (before, after, paths) => {
  expect(changedPaths(before, after)).toEqual(paths);
});

it('compares large numbers', () => {
  expect(changedPaths({ a: 1n, b: 2n }, { a: 1n, b: 3n })).toEqual(['/b']);
});

it('is nothing between a value and its copy', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      expect(changedPaths(value as JsonObject, cloneJson(value as JsonObject))).toEqual([]);
    }),
  );
});
