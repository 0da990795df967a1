import { badRequest } from '../errors.js';
import { compareBytes, goQuote } from '../go-format.js';
import type { JsonObject } from '../json.js';
import { parseRequirements } from './label-parser.js';
import {
  checkRequirement,
  compileRequirement,
  type LabelOperator,
  type LabelPredicate,
  type LabelRequirement,
  type Labels,
  requirementText,
} from './label-requirement.js';

/** All requirements must hold. Immutable. */
export class LabelSelector {
  readonly requirements: readonly LabelRequirement[];
  readonly matches: LabelPredicate;

  constructor(requirements: readonly LabelRequirement[]) {
    this.requirements = [...requirements].sort((a, b) => compareBytes(a.key, b.key));
    this.matches = conjunction(this.requirements.map(compileRequirement));
  }

  /** Whether it lets everything pass. */
  get empty(): boolean {
    return this.requirements.length === 0;
  }

  /** The canonical text: requirements by key, values sorted. */
  toString(): string {
    return this.requirements.map(requirementText).join(',');
  }

  /** The one value that this label must have, if the first requirement on it says so: lets an index answer. */
  exactValue(key: string): string | undefined {
    const r = this.requirements.find((q) => q.key === key);
    return r && ['=', '==', 'in'].includes(r.operator) && r.values.length === 1 ? r.values[0] : undefined;
  }
}

function conjunction(predicates: readonly LabelPredicate[]): LabelPredicate {
  const [first, second] = predicates;
  if (!first) return () => true;
  if (!second) return first;
  if (predicates.length === 2) return (labels) => first(labels) && second(labels);
  return (labels) => {
    for (const p of predicates) if (!p(labels)) return false;
    return true;
  };
}

export const EVERYTHING = new LabelSelector([]);

/** A selector that no object matches: what an absent LabelSelector means where one is required. */
class NothingSelector extends LabelSelector {
  override readonly matches = (): boolean => false;
  override get empty(): boolean {
    return false;
  }
  override toString(): string {
    return '';
  }
}
export const NOTHING: LabelSelector = new NothingSelector([]);

/**
 * The selector in a `labelSelector` query parameter.
 * @throws StatusError 400 with the message of kube-apiserver
 */
export function parseLabelSelector(text: string): LabelSelector {
  if (text === '') return EVERYTHING;
  try {
    return new LabelSelector(parseRequirements(text));
  } catch (e) {
    throw badRequest((e as Error).message);
  }
}

const OBJECT_OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * The meaning of a meta.v1.LabelSelector object: absent matches nothing, empty matches everything.
 * @throws Error that names what is wrong; objects that passed validation never throw
 */
export function labelSelectorOf(object: JsonObject | undefined | null): LabelSelector {
  if (!object) return NOTHING;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries((object.matchLabels ?? {}) as Labels)) {
    requirements.push(checkRequirement({ key, operator: '=', values: [value ?? ''] }));
  }
  for (const e of (object.matchExpressions ?? []) as { key?: string; operator?: string; values?: string[] }[]) {
    const operator = Object.hasOwn(OBJECT_OPERATORS, e.operator ?? '') ? OBJECT_OPERATORS[e.operator ?? ''] : undefined;
    if (!operator) throw new Error(`${goQuote(e.operator ?? '')} is not a valid label selector operator`);
    requirements.push(checkRequirement({ key: e.key ?? '', operator, values: e.values ?? [] }));
  }
  return requirements.length === 0 ? EVERYTHING : new LabelSelector(requirements);
}

/** A selector that wants exactly these labels, e.g. a Service's `spec.selector`. Values are taken as valid. */
export function selectorFromLabels(labels: Labels | undefined): LabelSelector {
  const requirements = Object.entries(labels ?? {}).map(([key, value]) => ({
    key,
    operator: '=' as const,
    values: [value ?? ''],
  }));
  return requirements.length === 0 ? EVERYTHING : new LabelSelector(requirements);
}
