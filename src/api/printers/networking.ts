import type { JsonObject } from '../../machinery/json.js';
import { list, obj, ptr, str, strings } from '../access.js';
import { age } from './age.js';
import type { GroupPrinters } from './contract.js';
import { annotations, loadBalancerAddresses, nameOf, qualified, selectorText, strOr } from './text.js';

const DEFAULT_CLASS = 'ingressclass.kubernetes.io/is-default-class';
const MAX_HOSTS = 3;

export const networking: GroupPrinters = {
  Ingress: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      return [
        nameOf(object),
        strOr(spec, 'ingressClassName', '<none>'),
        hosts(list(spec, 'rules')),
        loadBalancerAddresses(object),
        list(spec, 'tls').length > 0 ? '80, 443' : '80',
        age(object, now),
      ];
    },
  },
  IngressClass: {
    cells(object, now) {
      const spec = obj(object, 'spec');
      const parameters = ptr(spec, 'parameters');
      return [
        `${nameOf(object)}${annotations(object)[DEFAULT_CLASS] === 'true' ? ' (default)' : ''}`,
        str(spec, 'controller'),
        parameters
          ? `${qualified(str(parameters, 'kind'), str(parameters, 'apiGroup'))}/${str(parameters, 'name')}`
          : '<none>',
        age(object, now),
      ];
    },
  },
  IPAddress: {
    // The age has a cell but no column, as upstream has it.
    cells: (object, now) => [nameOf(object), parent(ptr(obj(object, 'spec'), 'parentRef')), age(object, now)],
  },
  NetworkPolicy: {
    cells: (object, now) => [nameOf(object), selectorText(obj(obj(object, 'spec'), 'podSelector')), age(object, now)],
  },
  ServiceCIDR: {
    cells: (object, now) => [nameOf(object), strings(obj(object, 'spec'), 'cidrs').join(','), age(object, now)],
  },
};

/** The first hosts. What is left is counted in rules, whether they name a host or not. */
function hosts(rules: readonly JsonObject[]): string {
  const named = rules.flatMap((rule, i) => (str(rule, 'host') ? [{ host: str(rule, 'host'), i }] : []));
  const shown = named.slice(0, MAX_HOSTS);
  const text = shown.map(({ host }) => host).join(',') || '*';
  const more = shown.length === MAX_HOSTS && shown.at(-1)!.i < rules.length - 1;
  return more ? `${text} + ${rules.length - MAX_HOSTS} more...` : text;
}

function parent(ref: JsonObject | undefined): string {
  if (!ref) return '<none>';
  const resource = qualified(str(ref, 'resource'), str(ref, 'group')).toLowerCase();
  return [resource, str(ref, 'namespace'), str(ref, 'name')].filter((part, i) => i !== 1 || part).join('/');
}
