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
      if (!(await client.get(SCHEMAS, '', name))) return undefined;
      await client.update(SCHEMAS, '', name, (schema) => withCondition(schema, levels, metaTime(env.now())), SETTINGS);
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

function withCondition(schema: KubeObject, levels: ReadonlySet<string>, now: string): KubeObject | undefined {
  const spec = isJsonObject(schema.spec) ? schema.spec : {};
  const level = isJsonObject(spec.priorityLevelConfiguration) ? spec.priorityLevelConfiguration.name : '';
  const condition = danglingCondition(schema as unknown as FlowSchema, levels.has(String(level)), now);
  if (!condition) return undefined;
  const status = isJsonObject(schema.status) ? schema.status : {};
  const others = (Array.isArray(status.conditions) ? (status.conditions as JsonObject[]) : []).filter(
    (c) => c.type !== 'Dangling',
  );
  return { ...schema, status: { ...status, conditions: [...others, condition] } };
}
