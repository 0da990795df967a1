import { StatusError } from '../errors.js';
import { compareBytes, goQuote } from '../go-format.js';
import { type Path, paths, pathText } from './field-set.js';
import type { Managed, Manager } from './managed.js';

export interface Conflict {
  readonly manager: Manager['info'];
  readonly path: Path;
}

/** Fields that an apply would change although others own them. Becomes `conflictError` unless it is allowed to. */
export class Conflicts extends Error {
  readonly list: readonly Conflict[];

  constructor(list: readonly Conflict[]) {
    super('apply conflicts');
    this.list = list;
  }

  static of(sets: Managed): Conflicts {
    const ids = [...sets.keys()].sort(compareBytes);
    return new Conflicts(
      ids.flatMap((id) => [...paths(sets.get(id)!.set)].map((path) => ({ manager: sets.get(id)!.info, path }))),
    );
  }
}

function managerText({ manager, operation, apiVersion, subresource }: Conflict['manager']): string {
  let text = goQuote(manager);
  if (subresource) text += ` with subresource ${goQuote(subresource)}`;
  return operation === 'Update' ? `${text} using ${apiVersion}` : text;
}

/** 409 with one FieldManagerConflict cause for each field. */
export function conflictError({ list }: Conflicts): StatusError {
  const causes = list.map((c) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(c.manager)}`,
    field: pathText(c.path),
  }));
  if (list.length === 1) {
    const only = `Apply failed with 1 conflict: ${causes[0]!.message}: ${causes[0]!.field}`;
    return new StatusError(409, 'Conflict', only, { causes });
  }
  const lines: string[] = [];
  for (const [i, c] of list.entries()) {
    if (c.manager !== list[i - 1]?.manager) lines.push(`conflicts with ${managerText(c.manager)}:`);
    lines.push(`- ${pathText(c.path)}`);
  }
  return new StatusError(409, 'Conflict', `Apply failed with ${list.length} conflicts: ${lines.join('\n')}`, {
    causes,
  });
}
