import type { YAMLException } from 'js-yaml';
import { MAX_DEPTH } from '../json/parse.js';

const NO_TOKEN = 'found character that cannot start any token';
const NO_VALUE = 'mapping values are not allowed in this context';

/** A scanner's fault names its line, a parser's the line before (libyaml counts from zero and Go adds one to few). */
type Origin = 'scanner' | 'parser';

const MESSAGES: [RegExp, string, Origin][] = [
  [/tab characters must not be used/, NO_TOKEN, 'scanner'],
  [/bad indentation of a sequence entry/, "did not find expected '-' indicator", 'parser'],
  [/bad indentation of a mapping entry/, 'did not find expected key', 'parser'],
  [/multiline key may not be|expected ':' after a mapping key/, "could not find expected ':'", 'scanner'],
  [/within a (?:double|single) quoted scalar/, 'found unexpected end of stream', 'scanner'],
  [/unknown escape sequence/, 'found unknown escape character', 'scanner'],
  [/expected hexadecimal character/, 'did not find expected hexdecimal number', 'scanner'],
  [/non-printable characters/, 'control characters are not allowed', 'parser'],
  [/document separator is expected/, 'did not find expected <document start>', 'parser'],
  [/undeclared tag handle/, 'found undefined tag handle', 'parser'],
  [/name of an? (?:alias|anchor) node/, 'did not find expected alphabetic or numeric character', 'scanner'],
  [/nesting exceeded/, `exceeded max depth of ${MAX_DEPTH}`, 'scanner'],
  [/expected the node content/, 'did not find expected node content', 'parser'],
];

/** The reader's fault in the words of libyaml, which Go's errors hold. One that it has no words for keeps the reader's. */
export function goYamlMessage(e: YAMLException, source: string): string {
  const at = e.mark?.position ?? source.length;
  const line = e.mark?.line ?? 0;
  if (/within a flow collection|missed comma between flow/.test(e.reason)) {
    const text = `did not find expected ',' or '${closerAt(source, at)}'`;
    // The end of the stream counts as a line of its own.
    const ended = at >= source.trimEnd().length;
    return placed(ended ? source.replace(/\n$/, '').split('\n').length : line, text);
  }
  const special = specialCase(e.reason, source, at);
  if (special) return placed(line > 0 ? line + 1 : 0, special);
  const known = MESSAGES.find(([pattern]) => pattern.test(e.reason));
  if (!known) return `yaml: ${e.reason}`;
  return placed(known[2] === 'scanner' && line > 0 ? line + 1 : line, known[1]);
}

/** What the scanner would have stumbled over before the parser had a say. */
function specialCase(reason: string, source: string, at: number): string | undefined {
  const lineStart = source.lastIndexOf('\n', at - 1) + 1;
  const newline = source.indexOf('\n', at);
  const rest = source.slice(at, newline < 0 ? undefined : newline);
  if (/^ *\t/.test(source.slice(lineStart, at + 1)) || /^[@`]/.test(rest)) return NO_TOKEN;
  if (/document separator|bad indentation of a mapping/.test(reason) && /^[^#"']*:(?:\s|$)/.test(rest)) return NO_VALUE;
  return undefined;
}

function placed(line: number, text: string): string {
  return line > 0 ? `yaml: line ${line}: ${text}` : `yaml: ${text}`;
}

/** The bracket that would close the flow collection around the position. */
function closerAt(source: string, position: number): string {
  let depth = 0;
  for (let i = Math.min(position, source.length) - 1; i >= 0; i--) {
    const c = source[i]!;
    if (c === ']' || c === '}') depth++;
    else if ((c === '[' || c === '{') && depth-- === 0) return c === '{' ? '}' : ']';
  }
  return ']';
}
