import type { KubeObject } from '../../../machinery/json.js';
import { num, obj, ptr, str } from '../../access.js';
import { since, time } from '../age.js';
import type { RowPrinter } from '../contract.js';
import { nameOf } from '../text.js';

/** Of both event APIs: the newer one leaves the counts and times of the older one unset. */
export const event: RowPrinter = {
  cells(object, now) {
    const involved = obj(object, 'involvedObject');
    const series = ptr(object, 'series');
    const first = since(object, time(object, 'firstTimestamp') === undefined ? 'eventTime' : 'firstTimestamp', now);
    const last = time(object, 'lastTimestamp') === undefined ? first : since(object, 'lastTimestamp', now);
    const target = [str(involved, 'kind').toLowerCase(), str(involved, 'name')];
    return [
      series ? since(series, 'lastObservedTime', now) : last,
      str(object, 'type'),
      str(object, 'reason'),
      target[1] ? target.join('/') : target[0]!,
      str(involved, 'fieldPath'),
      source(object),
      str(object, 'message').trim(),
      first,
      series ? num(series, 'count') : num(object, 'count') || 1,
      nameOf(object),
    ];
  },
};

function source(object: KubeObject): string {
  const { component, host } = obj(object, 'source');
  const instance = host || str(object, 'reportingInstance');
  return `${component || str(object, 'reportingComponent')}${instance ? `, ${instance}` : ''}`;
}
