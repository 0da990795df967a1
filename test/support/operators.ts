import type { SchemaProps, ValidationRule } from '../../src/api/apiextensions/schema/props.js';
import {
  age,
  column,
  conditionColumn,
  conditions,
  type Definition,
  definition,
  free,
  list,
  object,
  podField,
  podTemplate,
  resource,
  text,
  texts,
  whole,
  yesNo,
} from './schemas.js';

/*
 * Definitions of the shapes and sizes of those that widely used operators install: same kinds, same features of
 * schemas, our own fields and sentences.
 */

const rule = (rule: string, message: string, over: Partial<ValidationRule> = {}): ValidationRule => ({
  rule,
  message,
  ...over,
});

/** Like cert-manager's: selectable fields, categories, pod templates deep inside. */
export function certificates(): Definition[] {
  const group = 'certs.example.io';
  const issuerRef = object(
    {
      name: text({ description: 'The issuer that signs.' }),
      kind: text({ description: 'What the issuer is; an Issuer when left out.', default: 'Issuer' }),
      group: text({ description: 'The group of the issuer.' }),
    },
    { required: ['name'], description: 'Who signs the certificate.' },
  );
  const certificate = resource(
    object(
      {
        secretName: text({ minLength: 1, maxLength: 253, description: 'Where the key and the certificate go.' }),
        issuerRef,
        dnsNames: list(text(), { 'x-kubernetes-list-type': 'atomic' }),
        duration: text({ pattern: '^([0-9]+h)?([0-9]+m)?([0-9]+s)?$' }),
        isCA: yesNo(),
        usages: list(text({ enum: ['signing', 'server auth', 'client auth'] })),
        privateKey: object({
          algorithm: text({ enum: ['RSA', 'ECDSA', 'Ed25519'] }),
          size: { type: 'integer', minimum: 0 },
          rotationPolicy: text({ enum: ['Never', 'Always'], default: 'Always' }),
        }),
        secretTemplate: object({ annotations: texts(), labels: texts() }),
      },
      { required: ['issuerRef', 'secretName'] },
    ),
    object({ conditions: conditions(), notAfter: text({ format: 'date-time' }), revision: { type: 'integer' } }),
  );
  const solver = object({
    http01: object({ ingress: object({ ingressClassName: text(), podTemplate: podTemplate() }) }),
    dns01: object({ webhook: object({ groupName: text(), config: { 'x-kubernetes-preserve-unknown-fields': true } }) }),
  });
  const issuer = resource(
    object({
      acme: object(
        { server: text(), email: text(), solvers: list(solver), privateKeySecretRef: object({ name: text() }) },
        { required: ['server', 'privateKeySecretRef'] },
      ),
      selfSigned: object({ crlDistributionPoints: list(text()) }),
    }),
    object({ conditions: conditions() }),
  );
  return [
    definition(
      group,
      { kind: 'Certificate', plural: 'certificates', shortNames: ['cert', 'certs'], categories: ['cert-manager'] },
      [
        {
          name: 'v1',
          schema: certificate,
          selectable: ['.spec.issuerRef.name', '.spec.issuerRef.kind'],
          columns: [
            conditionColumn('Ready'),
            column('Secret', '.spec.secretName'),
            column('Issuer', '.spec.issuerRef.name', 'string', 1),
            conditionColumn('Ready', 'message', 1),
            age,
          ],
        },
      ],
    ),
    definition(group, { kind: 'Issuer', plural: 'issuers', categories: ['cert-manager'] }, [
      { name: 'v1', schema: issuer, columns: [conditionColumn('Ready'), age] },
    ]),
  ];
}

