import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { compile } from './compile.js';
import type { Environment } from './environment.js';
import { admissionEnvironment, ruleEnvironment, VariableTypes } from './kubernetes/environments.js';
import { schemaType } from './kubernetes/schema.js';

// Messages about expressions in recorded answers of a real server.

const GOLDEN = '../shared/twin/golden';

const RULE = ruleEnvironment(
  schemaType(
    {
      type: 'object',
      properties: {
        n: { type: 'integer' },
        s: { type: 'string' },
        any: { 'x-kubernetes-preserve-unknown-fields': true },
      },
    },
    'self',
  )!,
  false,
);
const ADMISSION = { params: false, authorizer: true, patchTypes: true };
const POLICY = admissionEnvironment({ ...ADMISSION, variables: new VariableTypes() });
const PLAIN = admissionEnvironment({ ...ADMISSION, patchTypes: false });

interface Recorded {
  expression: string;
  message: string;
  env: Environment;
}

function find(text: string): Recorded | undefined {
  const m =
    /^(?:Invalid value: )(\{.*?\}|"(?:[^"\\]|\\.)*"): (messageExpression )?compilation failed: (ERROR: .*)$/s.exec(
      text,
    );
  if (!m) return undefined;
  const [, value, isMessage, message] = m as unknown as [string, string, string | undefined, string];
  const given = JSON.parse(value) as string | { Rule: string; MessageExpression: string };
  if (typeof given !== 'string') {
    return { expression: isMessage ? given.MessageExpression : given.Rule, message, env: RULE };
  }
  return { expression: given, message, env: message.includes("reference to 'variables'") ? PLAIN : POLICY };
}

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(strings) : [];
}

function recorded(): Map<string, Recorded> {
  const found = new Map<string, Recorded>();
  for (const file of readdirSync(GOLDEN)) {
    if (!file.endsWith('.gz')) continue;
    for (const line of gunzipSync(readFileSync(join(GOLDEN, file)))
      .toString()
      .split('\n')) {
      if (!line.includes('compilation failed')) continue;
      for (const text of strings(JSON.parse(line))) {
        const case_ = find(text);
        if (case_) found.set(`${case_.expression}: ${case_.message}`, case_);
      }
    }
  }
  return found;
}

const cases = existsSync(GOLDEN) ? [...recorded().values()] : [];

describe.runIf(cases.length > 0)('recorded messages', () => {
  it('are found', () => {
    expect(cases.length).toBeGreaterThan(10);
  });

  it.each(cases.map((c) => [c.expression.slice(0, 60), c] as const))('%s', (_, { expression, message, env }) => {
    const result = compile(expression, env);
    expect(result.failed ? result.message : 'accepted').toBe(message);
  });
});
