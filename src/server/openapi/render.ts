import type { JsonObject } from '../../machinery/json.js';
import { type Dialect, type Operation, type Parameter, type PathItem, refTo } from './contract.js';

const TEXTS: Record<string, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' };

/** A path with its operations. Parameters that all of them share are written once. */
export function renderPath(item: PathItem, dialect: Dialect, shared?: SharedParameters): JsonObject {
  const operations = Object.entries(item);
  const first = operations[0]?.[1].parameters ?? [];
  const common = first.filter((p) => operations.every(([, op]) => op.parameters.some((q) => q.name === p.name)));
  const names = new Set(common.map((p) => p.name));
  const out: JsonObject = {};
  for (const [method, op] of operations) {
    const own = op.parameters.filter((p) => !names.has(p.name));
    out[method] = dialect === 2 ? operationV2(op, own, shared) : operationV3(op, own);
  }
  if (common.length > 0) out.parameters = common.map((p) => renderParameter(p, dialect, shared));
  return out;
}

/** The top-level `parameters` of Swagger 2.0. */
export class SharedParameters {
  readonly definitions: JsonObject = {};
  /** The same few parameters come again and again: they are told apart by identity before they are by value. */
  readonly #references = new Map<Parameter, JsonObject>();
  readonly #byValue = new Map<string, JsonObject>();
  /** How many there are of a name. */
  readonly #taken = new Map<string, number>();

  reference(parameter: Parameter): JsonObject {
    const known = this.#references.get(parameter);
    if (known) return known;
    const value = inlineParameter(parameter, 2);
    const key = JSON.stringify(value);
    let reference = this.#byValue.get(key);
    if (!reference) {
      const number = (this.#taken.get(parameter.name) ?? 0) + 1;
      this.#taken.set(parameter.name, number);
      const name = `${parameter.name}-${number}`;
      reference = { $ref: `#/parameters/${name}` };
      this.#byValue.set(key, reference);
      this.definitions[name] = value;
    }
    this.#references.set(parameter, reference);
    return reference;
  }
}

function renderParameter(p: Parameter, dialect: Dialect, shared: SharedParameters | undefined): JsonObject {
  return shared ? shared.reference(p) : inlineParameter(p, dialect);
}

function inlineParameter(p: Parameter, dialect: Dialect): JsonObject {
  const head: JsonObject = { name: p.name, in: p.in };
  if (p.description) head.description = p.description;
  if (p.in === 'path') head.required = true;
  const type: JsonObject = { type: p.type, uniqueItems: true };
  return dialect === 2 ? { ...head, ...type } : { ...head, schema: type };
}

function operationV3(op: Operation, parameters: readonly Parameter[]): JsonObject {
  const out = head(op);
  if (parameters.length > 0) out.parameters = parameters.map((p) => inlineParameter(p, 3));
  if (op.body) {
    const schema = { $ref: refTo(op.body.type, 3) };
    const content = Object.fromEntries(op.body.media.map((m) => [m, { schema }]));
    out.requestBody = op.body.required ? { content, required: true } : { content };
  }
  const responses: JsonObject = {};
  for (const [code, type] of Object.entries(op.responses)) {
    const schema = schemaOf(type, 3);
    const content = Object.fromEntries(op.produces.map((m) => [m, { schema }]));
    responses[code] = { description: TEXTS[code] ?? '', content };
  }
  out.responses = { ...responses, 401: { description: TEXTS[401]! } };
  return { ...out, ...extensions(op) };
}

function operationV2(op: Operation, parameters: readonly Parameter[], shared?: SharedParameters): JsonObject {
  const out = head(op);
  out.consumes = op.body ? [...op.body.media] : ['*/*'];
  out.produces = [...op.produces];
  const body = op.body && {
    name: 'body',
    in: 'body',
    ...(op.body.required ? { required: true } : {}),
    schema: { $ref: refTo(op.body.type, 2) },
  };
  const all = [...(body ? [body] : []), ...parameters.map((p) => renderParameter(p, 2, shared))];
  if (all.length > 0) out.parameters = all;
  const responses: JsonObject = {};
  for (const [code, type] of Object.entries(op.responses)) {
    responses[code] = { description: TEXTS[code] ?? '', schema: schemaOf(type, 2) };
  }
  out.responses = { ...responses, 401: { description: TEXTS[401]! } };
  out.schemes = ['https'];
  return { ...out, ...extensions(op) };
}

function head(op: Operation): JsonObject {
  return { description: op.description, operationId: op.id, tags: [op.tag] };
}

function extensions(op: Operation): JsonObject {
  const out: JsonObject = {};
  if (op.action) out['x-kubernetes-action'] = op.action;
  if (op.gvk) out['x-kubernetes-group-version-kind'] = { ...op.gvk };
  return out;
}

function schemaOf(type: string, dialect: Dialect): JsonObject {
  return type === 'string' ? { type: 'string' } : { $ref: refTo(type, dialect) };
}
