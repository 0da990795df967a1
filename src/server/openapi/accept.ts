import type { Dialect } from './contract.js';

interface Form {
  readonly protobuf: boolean;
  readonly contentType: string;
}

const JSON_FORM: Form = { protobuf: false, contentType: 'application/json' };

/** The form that a client takes, best first by quality; undefined: none of ours. Versions of the protobuf type's name differ in a sign. */
export function acceptable(accept: string | undefined, dialect: Dialect): Form | undefined {
  const protobuf: Form = {
    protobuf: true,
    contentType: `application/com.github.proto-openapi.spec.v${dialect}.v1.0+protobuf`,
  };
  const forms: Record<string, Form> = {
    'application/json': JSON_FORM,
    'application/*': JSON_FORM,
    '*/*': JSON_FORM,
    '*/json': JSON_FORM,
    [protobuf.contentType]: protobuf,
    [`application/com.github.proto-openapi.spec.v${dialect}@v1.0+protobuf`]: protobuf,
  };
  const clauses = (accept || '*/*').split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((p) => p.trim());
    const quality = parameters.find((p) => p.startsWith('q='));
    return { type, quality: quality ? Number(quality.slice(2)) || 0 : 1 };
  });
  clauses.sort((a, b) => b.quality - a.quality);
  for (const { type } of clauses) if (Object.hasOwn(forms, type)) return forms[type];
  return undefined;
}
