import { catalog } from '../../scheme/catalog.js';
import type { Field, Type } from '../../scheme/type.js';

/** One field of a message. An inline part is flat in JSON and nested in protobuf. */
export interface MessageField {
  number: number;
  /** Name that error texts show. */
  name: string;
  field?: Field;
  part?: MessageLayout;
}

/** The message that a type is on the wire, fields in ascending order. Kind and apiVersion are not part of it. */
export interface MessageLayout {
  name: string;
  fields: MessageField[];
}

export function messageLayout(type: Type): MessageLayout {
  return layout(
    type,
    type.fields.filter((f) => f.inline?.[0] !== 'TypeMeta'),
    0,
  );
}

/** The layout of the fields that stand `depth` inline parts below the type that declares them. */
function layout(owner: Type, fields: readonly Field[], depth: number): MessageLayout {
  const out: MessageField[] = [];
  const parts = new Map<string, Field[]>();
  for (const field of fields) {
    const part = field.inline?.[depth];
    if (part !== undefined) parts.set(part, [...(parts.get(part) ?? []), field]);
    else if (field.protobuf) out.push({ number: field.protobuf[0], name: goFieldName(field.name), field });
  }
  for (const [short, inside] of parts) {
    const part = owner.inlineParts.find(([name]) => name.endsWith(`.${short}`));
    if (!part) throw new Error(`${owner.name} has no inline part ${short}`);
    const [name, number] = part;
    out.push({ number, name: short, part: layout(catalog().type(name), inside, depth + 1) });
  }
  out.sort((a, b) => a.number - b.number);
  return { name: owner.name.slice(owner.name.lastIndexOf('.') + 1), fields: out };
}

function goFieldName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
