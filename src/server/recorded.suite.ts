import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { ApiRequest } from './api-request.js';
import type { HttpHandler } from './http.js';
import type { Route } from './request-path.js';
import { sendError } from './respond/error.js';
import { inject } from './transport/inject.js';

const TWIN = new URL('../../../shared/twin/', import.meta.url);
/** Recorded answers of a real server are beside the repository. */
export const haveRecordings = existsSync(TWIN);

interface Step {
  readonly method: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly query?: Record<string, string>;
  readonly as?: string;
  readonly project?: string;
}
interface RawAnswer {
  code: number;
  headers: Record<string, string[]>;
  body: Buffer;
}
interface Twin {
  Normaliser: new (options: object) => { note(text: string): void; answer(raw: RawAnswer, step: Step): unknown };
  canonical(value: unknown): string;
}

export interface Compared {
  readonly name: string;
  readonly recorded: string;
  readonly given: string;
}

/** A handler that tries routes as the request path does, for everybody. */
export function routesHandler(routes: readonly Route[]): HttpHandler {
  return async (http, response) => {
    const request = new ApiRequest(http, response, 'audit-id');
    try {
      for (const route of routes) if (await route(request)) return;
      throw new Error(`no route for ${http.path}`);
    } catch (e) {
      await sendError(request, e);
    }
  };
}

/** Replays the steps of a suite's cases that `wants` picks, as the administrator, and pairs the answers. */
export async function replay(
  suite: string,
  routes: readonly Route[],
  wants: (caseName: string, path: string) => boolean,
): Promise<Compared[]> {
  const twin = (await import(new URL('lib/normalise.mjs', TWIN).href)) as Twin;
  const { default: cases } = (await import(new URL(`suites/${suite}.mjs`, TWIN).href)) as {
    default(): Iterable<{ name: string; steps: Step[] }>;
  };
  const golden = new Map<string, unknown[]>();
  const text = gunzipSync(readFileSync(new URL(`golden/${suite}.open.jsonl.gz`, TWIN))).toString();
  for (const line of text.split('\n').filter(Boolean)) {
    const { n, a } = JSON.parse(line) as { n: string; a: unknown[] };
    golden.set(n, a);
  }
  const handler = routesHandler(routes);
  const compared: Compared[] = [];
  for (const { name, steps } of cases()) {
    const answers = golden.get(name);
    if (!answers) continue;
    const normaliser = new twin.Normaliser({});
    for (const [i, step] of steps.entries()) {
      if (step.as || !wants(name, step.path)) continue;
      const query = step.query ? `?${new URLSearchParams(step.query)}` : '';
      const answer = await inject(handler, {
        method: step.method,
        path: step.path + query,
        headers: { 'user-agent': 'twin', ...lower(step.headers) },
      });
      const headers: Record<string, string[]> = {};
      for (const [k, v] of Object.entries(answer.headers)) headers[k] = Array.isArray(v) ? v : [`${v}`];
      normaliser.note(step.path);
      const raw = { code: answer.status, headers, body: await answer.body() };
      compared.push({
        name: `${name}: ${step.method} ${step.path} ${JSON.stringify(step.headers ?? {})}`,
        recorded: twin.canonical(answers[i]),
        given: twin.canonical(normaliser.answer(raw, step)),
      });
    }
  }
  return compared;
}

function lower(headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([k, v]) => [k.toLowerCase(), v]));
}
