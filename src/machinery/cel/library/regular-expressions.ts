import { RE2JS } from 're2js';
import { member, type Overload } from '../types/declarations.js';
import { INT, listType, STRING } from '../types/type.js';
import { CelError } from '../values/error.js';
import type { Int } from '../values/numbers.js';
import { fastMatcher } from './fast-match.js';

const cache = new Map<string, RE2JS>();
const MAX_CACHED = 1000;

/** Thrown for a pattern that is none; the message is that of Go's regexp package. */
function invalid(e: unknown): CelError {
  return new CelError(e instanceof Error ? e.message : String(e));
}

/** A pattern in RE2 syntax, whose running time is linear. Fails with CelError. */
export function compilePattern(pattern: string): RE2JS {
  let compiled = cache.get(pattern);
  if (!compiled) {
    try {
      compiled = RE2JS.compile(pattern);
    } catch (e) {
      throw invalid(e);
    }
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(pattern, compiled);
  }
  return compiled;
}

/** Whether a text contains a match of a pattern. */
export type Match = (text: string) => boolean;

const matchers = new Map<string, Match>();

/** A test for a pattern in RE2 syntax. Fails with CelError when it is none. */
export function matcher(pattern: string): Match {
  let found = matchers.get(pattern);
  if (!found) {
    const general = compilePattern(pattern);
    const fast = fastMatcher(pattern);
    found = fast ? (text) => fast.test(text) ?? general.test(text) : (text) => general.test(text);
    if (matchers.size >= MAX_CACHED) matchers.clear();
    matchers.set(pattern, found);
  }
  return found;
}

export function matches(text: string, pattern: string): boolean {
  return matcher(pattern)(text);
}

function illegal(pattern: string): RE2JS {
  try {
    return compilePattern(pattern);
  } catch (e) {
    throw e instanceof CelError ? new CelError(`Illegal regex: ${e.message}`) : e;
  }
}

function find(text: string, pattern: string): string {
  const matcher = illegal(pattern).matcher(text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function findAll(text: string, pattern: string, limit: Int = -1): string[] {
  const matcher = illegal(pattern).matcher(text);
  const found: string[] = [];
  while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? '');
  return found;
}

/** Functions with a pattern as second argument, which is compiled beforehand if it is constant. */
export const PATTERN_FUNCTIONS: ReadonlySet<string> = new Set(['matches', 'find', 'findAll']);

/** Kubernetes' regex library. */
export const REGEX: Record<string, Overload[]> = {
  find: [member('string_find_string', [STRING, STRING], STRING, find)],
  findAll: [
    member('string_find_all_string', [STRING, STRING], listType(STRING), (s: string, p: string) => findAll(s, p)),
    member('string_find_all_string_int', [STRING, STRING, INT], listType(STRING), findAll),
  ],
};
