import { equalJson, isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';

/** Sections of a Swagger 2.0 document that references point into. */
const SECTIONS = ['definitions', 'parameters', 'responses'] as const;
const KINDS = 'x-kubernetes-group-version-kind';

/**
 * The part of a Swagger 2.0 document that some of its paths need.
 *
 * @param wanted whether a path is kept
 */
export function filterV2(document: JsonObject, wanted: (path: string) => boolean): JsonObject {
  const paths = Object.fromEntries(Object.entries(part(document, 'paths')).filter(([path]) => wanted(path)));
  const sections = new Map<string, Map<string, JsonValue>>();
  const waiting: JsonValue[] = [paths];
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    for (const reference of references(value)) {
      const target = parse(reference);
      if (!target) continue;
      const all = part(document, target.section);
      const found = Object.hasOwn(all, target.name) ? all[target.name] : undefined;
      const section = sections.get(target.section) ?? new Map<string, JsonValue>();
      if (found === undefined || section.has(target.name)) continue;
      sections.set(target.section, section.set(target.name, found));
      waiting.push(found);
    }
  }
  return { swagger: '2.0', paths, ...Object.fromEntries([...sections].map(([k, v]) => [k, Object.fromEntries(v)])) };
}

/**
 * Adds another server's document to `target`. Paths that `target` has stay as they are. What bears the name of something
 * else is renamed: `Name_v2`.
 */
export function mergeV2(target: JsonObject, document: JsonObject): void {
  const renamed = new Map<string, string>();
  const more = new Map<string, Map<string, JsonValue>>();
  for (const section of SECTIONS) {
    const own = part(target, section);
    for (const [name, value] of Object.entries(part(document, section))) {
      let free = name;
      for (let n = 2; Object.hasOwn(own, free) && !same(own[free], value); n++) free = `${name}_v${n}`;
      if (free !== name) renamed.set(`#/${section}/${name}`, `#/${section}/${free}`);
      if (Object.hasOwn(own, free)) continue;
      const added = more.get(section) ?? new Map<string, JsonValue>();
      more.set(section, added.set(free, value ?? null));
    }
  }
  for (const [section, added] of more) {
    const theirs = withReferences(Object.fromEntries(added), renamed) as JsonObject;
    target[section] = sorted({ ...part(target, section), ...theirs });
  }
  const paths = withReferences(part(document, 'paths'), renamed) as JsonObject;
  target.paths = sorted({ ...paths, ...part(target, 'paths') });
}

/** Which kinds a definition stands for differs by server. */
function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (!isJsonObject(a) || !isJsonObject(b)) return equalJson(a, b);
  return equalJson({ ...a, [KINDS]: null }, { ...b, [KINDS]: null });
}

/** All values of `$ref` inside. */
export function references(value: JsonValue | undefined): string[] {
  const found: string[] = [];
  const collect = (v: JsonValue | undefined): void => {
    if (Array.isArray(v)) v.forEach(collect);
    else if (isJsonObject(v)) {
      for (const [key, inner] of Object.entries(v)) {
        if (key === '$ref' && typeof inner === 'string') found.push(inner);
        else collect(inner);
      }
    }
  };
  collect(value);
  return found;
}

function withReferences(value: JsonValue, renamed: ReadonlyMap<string, string>): JsonValue {
  if (renamed.size === 0) return value;
  if (Array.isArray(value)) return value.map((v) => withReferences(v, renamed));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === '$ref' && typeof inner === 'string') return [key, renamed.get(inner) ?? inner];
      return [key, withReferences(inner ?? null, renamed)];
    }),
  );
}

function parse(reference: string): { section: string; name: string } | undefined {
  const [, section = '', name = ''] = /^#\/([a-z]+)\/(.+)$/.exec(reference) ?? [];
  return SECTIONS.some((s) => s === section) ? { section, name } : undefined;
}

function part(document: JsonObject, name: string): JsonObject {
  const value = document[name];
  return isJsonObject(value) ? value : {};
}

function sorted(value: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
