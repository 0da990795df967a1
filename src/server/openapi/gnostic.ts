import { encodeRaw } from '../../machinery/codec/json/encode.js';
import { ProtoWriter } from '../../machinery/codec/protobuf/writer.js';
import { formatYaml } from '../../machinery/codec/yaml/format.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../machinery/json.js';
import type { Dialect } from './contract.js';
import { type Kind, MESSAGES, type Message } from './gnostic-messages.js';
import { Pace } from './pace.js';

/**
 * An OpenAPI document in the protobuf form of the gnostic project (`openapi.v2.Document`, `openapi.v3.Document`), which
 * kubectl asks for. Values of no fixed shape (extensions, defaults, enums) are carried as YAML text.
 */
export async function encodeGnostic(document: JsonObject, dialect: Dialect): Promise<Buffer> {
  const pieces = await new Encoder().chunks(`${dialect}.Document`, document, 2);
  return Buffer.concat(pieces);
}

class Encoder {
  readonly #pace = new Pace();
  /** Extensions repeat all over: each text is made once. */
  readonly #yaml = new Map<string, string>();

  /** A message's bytes without its length; the entries of the upper `depth` levels are made one after the other. */
  async chunks(kind: Kind, value: JsonValue, depth: number): Promise<Buffer[]> {
    const message = MESSAGES[kind]!;
    if (depth === 0 || !isJsonObject(value) || message.choose)
      return [this.#alone((w) => this.#message(w, message, value))];
    const out: Buffer[] = [];
    for (const [key, part] of Object.entries(value)) {
      if (part === undefined) continue;
      const field = message.fields?.[key];
      if (field && isJsonObject(part) && MESSAGES[field[1]]) {
        const inner = await this.chunks(field[1], part, depth - 1);
        const length = inner.reduce((n, b) => n + b.length, 0);
        out.push(
          this.#alone((w) => {
            w.varint(length);
            w.varint(field[0] * 8 + 2);
          }),
          ...inner,
        );
      } else out.push(this.#alone((w) => this.#member(w, message, key, part)));
      await this.#pace.step();
    }
    return out;
  }

  #alone(write: (w: ProtoWriter) => void): Buffer {
    const w = new ProtoWriter(1024);
    write(w);
    return w.finish();
  }

  /** Written back to front, as the writer wants it. */
  #message(w: ProtoWriter, message: Message, value: JsonValue): void {
    if (message.choose) {
      const chosen = message.choose(value);
      if (chosen) this.#field(w, chosen[0], chosen[1], value);
    } else if (message.list) {
      const items = Array.isArray(value) ? value : [value];
      for (let i = items.length - 1; i >= 0; i--) this.#field(w, message.list[0], message.list[1], items[i]!);
    } else if (isJsonObject(value)) {
      const entries = Object.entries(value);
      for (let i = entries.length - 1; i >= 0; i--) {
        const [key, part] = entries[i]!;
        if (part !== undefined) this.#member(w, message, key, part);
      }
    }
  }

  #member(w: ProtoWriter, message: Message, key: string, value: JsonValue): void {
    const field = message.fields && Object.hasOwn(message.fields, key) ? message.fields[key] : undefined;
    if (field) {
      const repeated = Array.isArray(value) && !MESSAGES[field[1]]?.list;
      const items = repeated ? (value as JsonValue[]) : [value];
      for (let i = items.length - 1; i >= 0; i--) this.#field(w, field[0], field[1], items[i]!);
    } else if (message.extensions && key.startsWith('x-')) this.#named(w, message.extensions, 'any', key, value);
    else if (message.entries) this.#named(w, message.entries[0], message.entries[1], key, value);
  }

  /** An entry of a map: name = 1, value = 2. */
  #named(w: ProtoWriter, number: number, kind: Kind, name: string, value: JsonValue): void {
    const mark = w.length;
    this.#field(w, 2, kind, value);
    w.string(name);
    w.varint(0x0a);
    w.lengthSince(mark);
    w.varint(number * 8 + 2);
  }

  #field(w: ProtoWriter, number: number, kind: Kind, value: JsonValue): void {
    const mark = w.length;
    switch (kind) {
      case 'string':
        w.string(String(value));
        w.varint(number * 8 + 2);
        return;
      case 'bool':
        w.varint(value === true ? 1 : 0);
        w.varint(number * 8);
        return;
      case 'int':
        w.int(typeof value === 'bigint' ? value : Number(value));
        w.varint(number * 8);
        return;
      case 'double':
        w.double(Number(value));
        w.varint(number * 8 + 1);
        return;
      case 'any':
        w.string(this.#yamlOf(value));
        w.varint(0x12);
        break;
      default: {
        const message = MESSAGES[kind];
        if (!message) throw new Error(`no message ${kind}`);
        this.#message(w, message, value);
      }
    }
    w.lengthSince(mark);
    w.varint(number * 8 + 2);
  }

  #yamlOf(value: JsonValue): string {
    const key = encodeRaw(value);
    let text = this.#yaml.get(key);
    if (text === undefined) {
      text = formatYaml(value);
      this.#yaml.set(key, text);
    }
    return text;
  }
}
