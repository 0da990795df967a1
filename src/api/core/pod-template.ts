import { Path } from '../../machinery/field.js';
import type { JsonObject, KubeObject, ObjectMeta } from '../../machinery/json.js';
import { obj, ptr } from '../access.js';
import { kind } from '../kind.js';
import type { Strategy } from '../strategy.js';
import type { Check } from '../validation/index.js';
import { leniencyOf } from './pod/leniency.js';
import { validatePodTemplate, validateTemplateMetadata } from './pod/spec.js';
import { podWarnings } from './pod/warnings.js';

const leniencyOfTemplate = (old: JsonObject | undefined) =>
  old && leniencyOf(obj(old, 'spec'), obj(old, 'metadata') as ObjectMeta);

/** The template of a workload, checked with what the stored one may keep. */
export function templateRules(template: JsonObject, old: JsonObject | undefined, at: Path, c: Check): void {
  validatePodTemplate(template, at, c, leniencyOfTemplate(old));
}

/** Only its labels and annotations. */
export function templateMetadataRules(template: JsonObject, old: JsonObject | undefined, at: Path, c: Check): void {
  validateTemplateMetadata(template, at, c, leniencyOfTemplate(old));
}

/** Warnings of a workload's template, unless only other things changed. */
export function templateWarnings(owner: KubeObject, old: KubeObject | undefined, ...path: string[]): string[] {
  const dig = (o: JsonObject | undefined) => path.reduce<JsonObject | undefined>((v, name) => ptr(v, name), o);
  if (old && owner.metadata.generation === old.metadata.generation) return [];
  const template = dig(owner);
  if (!template) return [];
  return podWarnings(obj(template, 'metadata') as ObjectMeta, obj(template, 'spec'), new Path().child(...path));
}

export const podTemplate: Strategy = kind({
  group: '',
  kind: 'PodTemplate',
  rules: (v, _, c) => {
    const o = v as KubeObject;
    templateRules(obj(o, 'template'), c.old && obj(c.old, 'template'), new Path('template'), c);
  },
  warnings: (_, o, old) => templateWarnings(o, old, 'template'),
});
