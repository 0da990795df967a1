import { duplicate, Path, required } from '../../machinery/field.js';
import type { KubeObject } from '../../machinery/json.js';
import { list, obj, str } from '../access.js';
import type { Check } from '../validation/index.js';

/** Conditions need a type, one each. */
export function conditionTypes(o: KubeObject, c: Check): void {
  const seen = new Set<string>();
  list(obj(o, 'status'), 'conditions').forEach((condition, i) => {
    const at = new Path('status').child('conditions').index(i).child('type');
    const type = str(condition, 'type');
    if (seen.has(type)) c.errors.push(duplicate(at, type));
    seen.add(type);
    if (type === '') c.errors.push(required(at));
  });
}
