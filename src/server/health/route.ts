import type { ApiRequest } from '../api-request.js';
import type { Route } from '../request-path.js';
import { sendText } from '../respond/text.js';
import type { HealthCheck, HealthChecks, HealthEndpoint } from './contract.js';

export interface HealthFailure {
  readonly name: string;
  readonly error: unknown;
}

/**
 * Answers `/healthz`, `/livez` and `/readyz`, whatever the method, and each check below them by its name.
 * `?verbose` lists the checks, `?exclude=<name>` skips some. `onResult` hears of every check that was run.
 */
export function healthRoute(
  checks: HealthChecks,
  onFailure: (endpoint: HealthEndpoint, failures: readonly HealthFailure[]) => void,
  onResult: (endpoint: HealthEndpoint, name: string, healthy: boolean) => void = () => {},
): Route {
  return async (request) => {
    const match = /^\/(healthz|livez|readyz)(?:\/(.+))?$/.exec(request.info.path);
    if (!match) return false;
    const endpoint = match[1] as HealthEndpoint;
    const run = async (check: HealthCheck): Promise<unknown> => {
      const error = await failureOf(check);
      onResult(endpoint, check.name, error === undefined);
      return error;
    };
    if (match[2] === undefined) {
      await answerAll(request, endpoint, checks[endpoint], run, onFailure);
      return true;
    }
    const check = checks[endpoint].find((c) => c.name === match[2]);
    if (!check) return false;
    const error = await run(check);
    if (error === undefined) sendText(request, 200, 'ok');
    else sendText(request, 500, `internal server error: ${textOf(error)}\n`, NOSNIFF);
    return true;
  };
}

/** Paths for the index of paths at `/`. */
export function healthPaths(checks: HealthChecks): string[] {
  return Object.entries(checks).flatMap(([endpoint, list]) => [
    `/${endpoint}`,
    ...(list as readonly HealthCheck[]).map((c) => `/${endpoint}/${c.name}`),
  ]);
}

const NOSNIFF = { 'X-Content-Type-Options': 'nosniff' };

async function answerAll(
  request: ApiRequest,
  endpoint: HealthEndpoint,
  checks: readonly HealthCheck[],
  run: (check: HealthCheck) => Promise<unknown>,
  onFailure: (endpoint: HealthEndpoint, failures: readonly HealthFailure[]) => void,
): Promise<void> {
  const excluded = new Set(request.query.getAll('exclude'));
  const failures: HealthFailure[] = [];
  let text = '';
  for (const check of checks) {
    if (excluded.delete(check.name)) {
      text += `[+]${check.name} excluded: ok\n`;
      continue;
    }
    const error = await run(check);
    if (error === undefined) text += `[+]${check.name} ok\n`;
    else {
      failures.push({ name: check.name, error });
      // Everybody may read this page: the reason is for the log.
      text += `[-]${check.name} failed: reason withheld\n`;
    }
  }
  if (excluded.size > 0) {
    const names = [...excluded].sort().map((name) => JSON.stringify(name));
    text += `warn: some health checks cannot be excluded: no matches for ${names.join(',')}\n`;
  }
  if (failures.length > 0) {
    onFailure(endpoint, failures);
    sendText(request, 500, `${text}${endpoint} check failed\n`, NOSNIFF);
  } else {
    sendText(request, 200, request.query.has('verbose') ? `${text}${endpoint} check passed\n` : 'ok', NOSNIFF);
  }
}

async function failureOf(check: HealthCheck): Promise<unknown> {
  try {
    await check.check();
    return undefined;
  } catch (error) {
    return error ?? new Error('failed');
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`;
}
