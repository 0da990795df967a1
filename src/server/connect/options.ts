import { DecodeError } from '../../machinery/codec/errors.js';
import { parseTime } from '../../machinery/codec/time.js';
import { badRequest, invalid } from '../../machinery/errors.js';
import { type FieldError, forbiddenField, invalidValue, notSupported } from '../../machinery/field.js';
import type { JsonObject } from '../../machinery/json.js';
import { queryBoolean, queryInteger } from '../../registry/options.js';

// The query of a connection is an object of its own kind, which admission gets to see.

/** core.v1.PodExecOptions, and PodAttachOptions, which has no command. */
export function streamOptions(query: URLSearchParams, withCommand: boolean): JsonObject {
  return {
    ...flags(query, 'stdin', 'stdout', 'stderr', 'tty'),
    ...text(query, 'container'),
    ...(withCommand && { command: query.has('command') ? query.getAll('command') : null }),
  };
}

/** core.v1.PodPortForwardOptions. @throws 400 */
export function portForwardOptions(query: URLSearchParams): JsonObject {
  if (!query.has('ports')) return {};
  const ports = query.getAll('ports').map((value) => queryInteger(new URLSearchParams({ value }), 'value') ?? 0);
  return { ports };
}

/** core.v1.PodProxyOptions and its like. */
export const proxyOptions = (path: string): JsonObject => (path ? { path } : {});

/** core.v1.PodLogOptions as far as it is read. */
export interface LogOptions {
  readonly container: string;
  readonly follow: boolean;
  readonly insecureSkipTLSVerifyBackend: boolean;
  /** What the kubelet is asked. */
  readonly query: string;
}

/**
 * @param name of the pod, for the message
 * @throws 400 for what can't be read, 422 for what makes no sense
 */
export function logOptions(query: URLSearchParams, name: string, splitStreams: boolean): LogOptions {
  const sinceSeconds = queryInteger(query, 'sinceSeconds');
  const sinceTime = timeOf(query);
  const tailLines = queryInteger(query, 'tailLines');
  const limitBytes = queryInteger(query, 'limitBytes');
  const stream = query.get('stream') ?? (splitStreams ? 'All' : undefined);
  const errors: FieldError[] = [];
  if (tailLines !== undefined && tailLines < 0)
    errors.push(invalidValue('tailLines', tailLines, 'must be greater than or equal to 0'));
  if (limitBytes !== undefined && limitBytes < 1)
    errors.push(invalidValue('limitBytes', limitBytes, 'must be greater than 0'));
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    errors.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'));
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    errors.push(invalidValue('sinceSeconds', sinceSeconds, 'must be greater than 0'));
  errors.push(...streamFaults(stream, tailLines, splitStreams));
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors);

  const asked = new URLSearchParams();
  for (const flag of ['follow', 'previous', 'timestamps']) if (queryBoolean(query, flag)) asked.set(flag, 'true');
  for (const [key, value] of Object.entries({ sinceSeconds, sinceTime, tailLines, limitBytes })) {
    if (value !== undefined) asked.set(key, `${value}`);
  }
  if (splitStreams && stream) asked.set('stream', stream);
  asked.sort();
  return {
    container: query.get('container') ?? '',
    follow: queryBoolean(query, 'follow') ?? false,
    insecureSkipTLSVerifyBackend: queryBoolean(query, 'insecureSkipTLSVerifyBackend') ?? false,
    query: asked.toString(),
  };
}

const STREAMS = ['All', 'Stderr', 'Stdout'];

function streamFaults(stream: string | undefined, tailLines: number | undefined, split: boolean): FieldError[] {
  if (!split) return stream === undefined ? [] : [forbiddenField('stream', 'may not be specified')];
  if (stream === undefined || !STREAMS.includes(stream)) return [notSupported('stream', stream, STREAMS)];
  return stream !== 'All' && tailLines !== undefined
    ? [forbiddenField('', '`tailLines` and specific `stream` are mutually exclusive for now')]
    : [];
}

function timeOf(query: URLSearchParams): string | undefined {
  const given = query.get('sinceTime');
  if (!given || given === 'null') return undefined;
  try {
    return parseTime(given);
  } catch (e) {
    if (e instanceof DecodeError) throw badRequest(e.message);
    throw e;
  }
}

function flags(query: URLSearchParams, ...names: string[]): JsonObject {
  return Object.fromEntries(names.filter((name) => queryBoolean(query, name)).map((name) => [name, true]));
}

function text(query: URLSearchParams, name: string): JsonObject {
  const value = query.get(name);
  return value ? { [name]: value } : {};
}
