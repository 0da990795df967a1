import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { isStatusError } from '../errors.js';
import { catalog } from '../scheme/catalog.js';
import { type ResourceFacts, resourceCatalog } from '../scheme/resources.js';
import { checkVersion, decodeBody, strictDecodingError } from './body.js';
import {
  inputFormat,
  mediaOffers,
  negotiate,
  notAcceptable,
  producesOf,
  resourceTransform,
  routeNotAcceptable,
  routeProduces,
} from './negotiate.js';
import { formatYaml } from './yaml/format.js';
import { parseYaml } from './yaml/parse.js';

// What a real server answered to the same bodies. Registered only where the recordings are.
const twin = join(import.meta.dirname, '../../../../shared/twin');

interface Step {
  method: string;
  path: string;
  body?: unknown;
  query?: Record<string, string>;
  headers?: Record<string, string>;
  quiet?: boolean;
  noContentType?: boolean;
  as?: string;
}
interface Answer {
  c: number;
  t: string;
  w?: string[];
  b?: { message?: string; text?: string };
}

function answersOf(suite: string): Map<string, Answer[]> {
  const text = gunzipSync(readFileSync(join(twin, `golden/${suite}.open.jsonl.gz`))).toString('utf8');
  const rows = text.split('\n').filter(Boolean);
  return new Map(rows.map((line) => JSON.parse(line)).map((row: { n: string; a: Answer[] }) => [row.n, row.a]));
}

/** The resource that a create or replace of the path is about. */
function resourceOf(path: string): ResourceFacts | undefined {
  const m = /^\/(?:api|apis\/([^/]+))\/([^/]+)(?:\/namespaces\/[^/]+)?\/([^/]+)(?:\/[^/]+)?$/.exec(path);
  if (!m) return undefined;
  const [, group = '', version, plural] = m;
  return resourceCatalog().resources.find((r) => r.group === group && r.version === version && r.plural === plural);
}

function bodyOf(step: Step, id: string): Buffer {
  if (Buffer.isBuffer(step.body)) return step.body;
  const text = typeof step.body === 'string' ? step.body : JSON.stringify(step.body);
  return Buffer.from(text.replaceAll('{{id}}', id).replaceAll('{{ns}}', id));
}

/** The message of the refusal, the warnings that the codec owes, or undefined when the body is fine. */
function outcome(step: Step, body: Buffer, facts: ResourceFacts): { refusal?: string; warnings: string[] } {
  const gvk = { group: facts.group, version: facts.version, kind: facts.kind };
  const offers = mediaOffers({ cbor: false });
  const validation = step.query?.fieldValidation ?? 'Warn';
  try {
    const contentType = step.noContentType ? undefined : (step.headers?.['Content-Type'] ?? 'application/json');
    const format = inputFormat(contentType, offers);
    const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind)!;
    const decoded = decodeBody(body, format, { gvk, type }, validation !== 'Ignore');
    checkVersion(decoded.gvk, gvk);
    if (validation === 'Strict' && decoded.strictErrors.length > 0) {
      throw strictDecodingError(decoded.gvk, gvk.kind, decoded.strictErrors);
    }
    return { warnings: validation === 'Warn' ? decoded.strictErrors : [] };
  } catch (e) {
    if (isStatusError(e)) return { refusal: e.message, warnings: [] };
    throw e;
  }
}

