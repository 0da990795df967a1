import { goQuote } from '../../machinery/go-format.js';
import { type Backend, hostPort } from './backend.js';
import { goError } from './go-error.js';

/** Always allowed: a server that lacks rules must not be taken for one that is down. */
const CHECKER = { name: 'system:kube-aggregator', groups: ['system:masters'] };
const TIMEOUT_MS = 5_000;
/** A service may have several servers behind it: one that answers is enough. */
const ATTEMPTS = 5;
/** The others are asked when the first one fails or takes longer than this. */
const PATIENCE_MS = 500;
/** The answer itself is of no interest; reading a short one keeps the connection. */
const MAX_BYTES = 64 << 10;

/**
 * Asks an aggregated server for something that it must have.
 *
 * @param path of the document about the group version
 * @returns what is wrong, in kube-apiserver's words; undefined when it answered well
 */
export async function checkDiscovery(backend: Backend, path: string, signal: AbortSignal): Promise<string | undefined> {
  const over = new AbortController();
  const ended = AbortSignal.any([signal, over.signal]);
  const first = attempt(backend, path, ended);
  await Promise.race([first, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())]);
  const settled = await Promise.race([first, Promise.resolve('waiting' as const)]);
  if (settled === undefined) return undefined;
  const others = Array.from({ length: ATTEMPTS - 1 }, () => attempt(backend, path, ended));
  const all = [first, ...others];
  const good = all.map(async (one) => {
    if ((await one) !== undefined) throw new Error();
  });
  try {
    await Promise.any(good);
    return undefined;
  } catch {
    return (await all.at(-1)) ?? undefined;
  } finally {
    over.abort();
  }
}

async function attempt(backend: Backend, path: string, signal: AbortSignal): Promise<string | undefined> {
  if (backend.fault !== undefined) return backend.fault;
  let url: string;
  try {
    const { host, port } = await backend.target();
    url = `https://${hostPort(host, port)}${path}`;
  } catch (e) {
    return e instanceof Error ? e.message : String(e);
  }
  const failing = (why: string) => `failing or missing response from ${url}: ${why}`;
  try {
    const { status } = await backend.fetch({
      path,
      user: CHECKER,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_BYTES,
      beginning: true,
      signal,
    });
    return status >= 200 && status < 300 ? undefined : failing(`bad status from ${url}: ${status}`);
  } catch (e) {
    const late = e instanceof Error && e.name === 'TimeoutError';
    const why = late ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : goError(e);
    return failing(`Get ${goQuote(url)}: ${why}`);
  }
}
