import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { JsonObject, JsonValue } from '../../src/machinery/json.js';

const TWIN = new URL('../../../shared/twin/', import.meta.url);

/** Recorded answers of a real server are beside the repository. */
export const haveGoldens = existsSync(TWIN);

export interface Step {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: Record<string, string>;
  readonly body: JsonValue | undefined;
  /** Status code, and the body with placeholders for what differs from run to run. */
  readonly answer: { readonly code: number; readonly body: JsonValue | undefined; readonly warnings: string[] };
}

export interface Case {
  readonly name: string;
  readonly steps: Step[];
}

interface RawStep {
  method: string;
  path: string;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  body?: JsonValue;
  id?: string;
  quiet?: boolean;
  during?: RawStep[];
}

/** The cases of a suite with their recorded answers; steps whose answers were not recorded are left out. */
export async function goldenCases(suite: string): Promise<Case[]> {
  const module = (await import(new URL(`suites/${suite}.mjs`, TWIN).href)) as { default: unknown };
  const source = module.default;
  const all = [...(typeof source === 'function' ? source() : (source as Iterable<unknown>))] as {
    name: string;
    ns?: boolean | string;
    steps: RawStep[];
  }[];
  const text = gunzipSync(readFileSync(new URL(`golden/${suite}.open.jsonl.gz`, TWIN))).toString();
  const answers = new Map<string, { c: number; w?: string[]; b?: JsonValue }[]>();
  for (const line of text.split('\n').filter(Boolean)) {
    const { n, a } = JSON.parse(line) as { n: string; a: { c: number; w?: string[]; b?: JsonValue }[] };
    answers.set(n, a);
  }
  return all.flatMap((c) => {
    const recorded = answers.get(c.name);
    return recorded ? [{ name: c.name, steps: joined(suite, c, recorded) }] : [];
  });
}

function joined(
  suite: string,
  c: { name: string; ns?: boolean | string; steps: RawStep[] },
  answers: { c: number; w?: string[]; b?: JsonValue }[],
): Step[] {
  const id = slug(suite, c.name);
  const values: Record<string, JsonValue | undefined> = {};
  const ns = typeof c.ns === 'string' ? c.ns : c.ns === false ? 'default' : id;
  const steps: Step[] = [];
  let i = 0;
  for (const [k, step] of c.steps.entries()) {
    if (step.quiet || step.during) break; // answers no longer line up one to one
    const answer = answers[i++];
    if (!answer) break;
    const fill = (v: JsonValue | undefined): JsonValue | undefined => filled(v, { ns, id }, values);
    steps.push({
      method: step.method,
      path: fill(step.path) as string,
      query: (fill(step.query ?? {}) ?? {}) as Record<string, string>,
      headers: (fill(step.headers ?? {}) ?? {}) as Record<string, string>,
      body: fill(step.body),
      answer: { code: answer.c, body: answer.b, warnings: answer.w ?? [] },
    });
    values[`step${k + 1}`] = answer.b;
    if (step.id) values[step.id] = answer.b;
  }
  return steps;
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The name that a case gives to its namespace and objects. */
function slug(suite: string, name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 20)
    .replace(/-+$/, '');
  return `${words}-${sha(`${suite}/${name}`).slice(0, 8)}`.replace(/^(?=[0-9])/, 'c').replace(/^-/, 'c-');
}

/** `{{ns}}`, `{{id}}` and values of earlier answers. */
function filled(
  value: JsonValue | undefined,
  names: { ns: string; id: string },
  values: Record<string, JsonValue | undefined>,
): JsonValue | undefined {
  if (typeof value === 'string') {
    return value.replace(/\{\{([^{}]+)\}\}/g, (all, path: string) => {
      if (path === 'ns' || path === 'id') return names[path];
      const [head, ...rest] = path.split('.');
      let v = values[head!];
      for (const key of rest) v = (v as JsonObject | undefined)?.[key];
      return typeof v === 'string' ? v : all;
    });
  }
  if (Array.isArray(value)) return value.map((v) => filled(v, names, values) ?? null);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([k, v]) => [filled(k, names, values) as string, filled(v, names, values)]),
  );
}
