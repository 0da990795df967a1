import { isUtf8 } from 'node:buffer';
import { EVENT_ID, type Event, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import { type JsonObject, type JsonValue, setOwn } from '../../json.js';
import { DecodeError } from '../errors.js';
import { sortedKeys } from '../json/encode.js';
import { MAX_DEPTH } from '../json/parse.js';
import { goYamlMessage } from './messages.js';
import { resolvePlain } from './resolve.js';

export interface ParsedYaml {
  /** The value as JSON, all keys sorted bytewise. */
  value: JsonValue;
  /** What strict reading finds: nothing, or one text that lists every repeated key by line. */
  duplicates: string[];
}

/**
 * Reads the first document of a YAML text (or JSON, which is YAML) by the rules of Go's YAML 1.1 reader: `yes` and `on`
 * are booleans, 0777 is octal, timestamps are strings, `<<` merges, int64 is exact, keys become strings. A repeated
 * key's last value wins. Nesting and the growth through aliases are bounded. Throws DecodeError with Go's message.
 */
export function parseYaml(input: Uint8Array | string): ParsedYaml {
  const source = firstDocument(textOf(input));
  let events: Event[];
  try {
    events = parseEvents(source, { maxDepth: MAX_DEPTH });
  } catch (e) {
    if (e instanceof YAMLException) throw new DecodeError(goYamlMessage(e, source));
    throw e;
  }
  const builder = new Builder(source);
  const root = new Composer(source, events).compose();
  const value = root ? builder.build(root) : null;
  const lines = builder.repeated;
  return { value, duplicates: lines.length > 0 ? [`yaml: unmarshal errors:\n${lines.join('\n')}`] : [] };
}

function textOf(input: Uint8Array | string): string {
  if (typeof input === 'string') return input;
  if (!isUtf8(input)) throw new DecodeError('yaml: invalid leading UTF-8 octet');
  const text = Buffer.from(input.buffer, input.byteOffset, input.byteLength).toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** Cuts a stream behind its first document: Go never looks at the rest. */
function firstDocument(text: string): string {
  let started = false;
  const line = /^.*$/gm;
  for (let m = line.exec(text); m; m = line.exec(text)) {
    const end = /^\.\.\.(?:\s|$)/.test(m[0]);
    const marker = /^---(?:\s|$)/.test(m[0]);
    if ((marker && started) || (end && started)) return text.slice(0, m.index);
    if (marker || !/^(?:\s*(?:#.*)?|%.*)$/.test(m[0])) started = true;
    if (m[0] === '') line.lastIndex++;
  }
  return text;
}

/** As many repeated keys are named as strict JSON names. */
const MAX_REPEATED = 100;

interface YamlNode {
  kind: 'scalar' | 'sequence' | 'mapping' | 'alias';
  /** Offset in the source, for line numbers. */
  start: number;
  /** Explicit tag as written, e.g. `!!str`. */
  tag: string;
  /** Text of a scalar. */
  text: string;
  plain: boolean;
  /** Items, or keys and values by turns. */
  children: YamlNode[];
  /** What an alias stands for. */
  target?: YamlNode;
}

/** Makes nodes of the flat events. */
class Composer {
  readonly #source: string;
  readonly #events: Event[];
  readonly #anchors = new Map<string, YamlNode>();

  constructor(source: string, events: Event[]) {
    this.#source = source;
    this.#events = events;
  }

  compose(): YamlNode | undefined {
    let root: YamlNode | undefined;
    const open: YamlNode[] = [];
    let documents = 0;
    for (const event of this.#events) {
      if (event.type === EVENT_ID.DOCUMENT) {
        if (++documents > 1) break;
      } else if (event.type === EVENT_ID.POP) open.pop();
      else {
        const node = this.#node(event);
        const parent = open[open.length - 1];
        if (parent) parent.children.push(node);
        else root ??= node;
        if (node.kind === 'sequence' || node.kind === 'mapping') open.push(node);
      }
    }
    return root;
  }

  #node(event: Exclude<Event, { type: 1 | 6 }>): YamlNode {
    const node: YamlNode = { kind: 'scalar', start: 0, tag: '', text: '', plain: false, children: [] };
    if (event.type === EVENT_ID.ALIAS) {
      const name = this.#source.slice(event.anchorStart, event.anchorEnd);
      const target = this.#anchors.get(name);
      if (!target) throw new DecodeError(`yaml: unknown anchor '${name}' referenced`);
      return { ...node, kind: 'alias', start: event.anchorStart, target, text: name };
    }
    if (event.tagStart >= 0) node.tag = this.#source.slice(event.tagStart, event.tagEnd);
    if (event.type === EVENT_ID.SCALAR) {
      node.text = getScalarValue(this.#source, event);
      node.plain = event.style === SCALAR_STYLE.PLAIN;
      node.start = event.valueStart;
    } else {
      node.kind = event.type === EVENT_ID.SEQUENCE ? 'sequence' : 'mapping';
      node.start = event.start;
    }
    if (event.anchorStart >= 0) this.#anchors.set(this.#source.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }
}

/** Turns nodes into JSON values and counts what aliases add, by the limits that go-yaml documents. */
class Builder {
  /** `  line 7: key "data" already set in map` */
  readonly repeated: string[] = [];
  readonly #source: string;
  readonly #inside = new Set<YamlNode>();
  #lineStarts: number[] | undefined;
  #built = 0;
  #aliased = 0;
  #aliasDepth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  build(node: YamlNode, depth = 0): JsonValue {
    this.#built++;
    if (this.#aliasDepth > 0) this.#aliased++;
    if (this.#aliased > 100 && this.#built > 1000 && this.#aliased / this.#built > allowedAliasRatio(this.#built)) {
      throw new DecodeError('yaml: document contains excessive aliasing');
    }
    if (depth > MAX_DEPTH) throw new DecodeError(`yaml: exceeded max depth of ${MAX_DEPTH}`);
    switch (node.kind) {
      case 'alias':
        return this.#alias(node, (target) => this.build(target, depth + 1));
      case 'sequence':
        return node.children.map((child) => this.build(child, depth + 1));
      case 'mapping':
        return this.#mapping(node, depth);
      default:
        return scalar(node);
    }
  }

  #alias<T>(node: YamlNode, use: (target: YamlNode) => T): T {
    const target = node.target!;
    if (this.#inside.has(node)) throw new DecodeError(`yaml: anchor '${node.text}' value contains itself`);
    this.#inside.add(node);
    this.#aliasDepth++;
    const out = use(target);
    this.#aliasDepth--;
    this.#inside.delete(node);
    return out;
  }

  #mapping(node: YamlNode, depth: number): JsonObject {
    const out = new Map<string, JsonValue>();
    this.#fill(node, out, depth);
    const unsorted: JsonObject = {};
    for (const [key, value] of out) setOwn(unsorted, key, value);
    const sorted: JsonObject = {};
    for (const key of sortedKeys(unsorted)) setOwn(sorted, key, out.get(key)!);
    return sorted;
  }

  #fill(node: YamlNode, out: Map<string, JsonValue>, depth: number): void {
    for (let i = 0; i + 1 < node.children.length; i += 2) {
      const keyNode = node.children[i]!;
      const valueNode = node.children[i + 1]!;
      if (isMerge(keyNode)) this.#merge(valueNode, out, depth + 1);
      else {
        const key = this.#key(keyNode, depth);
        const value = this.build(valueNode, depth + 1);
        if (out.has(key) && this.repeated.length < MAX_REPEATED) {
          this.repeated.push(`  line ${this.#line(valueNode)}: key ${shownKey(keyNode, key)} already set in map`);
        }
        out.set(key, value);
      }
    }
  }

  #merge(node: YamlNode, out: Map<string, JsonValue>, depth: number): void {
    const one = (n: YamlNode): void => {
      if (depth > MAX_DEPTH) throw new DecodeError(`yaml: exceeded max depth of ${MAX_DEPTH}`);
      if (n.kind === 'alias') this.#alias(n, one);
      else if (n.kind === 'mapping') {
        this.build(n, depth); // counts what the merge adds
        this.#fill(n, out, depth);
      } else throw new DecodeError('yaml: map merge requires map or sequence of maps as the value');
    };
    if (node.kind === 'sequence') for (const child of [...node.children].reverse()) one(child);
    else one(node);
  }

  #key(node: YamlNode, depth: number): string {
    const key = this.build(node, depth + 1);
    if (typeof key === 'string') return key;
    if (typeof key === 'number' && !Number.isInteger(key))
      return String(Math.fround(key) === key ? key : Number(key.toPrecision(7)));
    if (key === null) throw new DecodeError('unsupported map key of type: %!s(<nil>), key: <nil>, value: <nil>');
    if (typeof key === 'object') throw new DecodeError(`yaml: invalid map key: ${JSON.stringify(key)}`);
    return String(key);
  }

  #line(node: YamlNode): number {
    this.#lineStarts ??= lineStarts(this.#source);
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= node.start) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

function lineStarts(source: string): number[] {
  const starts = [0];
  for (let i = source.indexOf('\n'); i >= 0; i = source.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

function isMerge(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.text === '<<' && (node.plain || node.tag === '!!merge');
}

function shownKey(node: YamlNode, key: string): string {
  return typeof scalar(node) === 'string' ? JSON.stringify(key) : key;
}

/** How much of what is built may come from aliases: 99 % of small documents, 10 % of very large ones. */
function allowedAliasRatio(built: number): number {
  if (built <= 400_000) return 0.99;
  if (built >= 4_000_000) return 0.1;
  return 0.99 - (0.89 * (built - 400_000)) / 3_600_000;
}

function scalar(node: YamlNode): JsonValue {
  const { tag, text } = node;
  if (tag === '' || tag === '!') return node.plain && tag === '' ? jsonOf(resolvePlain(text).value) : text;
  const name = tag.replace(/^!<tag:yaml\.org,2002:(.*)>$/, '!!$1');
  if (name === '!!str') return text;
  if (name === '!!binary') return Buffer.from(checkedBase64(text), 'base64').toString('utf8');
  if (!['!!bool', '!!int', '!!float', '!!null', '!!timestamp'].includes(name)) return text;
  const resolved = resolvePlain(text);
  const fits = `!!${resolved.tag}` === name || (name === '!!float' && resolved.tag === 'int');
  if (!fits) throw new DecodeError(`yaml: cannot decode !!${resolved.tag} \`${text}\` as a ${name}`);
  return jsonOf(resolved.value);
}

function checkedBase64(text: string): string {
  const plain = text.replace(/[\r\n]/g, '');
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(plain) && plain.length % 4 === 0) return plain;
  throw new DecodeError('yaml: !!binary value contains invalid base64 data');
}

function jsonOf(value: JsonValue): JsonValue {
  if (typeof value !== 'number' || Number.isFinite(value)) return value;
  throw new DecodeError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
}