/** Like the Prometheus operator's: pod parts written out many times, scaled by shards. */
export function monitoring(): Definition[] {
  const group = 'monitoring.example.io';
  const prometheus = resource(
    object({
      replicas: whole({ minimum: 0 }),
      shards: whole({ default: 1 }),
      retention: text({ pattern: '^(0|(([0-9]+)y)?(([0-9]+)d)?(([0-9]+)h)?)$', default: '24h' }),
      containers: list(podTemplate(), { 'x-kubernetes-list-type': 'atomic' }),
      initContainers: podField('initContainers'),
      volumes: podField('volumes'),
      affinity: podField('affinity'),
      tolerations: podField('tolerations'),
      additionalArgs: list(object({ name: text({ minLength: 1 }), value: text() }, { required: ['name'] }), {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    }),
    object({ replicas: whole(), shards: whole(), selector: text(), conditions: conditions() }),
  );
  const endpoint = object({
    port: text(),
    path: text(),
    interval: text({ pattern: '^([0-9]+(ms|s|m|h|d|w|y))+$' }),
    targetPort: { anyOf: [{ type: 'integer' }, { type: 'string' }], 'x-kubernetes-int-or-string': true },
    relabelings: list(
      object({
        action: text({ enum: ['replace', 'keep', 'drop', 'hashmod'], default: 'replace' }),
        sourceLabels: list(text({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' })),
        targetLabel: text(),
      }),
    ),
  });
  const monitor = resource(
    object(
      {
        endpoints: list(endpoint),
        selector: object(
          { matchLabels: texts(), matchExpressions: list(free()) },
          { 'x-kubernetes-map-type': 'atomic' },
        ),
        namespaceSelector: object({ any: yesNo(), matchNames: list(text()) }),
      },
      { required: ['endpoints', 'selector'] },
    ),
  );
  const categories = ['monitoring-stack'];
  return [
    definition(group, { kind: 'Prometheus', plural: 'prometheuses', shortNames: ['prom'], categories }, [
      {
        name: 'v1',
        schema: prometheus,
        scale: {
          specReplicasPath: '.spec.shards',
          statusReplicasPath: '.status.shards',
          labelSelectorPath: '.status.selector',
        },
        columns: [column('Retention', '.spec.retention'), column('Desired', '.spec.replicas', 'integer'), age],
      },
    ]),
    definition(group, { kind: 'ServiceMonitor', plural: 'servicemonitors', shortNames: ['smon'], categories }, [
      { name: 'v1', schema: monitor, status: false },
    ]),
  ];
}

/** Like Flux's: rules about what excludes what, an older version that is on its way out. */
export function delivery(): Definition[] {
  const group = 'delivery.example.io';
  const duration = () => text({ pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' });
  const sourceRef = object(
    { kind: text({ enum: ['GitRepository', 'OCIRepository', 'Bucket'] }), name: text(), namespace: text() },
    { required: ['kind', 'name'] },
  );
  const kustomization = (over: Record<string, SchemaProps> = {}) =>
    resource(
      object(
        {
          interval: duration(),
          path: text(),
          prune: yesNo(),
          sourceRef,
          targetNamespace: text({ maxLength: 63, minLength: 1 }),
          patches: list(
            object({ patch: text(), target: object({ kind: text(), name: text() }) }, { required: ['patch'] }),
          ),
          ...over,
        },
        { required: ['interval', 'prune', 'sourceRef'] },
      ),
      {
        ...object({ conditions: conditions(), observedGeneration: { type: 'integer', format: 'int64' } }),
        default: { observedGeneration: -1 },
      },
    );
  const columns = [age, conditionColumn('Ready'), conditionColumn('Ready', 'message')];
  const release = resource(
    object(
      {
        interval: duration(),
        chart: object({
          spec: object(
            { chart: text(), version: text({ default: '*' }), sourceRef },
            { required: ['chart', 'sourceRef'] },
          ),
        }),
        chartRef: object(
          { kind: text({ enum: ['OCIRepository', 'HelmChart'] }), name: text() },
          { required: ['kind', 'name'] },
        ),
        releaseName: text({
          maxLength: 53,
          minLength: 1,
          'x-kubernetes-validations': [rule('self == oldSelf', 'the name of a release stays')],
        }),
        values: { 'x-kubernetes-preserve-unknown-fields': true },
        kubeConfig: object(
          { secretRef: object({ name: text() }), configMapRef: object({ name: text() }) },
          {
            'x-kubernetes-validations': [
              rule('has(self.configMapRef) || has(self.secretRef)', 'one of configMapRef and secretRef is needed'),
              rule('!has(self.configMapRef) || !has(self.secretRef)', 'configMapRef and secretRef exclude each other'),
            ],
          },
        ),
      },
      {
        required: ['interval'],
        'x-kubernetes-validations': [
          rule(
            '(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))',
            'either chart or chartRef must be set',
          ),
        ],
      },
    ),
    object({ conditions: conditions() }),
  );
  return [
    definition(group, { kind: 'Kustomization', plural: 'kustomizations', shortNames: ['ks'] }, [
      { name: 'v1', schema: kustomization(), columns },
      {
        name: 'v1beta2',
        schema: kustomization({ validation: text({ enum: ['none', 'client', 'server'] }) }),
        columns,
        deprecated: true,
      },
    ]),
    definition(group, { kind: 'HelmRelease', plural: 'helmreleases', shortNames: ['hr'] }, [
      { name: 'v2', schema: release, columns },
    ]),
  ];
}

/** Like Argo CD's: no status subresource, and one schema of the largest there are. */
export function applications(): Definition[] {
  const group = 'apps.example.io';
  const source = object(
    {
      repoURL: text(),
      path: text(),
      targetRevision: text(),
      helm: object({ values: text(), valuesObject: free(), parameters: list(object({ name: text(), value: text() })) }),
    },
    { required: ['repoURL'] },
  );
  const spec = object(
    {
      destination: object({ namespace: text(), server: text(), name: text() }),
      project: text(),
      source,
      sources: list(source),
      syncPolicy: object({ automated: object({ prune: yesNo(), selfHeal: yesNo() }), syncOptions: list(text()) }),
      ignoreDifferences: list(
        object({ group: text(), kind: text(), jsonPointers: list(text()) }, { required: ['kind'] }),
      ),
    },
    { required: ['destination', 'project'] },
  );
  const application = resource(
    spec,
    object({
      health: object({ status: text() }),
      sync: object({ status: text({ enum: ['Synced', 'OutOfSync', 'Unknown'] }), revision: text() }),
      resources: list(free()),
    }),
  );
  const template = object({ metadata: object({ name: text(), labels: texts() }), spec });
  const withPod = object({ ...template.properties, pod: podTemplate() });
  const simple = {
    list: object({ elements: list({ 'x-kubernetes-preserve-unknown-fields': true }), template }),
    git: object({ repoURL: text(), files: list(object({ path: text() })), template }),
  };
  const generators = (inner: Record<string, SchemaProps>) =>
    list(object({ ...simple, ...inner }), { 'x-kubernetes-list-type': 'atomic' });
  const set = resource(
    object(
      {
        generators: generators({ matrix: object({ generators: generators({}), template: withPod }) }),
        template: withPod,
      },
      { required: ['generators', 'template'] },
    ),
    object({ conditions: conditions() }),
  );
  return [
    definition(group, { kind: 'Application', plural: 'applications', shortNames: ['app', 'apps'] }, [
      {
        name: 'v1alpha1',
        schema: application,
        status: false,
        columns: [
          column('Sync Status', '.status.sync.status'),
          column('Health Status', '.status.health.status'),
          column('Project', '.spec.project', 'string', 10),
        ],
      },
    ]),
    definition(group, { kind: 'ApplicationSet', plural: 'applicationsets', shortNames: ['appset'] }, [
      { name: 'v1alpha1', schema: set },
    ]),
  ];
}

/** Like KEDA's, with the scale of a workload. */
export function scaled(): Definition[] {
  const trigger = object(
    {
      type: text(),
      name: text(),
      metadata: texts(),
      metricType: text({ enum: ['AverageValue', 'Value', 'Utilization'] }),
    },
    { required: ['type', 'metadata'] },
  );
  const schema = resource(
    object(
      {
        replicas: whole({ minimum: 0, default: 1 }),
        scaleTargetRef: object({ name: text(), kind: text(), apiVersion: text() }, { required: ['name'] }),
        minReplicaCount: whole(),
        maxReplicaCount: whole({ default: 100 }),
        triggers: list(trigger, { minItems: 1 }),
      },
      { required: ['scaleTargetRef', 'triggers'] },
    ),
    object({ replicas: whole(), selector: text(), conditions: conditions() }),
  );
  return [
    definition('scaling.example.io', { kind: 'ScaledObject', plural: 'scaledobjects', shortNames: ['so'] }, [
      {
        name: 'v1alpha1',
        schema,
        scale: {
          specReplicasPath: '.spec.replicas',
          statusReplicasPath: '.status.replicas',
          labelSelectorPath: '.status.selector',
        },
        columns: [
          column('Target', '.spec.scaleTargetRef.name'),
          column('Min', '.spec.minReplicaCount', 'integer'),
          column('Max', '.spec.maxReplicaCount', 'integer'),
          age,
        ],
      },
    ]),
  ];
}

/** Like the Gateway API's: lists by keys, many rules whose cost is bounded by sizes, defaults, two versions. */
export function gateways(): Definition[] {
  const group = 'gateway.example.io';
  const name = () => text({ minLength: 1, maxLength: 253 });
  const label = () =>
    text({ maxLength: 253, pattern: '^$|^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' });
  const kind = () => text({ minLength: 1, maxLength: 63, pattern: '^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$' });
  const port = () => whole({ minimum: 1, maximum: 65535 });
  const reference = {
    group: { ...label(), default: group },
    kind: { ...kind(), default: 'Gateway' },
    namespace: text({ minLength: 1, maxLength: 63 }),
    name: name(),
    sectionName: name(),
    port: port(),
  };
  const same = 'p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name';
  const optional = (field: string) =>
    `((!has(p1.${field}) && !has(p2.${field})) || (has(p1.${field}) && has(p2.${field}) && p1.${field} == p2.${field}))`;
  const parentRefs = list(object(reference, { required: ['name'] }), {
    maxItems: 32,
    'x-kubernetes-list-type': 'atomic',
    'x-kubernetes-validations': [
      rule(
        `self.all(p1, self.exists_one(p2, ${same} && ${optional('__namespace__')} && ${optional('sectionName')}))`,
        'sectionName must be unique when parentRefs name one parent more than once',
      ),
    ],
  });
  const header = object(
    {
      name: text({ minLength: 1, maxLength: 256, pattern: "^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$" }),
      value: text({ minLength: 1, maxLength: 4096 }),
      type: text({ enum: ['Exact', 'RegularExpression'], default: 'Exact' }),
    },
    { required: ['name', 'value'] },
  );
  const byName = { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'], maxItems: 16 };
  const path = object(
    {
      type: text({ enum: ['Exact', 'PathPrefix', 'RegularExpression'], default: 'PathPrefix' }),
      value: text({ maxLength: 1024, default: '/' }),
    },
    {
      default: { type: 'PathPrefix', value: '/' },
      'x-kubernetes-validations': [
        rule(
          "(self.type in ['Exact','PathPrefix']) ? self.value.startsWith('/') : true",
          'value must be an absolute path',
          { fieldPath: '.value' },
        ),
        rule("(self.type in ['Exact','PathPrefix']) ? !self.value.contains('//') : true", 'value must not contain //'),
        rule(
          '(self.type in [\'Exact\',\'PathPrefix\']) ? self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&\'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true',
          'value must be a path',
        ),
      ],
    },
  );
  const match = object({
    path,
    headers: list(header, byName),
    method: text({ enum: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] }),
  });
  const filter = object(
    {
      type: text({ enum: ['RequestHeaderModifier', 'RequestRedirect', 'URLRewrite'] }),
      requestHeaderModifier: object({
        set: list(header, byName),
        remove: list(text(), { 'x-kubernetes-list-type': 'set', maxItems: 16 }),
      }),
      requestRedirect: object({
        scheme: text({ enum: ['http', 'https'] }),
        port: port(),
        statusCode: { type: 'integer', enum: [301, 302], default: 302 },
      }),
    },
    {
      required: ['type'],
      'x-kubernetes-validations': [
        rule(
          "!(has(self.requestRedirect) && self.type != 'RequestRedirect')",
          'requestRedirect must be nil if the type is not RequestRedirect',
        ),
        rule(
          "!(!has(self.requestRedirect) && self.type == 'RequestRedirect')",
          'requestRedirect must be specified for RequestRedirect filter.type',
        ),
      ],
    },
  );
  const backend = object(
    {
      group: { ...label(), default: '' },
      kind: { ...kind(), default: 'Service' },
      name: name(),
      port: port(),
      weight: whole({ minimum: 0, maximum: 1000000, default: 1 }),
    },
    {
      required: ['name'],
      'x-kubernetes-validations': [
        rule(
          "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
          'Must have port for Service reference',
        ),
      ],
    },
  );
  const routeRule = object(
    {
      name: name(),
      matches: list(match, {
        maxItems: 64,
        default: [{ path: { type: 'PathPrefix', value: '/' } }],
        'x-kubernetes-list-type': 'atomic',
      }),
      filters: list(filter, {
        maxItems: 16,
        'x-kubernetes-list-type': 'atomic',
        'x-kubernetes-validations': [
          rule("self.filter(f, f.type == 'RequestRedirect').size() <= 1", 'RequestRedirect filter cannot be repeated'),
        ],
      }),
      backendRefs: list(backend, { maxItems: 16, 'x-kubernetes-list-type': 'atomic' }),
      timeouts: object(
        {
          request: text({ pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' }),
          backendRequest: text({ pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' }),
        },
        {
          'x-kubernetes-validations': [
            rule(
              "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))",
              'backendRequest timeout cannot be longer than request timeout',
            ),
          ],
        },
      ),
    },
    {
      'x-kubernetes-validations': [
        rule(
          '(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))) : true',
          'RequestRedirect filter must not be used together with backendRefs',
          { reason: 'FieldValueForbidden' },
        ),
      ],
    },
  );
  const schema = () =>
    resource(
      object({
        parentRefs,
        hostnames: list(text({ minLength: 1, maxLength: 253 }), { maxItems: 16, 'x-kubernetes-list-type': 'atomic' }),
        rules: list(routeRule, {
          minItems: 1,
          maxItems: 16,
          'x-kubernetes-list-type': 'atomic',
          default: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }] }],
          'x-kubernetes-validations': [
            rule(
              'self.all(l1, !has(l1.name) || self.exists_one(l2, has(l2.name) && l1.name == l2.name))',
              'Rule name must be unique within the route',
            ),
            rule(
              'self.map(r, has(r.matches) ? size(r.matches) : 0).sum() <= 128',
              'at most 128 matches in all rules together',
            ),
          ],
        }),
      }),
      object(
        {
          parents: list(
            object(
              {
                parentRef: object(reference, { required: ['name'] }),
                controllerName: text({ pattern: '^[a-z0-9.]+/[A-Za-z0-9/_.-]+$' }),
                conditions: conditions(),
              },
              { required: ['controllerName', 'parentRef'] },
            ),
            { maxItems: 32 },
          ),
        },
        { required: ['parents'] },
      ),
    );
  const columns = [column('Hostnames', '.spec.hostnames'), age];
  return [
    definition(group, { kind: 'HTTPRoute', plural: 'httproutes', categories: ['gateway-api'] }, [
      { name: 'v1', schema: schema(), columns },
      { name: 'v1beta1', schema: schema(), columns },
    ]),
    definition(
      group,
      { kind: 'GatewayClass', plural: 'gatewayclasses', shortNames: ['gc'], categories: ['gateway-api'] },
      [
        {
          name: 'v1',
          schema: resource(
            object(
              {
                controllerName: text({
                  minLength: 1,
                  maxLength: 253,
                  pattern: '^[a-z0-9.]+/[A-Za-z0-9/_.-]+$',
                  'x-kubernetes-validations': [rule('self == oldSelf', 'Value is immutable')],
                }),
                description: text({ maxLength: 64 }),
              },
              { required: ['controllerName'] },
            ),
            object({ conditions: conditions() }),
          ),
          columns: [
            column('Controller', '.spec.controllerName'),
            conditionColumn('Accepted'),
            age,
            column('Description', '.spec.description', 'string', 1),
          ],
        },
      ],
      'Cluster',
    ),
  ];
}
