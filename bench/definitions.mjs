// A thousand CustomResourceDefinitions: what each costs in memory, and whether the last ones take longer than the first.
const COUNT = 1000;
const GROUPS = 50;
const CLIENTS = 8;
const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/**
 * Installs the definitions on a server that has none, and waits until all are served.
 *
 * @param api a client of `measure.mjs`
 * @param read gives the body at a path
 * @param rss asks the server for its resident memory in bytes
 * @returns the growth of memory a definition, the time of the second half by that of the first, definitions a second
 */
export async function benchDefinitions({ api, read, rss }) {
  const middle = COUNT / 2;
  await install(api, read, 0, CLIENTS); // what is loaded for the first ones
  const before = await rss();
  const first = await install(api, read, CLIENTS, middle);
  const second = await install(api, read, middle, COUNT);
  const after = await rss();
  return {
    bytesEach: (after - before) / (COUNT - CLIENTS),
    ratio: second / (COUNT - middle) / (first / (middle - CLIENTS)),
    perSecond: ((COUNT - CLIENTS) * 1000) / (first + second),
  };
}

/** Milliseconds from the first request until the last definition is established. */
async function install(api, read, from, to) {
  const started = performance.now();
  let next = from;
  const client = async () => {
    while (next < to) await api.send('POST', PATH, JSON.stringify(definition(next++)));
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  for (let i = to - 1; i >= from; i--) {
    while (!(await isEstablished(read, i))) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - started;
}

async function isEstablished(read, i) {
  const { status } = JSON.parse(await read(`${PATH}/${definition(i).metadata.name}`));
  return status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') ?? false;
}

/** Of a middling size: 5 KB, a few rules, columns, a status. */
function definition(i) {
  const group = `g${i % GROUPS}.bench.example.com`;
  const text = (name) => ({
    type: 'string',
    maxLength: 253,
    description: `${name} is one of the fields that people set now and then; left out, something sensible is chosen.`,
  });
  const names = Array.from({ length: 20 }, (_, n) => `field${n}`);
  const spec = {
    type: 'object',
    required: ['field0'],
    properties: {
      ...Object.fromEntries(names.map((name) => [name, text(name)])),
      replicas: { type: 'integer', format: 'int32', minimum: 0, default: 1 },
      maxReplicas: { type: 'integer', format: 'int32', default: 10 },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      items: {
        type: 'array',
        maxItems: 16,
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', required: ['name'], properties: { name: text('name'), value: text('value') } },
      },
    },
    'x-kubernetes-validations': [
      { rule: 'self.replicas <= self.maxReplicas', message: 'more than the most' },
      { rule: "!has(self.items) || self.items.all(i, i.name != 'none')" },
    ],
  };
  const condition = {
    type: 'object',
    required: ['type', 'status'],
    properties: Object.fromEntries(['type', 'status', 'reason', 'message'].map((name) => [name, text(name)])),
  };
  const status = { type: 'object', properties: { conditions: { type: 'array', items: condition } } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `things${i}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: `things${i}`, singular: `thing${i}`, kind: `Thing${i}`, listKind: `Thing${i}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec, status } } },
          subresources: { status: {} },
          additionalPrinterColumns: [{ name: 'Field', type: 'string', jsonPath: '.spec.field0' }],
        },
      ],
    },
  };
}
