import { StatusError } from '../../machinery/errors.js';
import { goQuote } from '../../machinery/go-format.js';

const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * The number in a resourceVersion; '' and '0' are 0. What is not a uint64 fails in the words of the real server: code
 * 500 without a reason, which is what get and watch answer; list makes a BadRequest of it.
 */
export function parseResourceVersion(text: string): number | bigint {
  if (text === '' || text === '0') return 0;
  const fail = (why: string) => {
    const quoted = goQuote(text);
    const message = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`;
    return new StatusError(500, '', message);
  };
  if (!/^[0-9]+$/.test(text)) throw fail('invalid syntax');
  const n = BigInt(text);
  if (n > MAX_UINT64) throw fail('value out of range');
  return n <= Number.MAX_SAFE_INTEGER ? Number(n) : n;
}

/** The client asks for a revision that is not there yet, after some waiting. */
export function tooLargeResourceVersion(requested: number | bigint, current: number): StatusError {
  return new StatusError(504, 'Timeout', `Timeout: Too large resource version: ${requested}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}