const SUITES = [
  'validation',
  'crud',
  'negotiation',
  'defaulting',
  'services',
  'immutability',
  'lifecycle',
  'nodes',
  'aggregation',
  'crd',
  'patches',
  'subresources',
  'authz',
  'admission',
  'lists',
];
const OURS = /cannot be handled as a|is unrecognized \(must be|does not match the expected API version|unknown format/;

describe.runIf(existsSync(twin))('bodies that a real server was sent', () => {
  it.each(SUITES)('%s', async (suite) => {
    const { slug } = (await import(pathToFileURL(join(twin, 'lib/runner.mjs')).href)) as {
      slug: (suite: string, name: string) => string;
    };
    const module = await import(pathToFileURL(join(twin, `suites/${suite}.mjs`)).href);
    const cases = (typeof module.default === 'function' ? module.default() : module.default) as Iterable<{
      name: string;
      steps: Step[];
    }>;
    const recorded = answersOf(suite);
    const differences: unknown[] = [];
    let compared = 0;
    for (const { name, steps } of cases) {
      const answers = recorded.get(name);
      if (!answers) continue;
      const loud = steps.filter((s) => !s.quiet);
      loud.forEach((step, i) => {
        const answer = answers[i];
        if (!answer || (step.method !== 'POST' && step.method !== 'PUT') || step.body === undefined || step.as) return;
        const facts = resourceOf(step.path);
        if (!facts || [401, 403, 404, 405, 406].includes(answer.c)) return;
        const body = bodyOf(step, slug(suite, name));
        if (body.includes('{{')) return;
        const got = outcome(step, body, facts);
        const message = answer.b?.message ?? '';
        const expected = answer.c >= 400 && OURS.test(message) ? message : undefined;
        compared++;
        if (got.refusal !== expected) differences.push({ name, i, expected, got: got.refusal });
        const warnings = (answer.w ?? []).filter((w) => /(?:unknown|duplicate) field/.test(w));
        const ours = got.warnings.map((w) => `299 - ${JSON.stringify(w)}`);
        if (answer.c < 300 && JSON.stringify(warnings) !== JSON.stringify(ours)) {
          differences.push({ name, i, warnings, ours });
        }
      });
    }
    expect(differences.slice(0, 20)).toEqual([]);
    expect(compared).toBeGreaterThan(10);
  });
});

describe.runIf(existsSync(twin))('YAML that a real server wrote', () => {
  it.each(['crud', 'negotiation', 'crd'])('%s', (suite) => {
    let compared = 0;
    for (const [name, answers] of answersOf(suite)) {
      for (const answer of answers) {
        if (answer.t !== 'application/yaml' || !answer.b?.text) continue;
        // The recordings hold placeholders; those that would read as something else are put back.
        const text = answer.b.text.replaceAll('<time>', '2026-01-01T00:00:00Z').replace(/<rv(?::\d+)?>/g, '12');
        expect(formatYaml(parseYaml(text).value), name).toBe(text);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(0);
  });
});

/** The media type of the answer, or the message of the 406. */
function negotiated(accept: string | undefined, isList: boolean): string {
  const offers = mediaOffers({ cbor: false });
  const produces = producesOf(offers, isList);
  if (!routeProduces(accept, produces)) return routeNotAcceptable(produces).message;
  const found = negotiate(accept, offers, resourceTransform({ builtIn: true, tables: true }));
  if (!found) return notAcceptable(offers).message;
  const kind = found.convert?.kind;
  if (kind && kind !== 'Table' && kind.endsWith('List') !== isList) return `you requested ${kind}`;
  return found.offer.mediaType;
}

describe.runIf(existsSync(twin))('content that a real server negotiated', () => {
  it('reads of resources', async () => {
    const module = await import(pathToFileURL(join(twin, 'suites/negotiation.mjs')).href);
    const recorded = answersOf('negotiation');
    let compared = 0;
    for (const { name, steps } of module.default() as Iterable<{ name: string; steps: Step[] }>) {
      const answers = name.startsWith('accept ') && !name.startsWith('accept other') ? recorded.get(name) : undefined;
      steps.forEach((step, i) => {
        const answer = answers?.[i];
        const facts = resourceOf(step.path);
        if (!answer || step.method !== 'GET' || !facts || step.path.endsWith('missing') || !step.headers) return;
        const got = negotiated(step.headers.Accept, step.path.endsWith(`/${facts.plural}`));
        const expected = answer.c === 406 ? answer.b!.message! : answer.t;
        expect(expected.startsWith(got) ? got : expected, `${name} ${i}`).toBe(got);
        compared++;
      });
    }
    expect(compared).toBeGreaterThan(100);
  });
});
