import { isJsonObject, type JsonObject, type JsonValue } from '../machinery/json.js';
import { readCatalogFile } from '../machinery/scheme/catalog.js';
import type { Field, SchemaNode, Type } from '../machinery/scheme/type.js';

/** Fields whose gate the published comments leave out or give under an older name. */
const GATES: Readonly<Record<string, string>> = {
  'io.k8s.api.core.v1.Lifecycle.stopSignal': 'ContainerStopSignals',
  'io.k8s.api.core.v1.VolumeProjection.podCertificate': 'PodCertificateRequest',
};

let switchable: Set<string> | undefined;
/** Gates that can be off at all: those that are not locked. */
function canBeOff(gate: string): boolean {
  switchable ??= new Set(
    (JSON.parse(readCatalogFile('feature-gates.json')) as string[][])
      .filter(([, , on, , history]) => on !== 'True' || !history?.endsWith('!'))
      .map(([name]) => name!),
  );
  return switchable.has(gate);
}

interface Gated {
  readonly own: readonly { name: string; gate: string }[];
  readonly below: readonly { name: string; node: SchemaNode; type: Type }[];
}
const known = new Map<Type, Gated>();

function elementType(node: SchemaNode): Type | undefined {
  const inner = node.items ?? node.values;
  if (inner) return elementType(inner);
  return node.kind === 'struct' ? node.type : undefined;
}
const gateOf = (type: Type, f: Field) => GATES[`${type.name}.${f.name}`] ?? f.gate;

function gatedBelow(type: Type, path: Set<Type>): boolean {
  if (path.has(type)) return false;
  path.add(type);
  const yes = type.fields.some((f) => {
    const gate = gateOf(type, f);
    const t = elementType(f.node);
    return (gate !== undefined && canBeOff(gate)) || (t !== undefined && gatedBelow(t, path));
  });
  path.delete(type);
  return yes;
}

function gated(type: Type): Gated {
  let g = known.get(type);
  if (!g) {
    const own = type.fields.flatMap((f) => {
      const gate = gateOf(type, f);
      return gate !== undefined && canBeOff(gate) ? [{ name: f.name, gate }] : [];
    });
    const below = type.fields.flatMap((f) => {
      const t = elementType(f.node);
      return t && gatedBelow(t, new Set()) ? [{ name: f.name, node: f.node, type: t }] : [];
    });
    g = { own, below };
    known.set(type, g);
  }
  return g;
}

/** Calls `found` for each field that is set and whose gate is off. */
function visit(
  type: Type,
  obj: JsonObject,
  gate: (name: string) => boolean,
  found: (holder: JsonObject, field: string, type: Type) => void,
  left: (holder: JsonObject, field: string, value: JsonObject) => void = () => {},
): void {
  const g = gated(type);
  for (const f of g.own) if (obj[f.name] !== undefined && !gate(f.gate)) found(obj, f.name, type);
  const down = (v: JsonValue | undefined, t: Type): void => {
    if (Array.isArray(v)) for (const e of v) down(e, t);
    else if (isJsonObject(v)) visit(t, v, gate, found, left);
  };
  for (const f of g.below) {
    const v = obj[f.name];
    if (f.node.kind === 'map' && isJsonObject(v)) for (const e of Object.values(v)) down(e, f.type);
    else down(v, f.type);
    if (f.node.kind === 'struct' && isJsonObject(v)) left(obj, f.name, v);
  }
}

/**
 * Takes out the fields of features that are off, as if the client had not sent them; those that the stored object
 * already uses stay, so that turning a feature off destroys nothing.
 */
export function dropDisabledFields(
  type: Type,
  obj: JsonObject,
  old: JsonObject | undefined,
  gate: (name: string) => boolean,
): void {
  const inUse = new Set<string>();
  if (old) visit(type, old, gate, (_, field, t) => inUse.add(`${t.name}.${field}`));
  const emptied = new Set<JsonObject>();
  visit(
    type,
    obj,
    gate,
    (holder, field, t) => {
      if (inUse.has(`${t.name}.${field}`)) return;
      delete holder[field];
      if (Object.keys(holder).length === 0) emptied.add(holder);
    },
    // A struct that held nothing else was only there for the feature.
    (holder, field, value) => {
      if (emptied.has(value)) delete holder[field];
    },
  );
}
