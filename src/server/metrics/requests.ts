import type { ApiRequest } from '../api-request.js';
import { isLongRunning } from '../long-running.js';
import type { Counter, Gauge, Histogram } from './family.js';
import type { MetricsRegistry } from './registry.js';

/** Whether a resource is served: only then may its name, which a client chose, become a label. */
export type IsServed = (group: string, version: string, resource: string, subresource: string) => boolean;

/** The values that requests of one kind share. */
interface Series {
  readonly labels: Labels;
  readonly byCode: Map<number, Counter>;
  readonly duration: Histogram;
  /** Without long-running requests. */
  readonly sli: Histogram | undefined;
  /** Of reads. */
  readonly size: Histogram | undefined;
  readonly longRunning: Gauge | undefined;
}
interface Labels {
  readonly component: string;
  readonly dryRun: string;
  readonly group: string;
  readonly resource: string;
  readonly scope: string;
  readonly subresource: string;
  readonly verb: string;
  readonly version: string;
}

const VERBS = new Map(
  Object.entries({
    create: 'POST',
    update: 'PUT',
    patch: 'PATCH',
    delete: 'DELETE',
    deletecollection: 'DELETECOLLECTION',
    get: 'GET',
    list: 'LIST',
    watch: 'WATCH',
    proxy: 'CONNECT',
    post: 'POST',
    put: 'PUT',
    head: 'HEAD',
    options: 'OPTIONS',
  }),
);
const CONNECTS = new Set(['attach', 'exec', 'portforward', 'proxy']);
const HEALTH = new Set(['/healthz', '/livez', '/readyz']);

/** Counts requests: `apiserver_request_total`, their time, the size of their answers, and those that stay open. */
export class RequestMetrics {
  readonly #registry: MetricsRegistry;
  readonly #isServed: IsServed;
  readonly #series = new Map<string, Series>();

  constructor(registry: MetricsRegistry, isServed: IsServed) {
    this.#registry = registry;
    this.#isServed = isServed;
  }

  /** At the start of handling. What it returns is called once, when the answer is complete. */
  begin(request: ApiRequest): (code: number, bytes: number) => void {
    const series = this.#seriesOf(request);
    series.longRunning?.inc();
    return (code, bytes) => {
      series.longRunning?.dec();
      let counter = series.byCode.get(code);
      if (!counter) {
        counter = this.#counter(series.labels, code);
        series.byCode.set(code, counter);
      }
      counter.inc();
      const seconds = (performance.now() - request.started) / 1000;
      series.duration.observe(seconds);
      series.sli?.observe(seconds);
      series.size?.observe(bytes);
    };
  }

  /** The client went away, or time was over, before the answer was complete. */
  aborted(request: ApiRequest): void {
    const { group, resource, scope, subresource, verb, version } = this.#seriesOf(request).labels;
    this.#registry
      .counter('apiserver_request_aborts_total')
      .labels(group, resource, scope, subresource, verb, version)
      .inc();
  }

  /** Refused before any work, to protect the server: 429, 503 and the like. */
  refused(request: ApiRequest, code: number): void {
    const { component, group, resource, scope, subresource, verb, version } = this.#seriesOf(request).labels;
    this.#registry
      .counter('apiserver_request_terminations_total')
      .labels(`${code}`, component, group, resource, scope, subresource, verb, version)
      .inc();
  }

  #seriesOf(request: ApiRequest): Series {
    const { info, http, query } = request;
    const dryRun = info.verb === 'get' ? '' : dryRunOf(query);
    const apply =
      http.method === 'PATCH' && http.headers['content-type']?.startsWith('application/apply-patch') === true;
    const kind = info.isResourceRequest
      ? `${info.group}/${info.version}/${info.resource}/${info.subresource}`
      : pathOf(info.path);
    const key = `${info.verb} ${apply} ${dryRun} ${scopeOf(request)} ${kind}`;
    const known = this.#series.get(key);
    if (known) return known;
    const { group, version, resource, subresource } = info;
    const served = info.isResourceRequest && this.#isServed(group, version, resource, subresource);
    const verb = apply ? 'APPLY' : CONNECTS.has(subresource) ? 'CONNECT' : (VERBS.get(info.verb) ?? 'other');
    const shared = { component: 'apiserver', dryRun, verb, group: '', version: '', resource: '', scope: '' };
    if (served) {
      const labels = { ...shared, group, version, resource, subresource, scope: scopeOf(request) };
      return this.#make(key, labels, isLongRunning(info));
    }
    // Whatever is not served is counted together, and not kept by the name that the client gave it.
    const path = info.isResourceRequest ? '' : kind;
    return this.#make(`${verb} ${dryRun} ${path}`, { ...shared, subresource: path }, false);
  }

  #make(key: string, labels: Labels, longRunning: boolean): Series {
    const known = this.#series.get(key);
    if (known) return known;
    const { component, dryRun, group, resource, scope, subresource, verb, version } = labels;
    const common = [component, group, resource, scope, subresource, verb, version];
    const r = this.#registry;
    const series: Series = {
      labels,
      byCode: new Map(),
      duration: r
        .histogram('apiserver_request_duration_seconds')
        .labels(component, dryRun, group, resource, scope, subresource, verb, version),
      sli: longRunning ? undefined : r.histogram('apiserver_request_sli_duration_seconds').labels(...common),
      size: /^(GET|LIST)$/.test(verb) ? r.histogram('apiserver_response_sizes').labels(...common) : undefined,
      longRunning: longRunning ? r.gauge('apiserver_longrunning_requests').labels(...common) : undefined,
    };
    this.#series.set(key, series);
    return series;
  }

  #counter(l: Labels, code: number): Counter {
    const values = [`${code}`, l.component, l.dryRun, l.group, l.resource, l.scope, l.subresource, l.verb, l.version];
    return this.#registry.counter('apiserver_request_total').labels(...values);
  }
}

/** How much a request is about: one object, a namespace, or all. */
function scopeOf({ info }: ApiRequest): string {
  if (info.name !== '' || info.verb === 'create') return 'resource';
  return info.namespace !== '' ? 'namespace' : 'cluster';
}

function dryRunOf(query: URLSearchParams): string {
  const values = query.getAll('dryRun');
  if (values.length === 0) return '';
  return values.every((v) => v === 'All') ? 'All' : 'invalid';
}

function pathOf(path: string): string {
  return HEALTH.has(path) ? path : '';
}
