import { equalJson, isJsonObject, type JsonValue } from './json.js';

/** JSON pointers (RFC 6901) of what differs, the outermost that was added or removed; '' when everything does. */
export function changedPaths(before: JsonValue | undefined, after: JsonValue | undefined): string[] {
  const paths: string[] = [];
  visit(before, after, '', paths);
  return paths;
}

function visit(a: JsonValue | undefined, b: JsonValue | undefined, at: string, paths: string[]): void {
  if (isJsonObject(a) && isJsonObject(b)) {
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
      visit(a[name], b[name], `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, paths);
    }
  } else if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.max(a.length, b.length); i++) visit(a[i], b[i], `${at}/${i}`, paths);
  } else if (a !== b && (a === undefined || b === undefined || !equalJson(a, b))) paths.push(at);
}
