import { isJsonObject, type JsonObject, type KubeObject } from '../machinery/json.js';
import { metaTime } from '../registry/context.js';
import type { FlowSchema } from '../server/flowcontrol/configuration.js';
import { danglingCondition } from '../server/flowcontrol/dangling.js';
import type { Controller, ControllerParts } from './contract.js';
import { WorkQueue } from './work-queue.js';

const GROUP = 'flowcontrol.apiserver.k8s.io';
const SCHEMAS = { group: GROUP, resource: 'flowschemas' };
const LEVELS = { group: GROUP, resource: 'prioritylevelconfigurations' };
const SETTINGS = { manager: 'api-priority-and-fairness-config-consumer-v1', subresource: 'status' };

/** Says in each FlowSchema's status whether its priority level is there. Part of the server itself, as upstream. */
export function flowSchemaStatus({ client, env, log }: ControllerParts): Controller {
  const stops: (() => void)[] = [];
  const names = new Set<string>();
  const levels = new Set<string>();
  const queue = new WorkQueue({
    workers: 4,
    async work(name) {
      const schema = await client.get(SCHEMAS, '', name);
      const condition = schema && conditionOf(schema, levels, metaTime(env.now()));
      if (!condition) return undefined;
      const status = { conditions: [condition] };
      await client.apply(
        SCHEMAS,
        { apiVersion: `${GROUP}/v1`, kind: 'FlowSchema', metadata: { name }, status },
        SETTINGS,
      );
      return undefined;
    },
    failed: (name, e) => log('warning', `flow schema ${name}: ${String(e)}`),
  });
  return {
    name: 'flow-schema-status-controller',
    async start() {
      stops.push(
        await client.subscribe(LEVELS, ({ type, object }) => {
          const { name = '' } = object.metadata;
          if (type === 'DELETED') levels.delete(name);
          else levels.add(name);
          for (const schema of names) queue.add(schema);
        }),
        await client.subscribe(SCHEMAS, ({ type, object }) => {
          const { name = '' } = object.metadata;
          if (type === 'DELETED') names.delete(name);
          else {
            names.add(name);
            queue.add(name);
          }
        }),
      );
    },
    async stop() {
      for (const stop of stops) stop();
      await queue.close();
    },
  };
}

function conditionOf(schema: KubeObject, levels: ReadonlySet<string>, now: string): JsonObject | undefined {
  const spec = isJsonObject(schema.spec) ? schema.spec : {};
  const level = isJsonObject(spec.priorityLevelConfiguration) ? spec.priorityLevelConfiguration.name : '';
  return danglingCondition(schema as unknown as FlowSchema, levels.has(String(level)), now);
}
