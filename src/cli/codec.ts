import type { BodyFormat } from '../machinery/codec/body.js';
import { decodeAny } from '../machinery/codec/body.js';
import { isSelfDescribedCbor } from '../machinery/codec/cbor/decode.js';
import { encodeCbor } from '../machinery/codec/cbor/encode.js';
import { DecodeError } from '../machinery/codec/errors.js';
import { encodeUnstructured, jsonEncoder, prettyJson } from '../machinery/codec/json/encode.js';
import { parseJson } from '../machinery/codec/json/parse.js';
import { encodeEnvelope, hasProtobufPrefix } from '../machinery/codec/protobuf/envelope.js';
import { formatYaml } from '../machinery/codec/yaml/format.js';
import type { GroupVersionKind, KubeObject } from '../machinery/json.js';
import { apiVersionOf } from '../machinery/json.js';
import { catalog } from '../machinery/scheme/catalog.js';

const USAGE = `Usage:
  porthole codec decode                                < object > object.json
  porthole codec encode --to json|yaml|protobuf|cbor   < object > object.out

Reads one Kubernetes object from standard input and writes it in another encoding. Protobuf (with its k8s prefix) and
self-described CBOR are recognized; anything else is read as JSON or YAML. decode writes indented JSON.
`;

interface Output {
  write(chunk: Uint8Array | string): unknown;
}

/**
 * `porthole codec`: translates one object between the encodings of the API.
 *
 * @param argv what follows `codec` on the command line
 * @returns the exit code: 0, 1 when the object cannot be read or written, 2 for a wrong command line
 */
export async function runCodec(
  argv: readonly string[],
  stdin: AsyncIterable<Uint8Array | string>,
  stdout: Output,
  stderr: Output,
): Promise<number> {
  if (argv[0] === '--help' || argv[0] === '-h') {
    stdout.write(USAGE);
    return 0;
  }
  const format = outputFormat(argv);
  if (!format) {
    stderr.write(USAGE);
    return 2;
  }
  try {
    stdout.write(encode(await readAll(stdin), format));
    return 0;
  } catch (e) {
    if (!(e instanceof DecodeError)) throw e;
    stderr.write(`error: ${e.message}\n`);
    return 1;
  }
}

function outputFormat(argv: readonly string[]): BodyFormat | undefined {
  const [command, ...rest] = argv;
  if (command === 'decode') return rest.length === 0 ? 'json' : undefined;
  if (command !== 'encode') return undefined;
  const to = rest.length === 1 && rest[0]!.startsWith('--to=') ? rest[0]!.slice(5) : rest[0] === '--to' ? rest[1] : '';
  const count = rest[0] === '--to' ? 2 : 1;
  return rest.length === count && (to === 'json' || to === 'yaml' || to === 'protobuf' || to === 'cbor')
    ? to
    : undefined;
}

function encode(input: Buffer, to: BodyFormat): Buffer | string {
  const { object, gvk } = decode(input);
  const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
  if (to === 'protobuf') {
    if (!type?.fields.some((f) => f.protobuf)) {
      throw new DecodeError(`${apiVersionOf(gvk)} ${gvk.kind} has no protobuf form`);
    }
    return encodeEnvelope(type, gvk, object);
  }
  const json = jsonText(object, gvk);
  if (to === 'json') return `${prettyJson(json)}\n`;
  return to === 'yaml' ? formatYaml(parseJson(json)) : encodeCbor(parseJson(json), type);
}

function decode(input: Buffer): ReturnType<typeof decodeAny> {
  if (hasProtobufPrefix(input)) return decodeAny(input, 'protobuf');
  if (isSelfDescribedCbor(input)) return decodeAny(input, 'cbor');
  // JSON is YAML, but only as JSON do free-form parts keep the order of their keys.
  const json = /^\s*\{/.test(input.subarray(0, 1024).toString('latin1')) && isJson(input);
  return decodeAny(input, json ? 'json' : 'yaml');
}

function isJson(input: Buffer): boolean {
  try {
    parseJson(input);
    return true;
  } catch (e) {
    if (e instanceof DecodeError) return false;
    throw e;
  }
}

function jsonText(object: KubeObject, gvk: GroupVersionKind): string {
  const type = catalog().byGvk(gvk.group, gvk.version, gvk.kind);
  return type ? jsonEncoder(type)(object, gvk) : encodeUnstructured(object);
}

async function readAll(stdin: AsyncIterable<Uint8Array | string>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk));
  return Buffer.concat(chunks);
}
