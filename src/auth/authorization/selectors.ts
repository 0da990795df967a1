import { type FieldRequirement, parseFieldSelector } from '../../machinery/selectors/field-selector.js';
import type { LabelRequirement } from '../../machinery/selectors/label-requirement.js';
import { parseLabelSelector } from '../../machinery/selectors/label-selector.js';
import type { Attributes } from '../contract.js';

/**
 * What a request narrows itself to. A selector that can't be read narrows nothing: the request is judged as the broad one
 * it may be, and is refused later for its selector.
 */
export function fieldRequirements({ fieldSelector }: Attributes): readonly FieldRequirement[] {
  if (!fieldSelector) return [];
  try {
    return parseFieldSelector(fieldSelector).requirements;
  } catch {
    return [];
  }
}

/** The same for labels. */
export function labelRequirements({ labelSelector }: Attributes): readonly LabelRequirement[] {
  if (!labelSelector) return [];
  try {
    return parseLabelSelector(labelSelector).requirements;
  } catch {
    return [];
  }
}

/** Whether a field selector holds `field=value`. */
export function selectsExactly(attributes: Attributes, field: string, value: string): boolean {
  return fieldRequirements(attributes).some((r) => r.field === field && r.operator === '=' && r.value === value);
}
